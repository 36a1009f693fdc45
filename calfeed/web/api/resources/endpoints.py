"""Endpoints: who receives webhooks, and how; what waits for them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import Field

from calfeed.delivery.channels.sending import SCHEME
from calfeed.delivery.transport.headers import change_headers, find_header, parse_headers
from calfeed.delivery.views import describe_delivery, describe_endpoint
from calfeed.errors import InvalidInputError
from calfeed.reminders.filters import MESSAGE_TYPES, Filters
from calfeed.reminders.messages import probe_message
from calfeed.reminders.option_texts import parse_digest, parse_quiet
from calfeed.reminders.options import Options
from calfeed.reminders.signing import make_secret
from calfeed.store.database import Connection
from calfeed.store.endpoints import endpoints, lifecycle
from calfeed.store.endpoints.endpoints import Endpoint as Kept
from calfeed.store.endpoints.filter_names import find_slips
from calfeed.store.notices import announce
from calfeed.store.outbox import deliveries, outbox
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
from calfeed.web.api.problems import Mistake, RefusalError, refuse_input
from calfeed.web.api.resources.deliveries import Delivery

operations = Operations()

_SCOPE = "endpoints"


class FiltersGiven(Given):
    """What an endpoint gets: any of each list, and something of every list; an empty one is all."""

    calendars: list[Line] = Field(default_factory=list, max_length=100)
    categories: list[Line] = Field(default_factory=list, max_length=100)
    events: list[Line] = Field(
        default_factory=list, max_length=100, description="Each as calendar/event."
    )
    types: list[Line] = Field(
        default_factory=list, max_length=10, description=f"Of {', '.join(MESSAGE_TYPES)}."
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
    found = endpoints.list_endpoints(connection)
    page, cursor = paginate(found, lambda one: (to_number(one.created), one.id), query, (int, str))
    items = [Endpoint.model_validate(describe_endpoint(one, call.now)) for one in page]
    return Page[Endpoint](items=items, next=cursor)


@operations.add("POST", "/endpoints", scope=_SCOPE, status=HTTPStatus.CREATED, once=True)
def add_endpoint(call: Call, body: EndpointGiven, connection: Connection) -> EndpointOnce:
    """Add an endpoint.

    It receives messages from then on. The secret, with which it verifies messages (Standard
    Webhooks), is in the answer and is not shown again.
    """
    given = body.filters.model_dump()
    added = Kept(
        id="ep_" + secrets.token_hex(8),
        url=body.url,
        filters=Filters.model_validate(given),
        secret=body.secret or make_secret(secrets.token_bytes(32)),
        created=call.now,
        description=body.description,
        options=Options.model_validate(read_options(body.options)),
        headers=_change_headers({}, body.headers),
    )
    _check_filters(connection, added.filters)
    endpoints.add_endpoint(connection, added)
    return EndpointOnce.model_validate(
        {**describe_endpoint(added, call.now), "secret": added.secret}
    )


@operations.add("GET", "/endpoints/{endpoint}", scope=_SCOPE)
def show_endpoint(call: Call, path: EndpointPath, connection: Connection) -> EndpointMore:
    """Show an endpoint, and how many deliveries it has in each state."""
    return _show(connection, path.endpoint, call.now)


@operations.add("PATCH", "/endpoints/{endpoint}", scope=_SCOPE)
def change_endpoint(
    call: Call, path: EndpointPath, body: EndpointChange, connection: Connection
) -> EndpointMore:
    """Change what is given of an endpoint."""
    found = _take(connection, path.endpoint)
    chosen = body.filters.model_dump(include=body.filters.model_fields_set)
    options = read_options(body.options)
    changed = replace(
        found,
        filters=Filters.model_validate({**found.filters.model_dump(), **chosen}),
        options=Options.model_validate({**found.options.model_dump(), **options}),
        headers=_change_headers(found.headers, body.headers),
        **body.model_dump(include=body.model_fields_set & {"url", "description"}),
    )
    if changed.filters != found.filters:
        _check_filters(connection, changed.filters)
    lifecycle.change_endpoint(connection, changed, call.now)
    return _show(connection, path.endpoint, call.now)


@operations.add("DELETE", "/endpoints/{endpoint}", scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def remove_endpoint(call: Call, path: EndpointPath, connection: Connection) -> None:
    """Remove an endpoint; what waits for it is dropped, and its record stays."""
    endpoints.find_endpoint(connection, path.endpoint)
    lifecycle.remove_endpoint(connection, path.endpoint, call.now)


@operations.add("POST", "/endpoints/{endpoint}/pause", scope=_SCOPE)
def pause_endpoint(call: Call, path: EndpointPath, connection: Connection) -> EndpointMore:
    """Send nothing to an endpoint until it is resumed; what is for it is held."""
    found = endpoints.find_endpoint(connection, path.endpoint)
    if not lifecycle.hold_endpoint(connection, path.endpoint, "paused", call.now):
        raise _conflict(f"The endpoint is {found.state} already, so nothing is sent to it.")
    return _show(connection, path.endpoint, call.now)


@operations.add("POST", "/endpoints/{endpoint}/resume", scope=_SCOPE)
def resume_endpoint(call: Call, path: EndpointPath, connection: Connection) -> Released:
    """Send to a paused or disabled endpoint again, beginning with what it missed."""
    endpoints.find_endpoint(connection, path.endpoint)
    released = lifecycle.resume_endpoint(connection, path.endpoint, call.now)
    if released is None:
        raise _conflict("The endpoint is not paused and not disabled: there is nothing to resume.")
    return Released(
        endpoint=_show(connection, path.endpoint, call.now),
        pending=released.pending,
        gathered=released.gathered,
        expired=released.expired,
    )


@operations.add("POST", "/endpoints/{endpoint}/rotate", scope=_SCOPE, once=True)
def rotate_secret(
    call: Call, path: EndpointPath, connection: Connection, body: SecretGiven | None = None
) -> EndpointOnce:
    """Give an endpoint another secret; for 24 hours the former one signs too."""
    made = (body and body.secret) or make_secret(secrets.token_bytes(32))
    rotated = _take(connection, path.endpoint).rotate(made, call.now)
    endpoints.save_endpoint(connection, rotated)
    return EndpointOnce.model_validate({**describe_endpoint(rotated, call.now), "secret": made})


@operations.add(
    "POST", "/endpoints/{endpoint}/test", scope=_SCOPE, status=HTTPStatus.CREATED, once=True
)
def test_endpoint(call: Call, path: EndpointPath, connection: Connection) -> Delivery:
    """Send an active endpoint a test message.

    A worker posts it at once; `/deliveries/{delivery}` shows the result.
    """
    require_active(connection, path.endpoint)
    message = probe_message(path.endpoint, call.now, secrets.token_hex(8))
    number = outbox.add_delivery(connection, message, path.endpoint)
    announce(connection)
    return Delivery.model_validate(describe_delivery(deliveries.find_delivery(connection, number)))


def require_active(connection: Connection, endpoint_id: str) -> Kept:
    """The endpoint of an id. Raises RefusalError (409) for one that nothing is sent to now."""
    found = endpoints.find_endpoint(connection, endpoint_id)
    if found.state != "active":
        raise _conflict(f"The endpoint is {found.state}; it has to be active.")
    return found


def _show(connection: Connection, endpoint_id: str, now: datetime) -> EndpointMore:
    found = endpoints.find_endpoint(connection, endpoint_id)
    counts = lifecycle.count_deliveries(connection, endpoint_id)
    return EndpointMore.model_validate({**describe_endpoint(found, now), "deliveries": counts})


def _take(connection: Connection, endpoint_id: str) -> Kept:
    found = endpoints.take_endpoint(connection, endpoint_id)
    if found.url.startswith(SCHEME):
        raise _conflict("The endpoint is a channel: what it is stands in the operator's file.")
    return found


def read_options(given: OptionsGiven) -> dict[str, Any]:
    """Return what is given of the options, as `Options` has it."""
    chosen = given.model_dump(include=given.model_fields_set)
    for name, read in (("quiet", parse_quiet), ("digest", parse_digest)):
        if chosen.get(name) is not None:
            chosen[name] = read(chosen[name])
    return chosen


def _change_headers(headers: Mapping[str, str], given: Mapping[str, str | None]) -> dict[str, str]:
    """The headers with what is given of them. Raises RefusalError for what cannot be one."""
    kept = {name: value for name, value in given.items() if value is not None}
    removed = [name for name, value in given.items() if value is None]
    known = [name for name in removed if find_header(headers, name) is not None]
    try:
        added = parse_headers(f"{name}: {value}" for name, value in kept.items())
        return change_headers(headers, added, known)
    except InvalidInputError as error:
        raise refuse_input([Mistake(pointer="#/headers", detail=str(error))]) from error


def _check_filters(connection: Connection, filters: Filters) -> None:
    def list_slips() -> Iterator[Mistake]:
        for slip in find_slips(connection, filters):
            yield Mistake(pointer=f"#/filters/{slip.name}/{slip.place}", detail=slip.message)

    if mistakes := list(list_slips()):
        raise refuse_input(mistakes)


def _conflict(detail: str) -> RefusalError:
    return RefusalError(HTTPStatus.CONFLICT, detail)
