"""Operations on endpoints."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import Field, create_model

from calfeed.delivery.views import describe_delivery, describe_endpoint
from calfeed.reminders.contract.registry import MESSAGE_TYPES
from calfeed.reminders.endpoint_values import MAX_ENTRIES
from calfeed.reminders.filters import OPERATIONAL, OPERATIONAL_TYPES
from calfeed.reminders.signing import Scheme
from calfeed.services import endpoints as service
from calfeed.services.endpoints import EndpointDetails, EndpointValues
from calfeed.services.receivers.testing import request_test
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints import records
from calfeed.store.endpoints.records import Endpoint as EndpointRow
from calfeed.web.api.fields import (
    HeaderName,
    HeaderValue,
    Id,
    Line,
    Secret,
    Url,
    option_fields,
)
from calfeed.web.api.models import View
from calfeed.web.api.operations import Call, Operations, Path, RequestBody, WithSecret, as_example
from calfeed.web.api.paging import Page, PageQuery, paginate, to_number
from calfeed.web.api.resources.deliveries import Delivery

operations = Operations()

_SCOPE = "endpoints"


class FiltersGiven(RequestBody):
    """Filters: an event must match at least one entry of every non-empty list."""

    calendars: list[Line] = Field(default_factory=list, max_length=MAX_ENTRIES)
    categories: list[Line] = Field(default_factory=list, max_length=MAX_ENTRIES)
    events: list[Line] = Field(
        default_factory=list, max_length=MAX_ENTRIES, description="Each as calendar/event."
    )
    types: list[Line] = Field(
        default_factory=list,
        max_length=MAX_ENTRIES,
        description=(
            f"Any of {', '.join(MESSAGE_TYPES)}. Operational messages are sent only if their types "
            f"are named: {', '.join(OPERATIONAL_TYPES)}, or {OPERATIONAL} for all of them."
        ),
    )


_OptionsGiven: Any = create_model(
    "_OptionsGiven", __base__=RequestBody, **option_fields(given=True)
)


class OptionsGiven(_OptionsGiven):
    """Delivery options; null removes an option."""


class EndpointGiven(RequestBody):
    """A new endpoint."""

    model_config = as_example(url="https://example.org/hooks", options={"quiet": "22:00-07:00"})

    url: Url = Field(description="`poll:` if the receiver fetches the messages.")
    description: Line = ""
    filters: FiltersGiven = Field(default_factory=FiltersGiven)
    options: OptionsGiven = Field(default_factory=OptionsGiven)
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict,
        max_length=20,
        description="Headers of every message. Their values are not shown again.",
    )
    secret: Secret | None = Field(None, description="A secret of your own (whsec_…).")
    signature: Scheme | None = Field(
        None, description="`hmac` (with a secret) or `ed25519` (with a public key)."
    )


class EndpointChange(RequestBody):
    """Changes of an endpoint (RFC 7396); missing keys stay unchanged."""

    model_config = as_example(description="The night desk", options={"digest": "daily@09:00"})

    url: Url = Field(default_factory=str)
    description: Line = Field(default_factory=str)
    filters: FiltersGiven = Field(
        default_factory=FiltersGiven, description="A given list replaces the current one."
    )
    options: OptionsGiven = Field(default_factory=OptionsGiven)
    headers: dict[HeaderName, HeaderValue | None] = Field(
        default_factory=dict, max_length=20, description="Null removes a header."
    )


class SecretGiven(RequestBody):
    """A new secret."""

    model_config = as_example()

    secret: Secret | None = Field(None, description="Your own secret; null generates one.")
    signature: Scheme | None = Field(
        None, description="Another scheme; null keeps the current one."
    )


class FiltersView(View):
    """Filters; an empty list matches everything."""

    calendars: list[str]
    categories: list[str]
    events: list[str]
    types: list[str]
    public_only: bool = Field(
        description="Whether private calendars are excluded, as for every registered endpoint."
    )


_OptionsView: Any = create_model("_OptionsView", __base__=View, **option_fields(given=False))


class OptionsView(_OptionsView):
    """Delivery options."""


class Endpoint(View):
    """A receiver of webhooks."""

    id: str
    state: str = Field(description="active, paused or disabled; unverified until it is confirmed.")
    since: datetime
    reason: str | None = Field(description="Why the endpoint is disabled.")
    failing_since: datetime | None = Field(
        description="The time since which every attempt has failed."
    )
    url: str = Field(description="Shortened, because URLs can contain tokens.")
    description: str
    created: datetime
    filters: FiltersView
    options: OptionsView
    headers: list[str] = Field(description="The names of its own headers.")
    public_key: str | None = Field(
        description="The public key (whpk_…) if messages are signed by Ed25519."
    )
    former_secret_until: datetime | None = Field(
        description="Until then, messages are also signed with the former secret."
    )


class EndpointMore(Endpoint):
    """An endpoint with its number of deliveries by state."""

    deliveries: dict[str, int]


class EndpointOnce(Endpoint, WithSecret):
    """An endpoint with its secret."""


class Released(View):
    """The deliveries that an endpoint missed while paused or disabled."""

    endpoint: EndpointMore
    pending: int = Field(description="How many are being sent now.")
    gathered: int = Field(description="How many are in the next digest.")
    expired: int = Field(description="How many have expired.")


class EndpointPath(Path):
    """The id of an endpoint."""

    endpoint: Id


@operations.add("GET", "/endpoints", scope=_SCOPE)
def list_endpoints(call: Call, query: PageQuery, connection: Connection) -> Page[Endpoint]:
    """List the endpoints, oldest first."""
    found = records.list_endpoints(connection)
    page, cursor = paginate(found, lambda row: (to_number(row.created), row.id), query, (int, str))
    items = [Endpoint.model_validate(describe_endpoint(row, call.now)) for row in page]
    return Page[Endpoint](items=items, next=cursor)


@operations.add("POST", "/endpoints", scope=_SCOPE, status=HTTPStatus.CREATED, idempotent=True)
def add_endpoint(call: Call, body: EndpointGiven, database: Transactions) -> EndpointOnce:
    """Add an endpoint.

    The endpoint receives messages from now on. The response has the secret that verifies messages
    (Standard Webhooks), which is not shown again.
    """
    added = service.add_endpoint(
        database, call.context.urls, read_values(body), call.now, body.secret, body.signature
    )
    return _show_once(added, call.now)


@operations.add("GET", "/endpoints/{endpoint}", scope=_SCOPE)
def show_endpoint(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Show an endpoint with its number of deliveries by state."""
    return show_details(service.show_endpoint(database, path.endpoint), call.now)


