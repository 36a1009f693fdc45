"""Registrations: endpoints that anybody may add, and that have to confirm that they want messages.

What is registered is unverified. It is sent one message, with a challenge, and nothing else
until whoever registered it gives the challenge back, and so has seen what its URL receives.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Collection, Iterator
from datetime import timedelta
from http import HTTPStatus

from pydantic import Field

from calfeed.delivery.views import describe_endpoint
from calfeed.reminders.filters import MESSAGE_TYPES, Filters
from calfeed.reminders.messages import verify_id, verify_message
from calfeed.reminders.options import Options
from calfeed.reminders.signing import make_secret
from calfeed.store.access import tokens
from calfeed.store.database import Connection
from calfeed.store.endpoints import endpoints, lifecycle
from calfeed.store.endpoints.endpoints import Endpoint as Kept
from calfeed.store.endpoints.registrations import Registration as Waiting
from calfeed.store.endpoints.registrations import (
    add_registration,
    choose_to_drop,
    list_registrations,
)
from calfeed.store.notices import announce
from calfeed.store.outbox import claims, outbox
from calfeed.web.api.fields import Line, Url
from calfeed.web.api.operations import Call, Given, Operations, as_example
from calfeed.web.api.problems import Mistake, RefusalError, refuse_input
from calfeed.web.api.resources import endpoints as managing
from calfeed.web.api.resources.endpoints import (
    Endpoint,
    EndpointMore,
    EndpointOnce,
    EndpointPath,
    FiltersGiven,
    OptionsGiven,
    Released,
    SecretGiven,
    read_options,
)
from calfeed.web.networks import name_network

operations = Operations()

RATE = "10 per hour"
"""How many registrations an address may make in each process."""

PATIENCE = timedelta(hours=1)
"""How long a registration waits to be confirmed before it is dropped."""

MOST = 1_000
"""How many registrations may wait at a time."""

_SCOPE = "endpoint:{endpoint}"
_ONE = "/registrations/{endpoint}"


class RegistrationGiven(Given):
    """An endpoint of one's own, for what is public."""

    model_config = as_example(
        url="https://example.org/hooks", filters={"types": ["event.moved", "event.cancelled"]}
    )

    url: Url
    description: Line = ""
    filters: FiltersGiven = Field(default_factory=FiltersGiven)
    options: OptionsGiven = Field(default_factory=OptionsGiven)


class Registration(Endpoint):
    """An endpoint that waits to be confirmed, with what belongs to its owner; both shown once."""

    secret: str = Field(description="What its messages are signed with (Standard Webhooks).")
    token: str = Field(description="The bearer token that may see and change this endpoint.")


class ChallengeGiven(Given):
    """What the endpoint received."""

    model_config = as_example(challenge="the-challenge-that-it-received")

    challenge: Line = Field(description="`data.challenge` of the message `endpoint.verify`.")


@operations.add("POST", "/registrations", status=HTTPStatus.ACCEPTED)
def register_endpoint(call: Call, body: RegistrationGiven, connection: Connection) -> Registration:
    """Register an endpoint for public calendars.

    It receives one message, `endpoint.verify`. Confirm the registration with the challenge in it
    within an hour; until then it is sent nothing else, and what is not confirmed is dropped.
    Where very many wait, the oldest of the network that has most of them is dropped before.
    """
    call.backend.limit_registrations()
    if mistakes := list(_list_slips(call, body.filters)):
        raise refuse_input(mistakes)
    origin = name_network()
    _make_room(connection, call, origin)
    chosen = {**body.filters.model_dump(), "public_only": True}
    added = Kept(
        id="ep_" + secrets.token_hex(8),
        url=body.url,
        filters=Filters.model_validate(chosen),
        secret=make_secret(secrets.token_bytes(32)),
        created=call.now,
        description=body.description,
        state="unverified",
        options=Options.model_validate(read_options(body.options)),
    )
    endpoints.add_endpoint(connection, added)
    add_registration(connection, Waiting(added.id, origin, call.now))
    token = secrets.token_urlsafe(32)
    scope = _SCOPE.format(endpoint=added.id)
    tokens.add_token(connection, token, None, "self-service", call.now, [scope])
    until = call.now + PATIENCE
    challenge = secrets.token_urlsafe(32)
    message = verify_message(added.id, call.now, challenge, until)
    outbox.add_delivery(connection, message, added.id)
    announce(connection)
    shown = describe_endpoint(added, call.now)
    return Registration.model_validate({**shown, "secret": added.secret, "token": token})


