"""Operations on messages and deliveries: list, show, retry."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from calfeed.delivery.views import describe_attempt, describe_delivery
from calfeed.errors import NotFoundError
from calfeed.model.states import DeliveryState
from calfeed.services import deliveries as service
from calfeed.store.database import Connection, Transactions
from calfeed.store.outbox import deliveries
from calfeed.store.reports import history, sent_messages
from calfeed.store.reports.sent_messages import MessageRow
from calfeed.web.api.fields import Id, Moment, Number
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Operations, Path, RequestBody, as_example
from calfeed.web.api.paging import Page, PageQuery, cut, read_cursor, to_moment, to_number

operations = Operations()

_SCOPE = "deliveries"
_MAX_RETRIES = 1000

if TYPE_CHECKING:
    State = str
else:
    # The enum itself would become a separate schema of the OpenAPI document.
    State = Literal[tuple(state.value for state in DeliveryState)]


class Delivery(View):
    """A message for one endpoint."""

    id: int
    message: str
    endpoint: str
    type: str
    rehearsal: bool = Field(description="Whether it belongs to a rehearsal.")
    text: str = Field(description="The message in one line.")
    at: datetime = Field(description="When the message was created.")
    state: State
    attempts: int
    next_at: datetime | None = Field(description="When the next attempt is due.")
    settled_at: datetime | None = Field(description="When the delivery reached its final state.")
    digest: str | None = Field(description="The message of the digest that contains it.")


class Attempt(View):
    """A request to a receiver, and its result."""

    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    response: str | None = Field(description="The start of the response body.")


class DeliveryMore(View):
    """A delivery with its attempts, first to last."""

    delivery: Delivery
    attempts: list[Attempt]


class Message(View):
    """A message; its id is the `webhook-id`."""

    id: str
    type: str
    rehearsal: bool = Field(description="Whether it belongs to a rehearsal.")
    calendar: str | None
    event: str | None
    at: datetime
    text: str


class MessageMore(Message):
    """A message with its body."""

    body: Any = Field(description="Null once the body is deleted.")


class DeliveriesQuery(PageQuery):
    """Filters of deliveries."""

    endpoint: Id | None = Field(None, description="Only those of this endpoint.")
    message: Id | None = Field(None, description="Only those of this message.")
    state: list[State] = Field(
        default_factory=list, description="Only those in this state; repeatable."
    )
    event: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9-]{0,63}$",
        description="Only those about this event, as calendar/event.",
    )
    since: Moment | None = Field(
        None,
        description="Only those that ended at or after this time. For a delivery that has not "
        "ended, the time at which its message was created counts.",
    )


class RetryGiven(RequestBody):
    """The deliveries to retry: numbers, or all that failed at an endpoint since a time."""

    model_config = as_example(deliveries=[1])

    deliveries: list[Number] = Field(default_factory=list, max_length=_MAX_RETRIES)
    endpoint: Id | None = None
    since: Moment | None = Field(
        None,
        description="With `endpoint`: retry its deliveries that failed at or after this time, "
        f"at most {_MAX_RETRIES}.",
    )

    @model_validator(mode="after")
    def _check(self) -> RetryGiven:
        by_number = bool(self.deliveries)
        if by_number == (self.endpoint is not None) or (self.endpoint is None) != (
            self.since is None
        ):
            raise ValueError("give either `deliveries`, or `endpoint` and `since`")
        return self


class Refused(View):
    """A delivery that is not retried, and the reason."""

    id: int
    reason: str


class Retried(View):
    """The result of a retry."""

    pending: list[int]
    held: list[int] = Field(description="Deliveries that are sent when their endpoint is resumed.")
    refused: list[Refused]


class DeliveryPath(Path):
    """The number of a delivery."""

    delivery: Number


class MessagePath(Path):
    """The id of a message."""

    message: Id


@operations.add("GET", "/messages", scope=_SCOPE)
def list_messages(call: Call, query: PageQuery, connection: Connection) -> Page[Message]:
    """List the messages, newest first."""
    place = read_cursor(query.cursor, int, str)
    after = (to_moment(place[0]), place[1]) if place else None
    found = sent_messages.load_messages_before(connection, after, query.limit + 1)
    page, cursor = cut(found, lambda row: (to_number(row.at), row.id), query.limit)
    return Page[Message](items=[Message(**_describe(row)) for row in page], next=cursor)


@operations.add("GET", "/messages/{message}", scope=_SCOPE)
def show_message(call: Call, path: MessagePath, connection: Connection) -> MessageMore:
    """Show a message with its body."""
    row = sent_messages.find_message(connection, path.message)
    return MessageMore(**_describe(row), body=json.loads(row.body) if row.body else None)


@operations.add("GET", "/deliveries", scope=_SCOPE)
def list_deliveries(call: Call, query: DeliveriesQuery, connection: Connection) -> Page[Delivery]:
    """List deliveries, newest first."""
    place = read_cursor(query.cursor, int)
    found = deliveries.list_deliveries(
        connection,
        endpoint_id=query.endpoint,
        message_id=query.message,
        states=[DeliveryState(state) for state in query.state],
        uids=_find_uids(connection, query.event) if query.event else None,
        since=query.since,
        before=place[0] if place else None,
        limit=query.limit + 1,
    )
    page, cursor = cut(found, lambda row: (row.id,), query.limit)
    items = [Delivery.model_validate(describe_delivery(row)) for row in page]
    return Page[Delivery](items=items, next=cursor)


@operations.add("GET", "/deliveries/{delivery}", scope=_SCOPE)
def show_delivery(call: Call, path: DeliveryPath, connection: Connection) -> DeliveryMore:
    """Show a delivery with its attempts."""
    row = deliveries.find_delivery(connection, path.delivery)
    attempts = deliveries.load_attempts(connection, path.delivery)
    return DeliveryMore(
        delivery=Delivery.model_validate(describe_delivery(row)),
        attempts=[Attempt.model_validate(describe_attempt(attempt)) for attempt in attempts],
    )


@operations.add("POST", "/deliveries/retry", scope=_SCOPE)
def retry_deliveries(call: Call, body: RetryGiven, database: Transactions) -> Retried:
    """Send failed deliveries again, each with its original webhook-id."""
    if body.endpoint is not None and body.since is not None:
        retried = service.retry_failed(database, body.endpoint, body.since, call.now, _MAX_RETRIES)
    else:
        retried = service.retry_deliveries(database, body.deliveries, call.now)
    return Retried(
        pending=retried.pending,
        held=retried.held,
        refused=[Refused(id=number, reason=reason) for number, reason in retried.refused.items()],
    )


def _find_uids(connection: Connection, event: str) -> list[str]:
    try:
        return history.find_uids(connection, event)
    except NotFoundError:
        return []  # no delivery matches


def _describe(row: MessageRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.subject.type,
        "rehearsal": row.subject.rehearsal,
        "calendar": row.subject.calendar or None,
        "event": row.subject.event or None,
        "at": row.at,
        "text": row.text,
    }