@operations.add("PATCH", "/endpoints/{endpoint}", scope=_SCOPE)
def change_endpoint(
    call: Call, path: EndpointPath, body: EndpointChange, database: Transactions
) -> EndpointMore:
    """Change the given values of an endpoint.

    If its encryption key is lost, a new URL also creates a new secret, which is not shown: rotate
    the secret to see one.
    """
    changed = service.change_endpoint(
        database, call.context.urls, path.endpoint, read_values(body), call.now
    )
    return show_details(changed, call.now)


@operations.add("DELETE", "/endpoints/{endpoint}", scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def remove_endpoint(call: Call, path: EndpointPath, database: Transactions) -> None:
    """Remove an endpoint and drop its pending deliveries; its history is kept."""
    service.remove_endpoint(database, path.endpoint, call.now)


@operations.add("POST", "/endpoints/{endpoint}/pause", scope=_SCOPE)
def pause_endpoint(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Hold the deliveries of an endpoint until it is resumed."""
    return show_details(service.pause_endpoint(database, path.endpoint, call.now), call.now)


@operations.add("POST", "/endpoints/{endpoint}/resume", scope=_SCOPE)
def resume_endpoint(call: Call, path: EndpointPath, database: Transactions) -> Released:
    """Resume a paused or disabled endpoint, and send the deliveries it missed."""
    details, released = service.resume_endpoint(database, path.endpoint, call.now)
    return Released(
        endpoint=show_details(details, call.now),
        pending=released.pending,
        gathered=released.gathered,
        expired=released.expired,
    )


@operations.add("POST", "/endpoints/{endpoint}/rotate", scope=_SCOPE, idempotent=True)
def rotate_secret(
    call: Call, path: EndpointPath, database: Transactions, body: SecretGiven | None = None
) -> EndpointOnce:
    """Rotate the secret of an endpoint; for 24 hours, the former one also signs."""
    own, scheme = (body.secret, body.signature) if body else (None, None)
    return _show_once(
        service.rotate_secret(database, path.endpoint, call.now, own, scheme).endpoint, call.now
    )


@operations.add(
    "POST", "/endpoints/{endpoint}/test", scope=_SCOPE, status=HTTPStatus.CREATED, idempotent=True
)
def test_endpoint(call: Call, path: EndpointPath, database: Transactions) -> Delivery:
    """Send a test message to an endpoint, even if it is paused.

    A worker sends it at once; `/deliveries/{delivery}` shows the result.
    """
    row = request_test(database, path.endpoint, call.now)
    return Delivery.model_validate(describe_delivery(row))


def show_details(details: EndpointDetails, now: datetime) -> EndpointMore:
    shown = describe_endpoint(details.endpoint, now)
    return EndpointMore.model_validate({**shown, "deliveries": details.deliveries})


def _show_once(endpoint: EndpointRow, now: datetime) -> EndpointOnce:
    return EndpointOnce.model_validate(
        {**describe_endpoint(endpoint, now), "secret": endpoint.receiver_key}
    )


def read_values(body: RequestBody) -> EndpointValues:
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