@operations.add("POST", _ONE + "/confirm", scope=_SCOPE)
def confirm_registration(
    call: Call, path: EndpointPath, body: ChallengeGiven, connection: Connection
) -> EndpointMore:
    """Confirm a registration with the challenge that its URL received.

    From then on it receives messages.
    """
    found = endpoints.take_endpoint(connection, path.endpoint)
    if found.state != "unverified":
        raise RefusalError(HTTPStatus.CONFLICT, "The endpoint is not waiting to be confirmed.")
    message_id = verify_id(found.id)
    message = claims.load_messages(connection, [message_id])[message_id]
    if message.until is None or message.until <= call.now:
        raise RefusalError(
            HTTPStatus.CONFLICT, "The registration was not confirmed within an hour; make another."
        )
    challenge = str(json.loads(message.body)["data"]["challenge"])
    if not hmac.compare_digest(challenge.encode(), body.challenge.encode("utf-8", "replace")):
        detail = "this is not the challenge that was sent to the endpoint"
        raise refuse_input([Mistake(pointer="#/challenge", detail=detail)])
    lifecycle.verify_endpoint(connection, found.id, call.now)
    return managing.show_endpoint(call, path, connection)


@operations.add("GET", _ONE, scope=_SCOPE)
def show_registration(call: Call, path: EndpointPath, connection: Connection) -> EndpointMore:
    """Show one's endpoint, and how many deliveries it has in each state."""
    return managing.show_endpoint(call, path, connection)


@operations.add("POST", _ONE + "/pause", scope=_SCOPE)
def pause_registration(call: Call, path: EndpointPath, connection: Connection) -> EndpointMore:
    """Send nothing to one's endpoint until it is resumed; what is for it is held."""
    return managing.pause_endpoint(call, path, connection)


@operations.add("POST", _ONE + "/resume", scope=_SCOPE)
def resume_registration(call: Call, path: EndpointPath, connection: Connection) -> Released:
    """Send to one's endpoint again, beginning with what it missed."""
    return managing.resume_endpoint(call, path, connection)


@operations.add("POST", _ONE + "/rotate", scope=_SCOPE, once=True)
def rotate_registration(
    call: Call, path: EndpointPath, connection: Connection, body: SecretGiven | None = None
) -> EndpointOnce:
    """Give one's endpoint another secret; for 24 hours the former one signs too."""
    return managing.rotate_secret(call, path, connection, body)


@operations.add("DELETE", _ONE, scope=_SCOPE, status=HTTPStatus.NO_CONTENT)
def remove_registration(call: Call, path: EndpointPath, connection: Connection) -> None:
    """Remove one's endpoint, and revoke its token."""
    endpoints.find_endpoint(connection, path.endpoint)
    _drop(connection, [path.endpoint], call)


def _list_slips(call: Call, filters: FiltersGiven) -> Iterator[Mistake]:
    """The names in a filter that are not public; private ones look like ones that do not exist."""
    public = {slug: one for slug, one in call.snapshot.everything.items() if one.public}
    known = {f"{slug}/{event}" for slug, one in public.items() for event in one.by_slug}
    for name, there_are in (("calendars", public), ("events", known), ("types", MESSAGE_TYPES)):
        for place, entry in enumerate(getattr(filters, name)):
            if entry not in there_are:
                detail = f"this is none of the public {name} there are"
                yield Mistake(pointer=f"#/filters/{name}/{place}", detail=detail)


def _make_room(connection: Connection, call: Call, origin: str) -> None:
    """Drop what was not confirmed in time, and what has to make room for one from `origin`."""
    waiting = list_registrations(connection)
    late = [one for one in waiting if one.at + PATIENCE <= call.now]
    others = choose_to_drop(waiting[len(late) :], origin, MOST)
    _drop(connection, [one.endpoint_id for one in (*late, *others)], call)


def _drop(connection: Connection, ids: Collection[str], call: Call) -> None:
    if not ids:
        return
    scopes = {(_SCOPE.format(endpoint=key),) for key in ids}
    for one in tokens.load_tokens(connection):
        if one.scopes in scopes:
            tokens.revoke_token(connection, one.id, call.now)
    for key in ids:
        lifecycle.remove_endpoint(connection, key, call.now)
