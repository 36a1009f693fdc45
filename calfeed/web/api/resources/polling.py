"""The operation by which the receiver of a polled endpoint fetches its messages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from pydantic import Field

from calfeed.services.endpoints import POLL_SCOPE
from calfeed.services.receivers.polling import MAX_FETCHED, fetch_messages
from calfeed.store.database import Transactions
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Operations
from calfeed.web.api.paging import Query, read_numbers, write_cursor
from calfeed.web.api.resources.endpoints import EndpointPath

operations = Operations()


class FetchQuery(Query):
    """What a receiver acknowledges, and how many messages it wants."""

    after: str | None = Field(
        None,
        pattern="^[A-Za-z0-9_-]{1,2500}$",
        description="The `next` of the previous poll, once you have stored its messages. This "
        "acknowledges them, so they are not returned again.",
    )
    limit: int = Field(50, ge=1, le=MAX_FETCHED, description="The maximum number of messages.")


class Fetched(View):
    """A message as a webhook would send it."""

    headers: dict[str, str] = Field(
        description="The headers `webhook-id`, `webhook-timestamp` and `webhook-signature`."
    )
    body: str = Field(description="The body, whose bytes in UTF-8 are signed.")


class FetchedMessages(View):
    """The messages that wait for a receiver, oldest first."""

    items: list[Fetched]
    next: str | None = Field(
        description="The `after` of the next poll; null if there are no messages."
    )


@operations.add("GET", "/endpoints/{endpoint}/messages", scope=POLL_SCOPE)
def poll_messages(
    call: Call, path: EndpointPath, query: FetchQuery, database: Transactions
) -> FetchedMessages:
    """Fetch the messages that wait for a polled endpoint, and acknowledge earlier ones.

    Store the messages, then send `next` as `after` in the next request. Without `after`, the same
    messages are returned again.
    """
    received = _read_receipt(query.after)
    found = fetch_messages(database, path.endpoint, received, query.limit, call.now)
    return FetchedMessages(
        items=[Fetched(headers=dict(one.headers), body=one.body.decode()) for one in found],
        next=write_cursor(*_differences([one.delivery_id for one in found])) if found else None,
    )


def _read_receipt(after: str | None) -> list[int]:
    """Return the ids of the deliveries that a cursor acknowledges.

    The cursor has the id of each delivery, not only the last one: between two polls, a delivery
    with a lower id can appear, because transactions may end in another order than they took ids.
    """
    return list(accumulate(read_numbers(after)))


def _differences(ids: Sequence[int]) -> list[int]:
    return [later - former for former, later in pairwise([0, *ids])]
