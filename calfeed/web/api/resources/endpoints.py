"""Endpoints: who receives webhooks, and how; what waits for them."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import Field

from calfeed.delivery.views import describe_delivery, describe_endpoint
from calfeed.reminders.endpoint_values import MAX_ENTRIES
from calfeed.reminders.filters import MESSAGE_TYPES
from calfeed.services import endpoints as service
from calfeed.services.endpoints import EndpointDetails, EndpointValues
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints import records
from calfeed.store.endpoints.records import Endpoint as Kept
from calfeed.web.api.fields import (
    Digest,
    HeaderName,
    HeaderValue,
    Id,
    Line,
    Quiet,
    Rate,
    Secret,
    Url,
    Zone,
)
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Given, Once, Operations, Path, as_example
from calfeed.web.api.paging import Page, PageQuery, paginate, to_number
from calfeed.web.api.resources.deliveries import Delivery

operations = Operations()

_SCOPE = "endpoints"


class FiltersGiven(Given):
    """What an endpoint gets: any of each list, and something of every list; an empty one is all."""

    calendars: list[Line] = Field(default_factory=list, max_length=MAX_ENTRIES)
    categories: list[Line] = Field(default_factory=list, max_length=MAX_ENTRIES)
    events: list[Line] = Field(
        default_factory=list, max_length=MAX_ENTRIES, description="Each as calendar/event."
    )
    types: list[Line] = Field(
        default_factory=list, max_length=MAX_ENTRIES, description=f"Of {', '.join(MESSAGE_TYPES)}."
    )


class OptionsGiven(Given):
    """How an endpoint gets it; null takes an option back."""

    rate: Rate | None = Field(None, description="At most so many posts a minute.")
    time_zone: Zone = Field("UTC", description="The zone of the hours.")
    quiet: Quiet | None = Field(None, description="Send nothing in these hours.")
    digest: Digest | None = Field(None, description="Gather reminders, and send them then.")


class EndpointGiven(Given):
    """A new endpoint."""

    model_config = as_example(url="https://example.org/hooks", options={"quiet": "22:00-07:00"})

    url: Url
    description: Line = ""
    filters: FiltersGiven = Field(default_factory=FiltersGiven)
    options: OptionsGiven = Field(default_factory=OptionsGiven)
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        max_length=20,
        description="Headers that go along with every message. Their values are not shown again.",
    )
    secret: Secret | None = Field(None, description="A secret of your own (whsec_…).")


class EndpointChange(Given):
    """What is to be different (RFC 7396): what is not there stays as it is."""

    model_config = as_example(description="The night desk", options={"digest": "daily@09:00"})

    url: Url = Field(default_factory=str)
    description: Line = Field(default_factory=str)
    filters: FiltersGiven = Field(
        default_factory=FiltersGiven, description="A list that is given replaces the one there is."
    )
    options: OptionsGiven = Field(default_factory=OptionsGiven)
    headers: dict[HeaderName, HeaderValue | None] = Field(
        default_factory=dict, max_length=20, description="Null takes a header away."
    )


class SecretGiven(Given):
    """A new secret."""

    model_config = as_example()

    secret: Secret | None = Field(None, description="One of your own; null: one is made.")


class FiltersView(View):
    """What an endpoint gets; an empty list is all."""

    calendars: list[str]
    categories: list[str]
    events: list[str]
    types: list[str]
    public_only: bool = Field(description="Nothing that is private, as for what is registered.")


class OptionsView(View):
    """How an endpoint gets it."""

    rate: int | None
    time_zone: str
    quiet: str | None
    digest: str | None


class Endpoint(View):
    """A receiver of webhooks."""

    id: str
    state: str = Field(description="active, paused or disabled; unverified until it is confirmed.")
    since: datetime
    reason: str | None = Field(description="Why it is disabled.")
    failing_since: datetime | None = Field(description="Since when every attempt has failed.")
    url: str = Field(description="Shortened, for tokens hide in URLs.")
    description: str
    created: datetime
    filters: FiltersView
    options: OptionsView
    headers: list[str] = Field(description="The names of its own headers.")
    former_secret_until: datetime | None = Field(
        description="Until when the secret before this one signs too."
    )


class EndpointMore(Endpoint):
    """An endpoint, with how many deliveries it has in each state."""

    deliveries: dict[str, int]


class EndpointOnce(Endpoint, Once):
    """An endpoint with its secret."""


class Released(View):
    """What became of what an endpoint missed."""

    endpoint: EndpointMore
    pending: int = Field(description="How many are sent to it now.")
    gathered: int = Field(description="How many come in its next digest.")
    expired: int = Field(description="How many are no longer of use.")


class EndpointPath(Path):
    """The id of an endpoint."""

    endpoint: Id


@operations.add("GET", "/endpoints", scope=_SCOPE)
def list_endpoints(call: Call, query: PageQuery, connection: Connection) -> Page[Endpoint]:
    """List the endpoints, oldest first."""
    found = records.list_endpoints(connection)
    page, cursor = paginate(found, lambda one: (to_number(one.created), one.id), query, (int, str))
    items = [Endpoint.model_validate(describe_endpoint(one, call.now)) for one in page]
    return Page[Endpoint](items=items, next=cursor)


@operations.add("POST", "/endpoints", scope=_SCOPE, status=HTTPStatus.CREATED, once=True)
def add_endpoint(call: Call, body: EndpointGiven, database: Transactions) -> EndpointOnce:
    """Add an endpoint.

    It receives messages from then on. The secret, with which it verifies messages (Standard
    Webhooks), is in the answer and is not shown again.
    """
    added = service.add_endpoint(
        database, call.backend.urls, read_values(body), call.now, body.secret
    )
    return _show_once(added, call.now)


@operations.add("GET", "/endpoints/{endpoint}", scope=_SCOPE)
def show_endpoint(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Show an endpoint, and how many deliveries it has in each state."""
    return show_details(service.show_endpoint(database, path.endpoint), call.now)


@operations.add("PATCH", "/endpoints/{endpoint}", scope=_SCOPE)
def change_endpoint(
    call: Call, path: EndpointPath, body: EndpointChange, database: Transactions
) -> EndpointMore:
    """Change what is given of an endpoint.

    One whose key is lost gets a new secret with its URL; rotate it to see one.
    """
    changed = service.change_endpoint(
        database, call.backend.urls, path.endpoint, read_values(body), call.now
    )
    return show_details(changed, call.now)


@operations.add("DELETE", "/endpoints/{endpoint}", scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def remove_endpoint(call: Call, path: EndpointPath, database: Transactions) -> None:
    """Remove an endpoint; what waits for it is dropped, and its record stays."""
    service.remove_endpoint(database, path.endpoint, call.now)


@operations.add("POST", "/endpoints/{endpoint}/pause", scope=_SCOPE)
def pause_endpoint(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Send nothing to an endpoint until it is resumed; what is for it is held."""
    return show_details(service.pause_endpoint(database, path.endpoint, call.now), call.now)


@operations.add("POST", "/endpoints/{endpoint}/resume", scope=_SCOPE)
def resume_endpoint(call: Call, path: EndpointPath, database: Transactions) -> Released:
    """Send to a paused or disabled endpoint again, beginning with what it missed."""
    details, released = service.resume_endpoint(database, path.endpoint, call.now)
    return Released(
        endpoint=show_details(details, call.now),
        pending=released.pending,
        gathered=released.gathered,
        expired=released.expired,
    )


@operations.add("POST", "/endpoints/{endpoint}/rotate", scope=_SCOPE, once=True)
def rotate_secret(
    call: Call, path: EndpointPath, database: Transactions, body: SecretGiven | None = None
) -> EndpointOnce:
    """Give an endpoint another secret; for 24 hours the former one signs too."""
    own = body.secret if body else None
    return _show_once(
        service.rotate_secret(database, path.endpoint, call.now, own).endpoint, call.now
    )


@operations.add(
    "POST", "/endpoints/{endpoint}/test", scope=_SCOPE, status=HTTPStatus.CREATED, once=True
)
def test_endpoint(call: Call, path: EndpointPath, database: Transactions) -> Delivery:
    """Send an endpoint a test message, paused or not.

    A worker posts it at once; `/deliveries/{delivery}` shows the result.
    """
    row = service.request_test(database, path.endpoint, call.now)
    return Delivery.model_validate(describe_delivery(row))


def show_details(details: EndpointDetails, now: datetime) -> EndpointMore:
    """An endpoint as it is answered."""
    shown = describe_endpoint(details.endpoint, now)
    return EndpointMore.model_validate({**shown, "deliveries": details.deliveries})


def _show_once(one: Kept, now: datetime) -> EndpointOnce:
    return EndpointOnce.model_validate({**describe_endpoint(one, now), "secret": one.secret})


def read_values(body: Given) -> EndpointValues:
    """What a body gives of an endpoint."""
    given: dict[str, Any] = body.model_dump(exclude_unset=True)
    headers = given.get("headers", {})
    return EndpointValues(
        url=given.get("url"),
        description=given.get("description"),
        filters=given.get("filters", {}),
        options=given.get("options", {}),
        headers=[f"{name}: {value}" for name, value in headers.items() if value is not None],
        removed_headers=[name for name, value in headers.items() if value is None],
        missing_ok=True,
    )
