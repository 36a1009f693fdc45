"""Registrations: public endpoints that anybody may add, and whose owner must confirm them.

A registered endpoint is unverified. It receives one message with a challenge, and nothing else
until the owner returns the challenge. This proves that the owner controls the URL.
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import Field

from calfeed.delivery.views import describe_endpoint
from calfeed.services import registrations as service
from calfeed.services.endpoints import OWNER_SCOPE
from calfeed.store.database import Transactions
from calfeed.web.api.fields import Line, Url
from calfeed.web.api.operations import Call, Operations, RequestBody, as_example
from calfeed.web.api.resources import endpoints as endpoint_operations
from calfeed.web.api.resources.endpoints import (
    Endpoint,
    EndpointMore,
    EndpointOnce,
    EndpointPath,
    FiltersGiven,
    OptionsGiven,
    Released,
    SecretGiven,
    read_values,
    show_details,
)
from calfeed.web.network_hashes import hash_client_network

operations = Operations()

RATE = "10 per hour"
"""The rate limit of each client network, in each process."""

_REGISTRATION_PATH = "/registrations/{endpoint}"


class RegistrationGiven(RequestBody):
    """A new endpoint for public calendars."""

    model_config = as_example(
        url="https://example.org/hooks", filters={"types": ["event.moved", "event.cancelled"]}
    )

    url: Url
    description: Line = ""
    filters: FiltersGiven = Field(default_factory=FiltersGiven)
    options: OptionsGiven = Field(default_factory=OptionsGiven)


class Registration(Endpoint):
    """An unverified endpoint, with its secret and its owner's token; both are shown once."""

    secret: str = Field(description="The secret that signs its messages (Standard Webhooks).")
    token: str = Field(description="The bearer token to manage this endpoint.")


class ChallengeGiven(RequestBody):
    """The challenge that the endpoint received."""

    model_config = as_example(challenge="the-challenge-that-it-received")

    challenge: Line = Field(description="`data.challenge` of the message `endpoint.verify`.")


@operations.add("POST", "/registrations", status=HTTPStatus.ACCEPTED)
def register_endpoint(call: Call, body: RegistrationGiven, database: Transactions) -> Registration:
    """Register an endpoint for public calendars.

    The endpoint receives one message, `endpoint.verify`. Confirm the registration within an hour,
    with the challenge in that message; until then, the endpoint receives nothing else. A
    registration that is not confirmed in time is dropped. If too many are unconfirmed, the oldest
    one of the network with the most is dropped earlier.
    """
    call.context.limit_registrations()
    values = read_values(body)
    registered = service.register_endpoint(
        database, call.context.urls, values, hash_client_network(), call.now
    )
    shown = describe_endpoint(registered.endpoint, call.now)
    return Registration.model_validate(
        {**shown, "secret": registered.endpoint.secret, "token": registered.token}
    )


@operations.add("POST", _REGISTRATION_PATH + "/confirm", scope=OWNER_SCOPE)
def confirm_registration(
    call: Call, path: EndpointPath, body: ChallengeGiven, database: Transactions
) -> EndpointMore:
    """Confirm a registration with the challenge that its URL received.

    The endpoint receives messages from now on.
    """
    confirmed = service.confirm_registration(database, path.endpoint, body.challenge, call.now)
    return show_details(confirmed, call.now)


@operations.add("GET", _REGISTRATION_PATH, scope=OWNER_SCOPE)
def show_registration(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Show a registered endpoint with its number of deliveries by state."""
    return endpoint_operations.show_endpoint(call, path, database)


@operations.add("POST", _REGISTRATION_PATH + "/pause", scope=OWNER_SCOPE)
def pause_registration(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Hold the deliveries of a registered endpoint until it is resumed."""
    return endpoint_operations.pause_endpoint(call, path, database)


@operations.add("POST", _REGISTRATION_PATH + "/resume", scope=OWNER_SCOPE)
def resume_registration(call: Call, path: EndpointPath, database: Transactions) -> Released:
    """Resume a registered endpoint, and send the deliveries it missed."""
    return endpoint_operations.resume_endpoint(call, path, database)


@operations.add("POST", _REGISTRATION_PATH + "/rotate", scope=OWNER_SCOPE, idempotent=True)
def rotate_registration(
    call: Call, path: EndpointPath, database: Transactions, body: SecretGiven | None = None
) -> EndpointOnce:
    """Rotate the secret of a registered endpoint; for 24 hours, the former one also signs."""
    return endpoint_operations.rotate_secret(call, path, database, body)


@operations.add("DELETE", _REGISTRATION_PATH, scope=OWNER_SCOPE, status=HTTPStatus.NO_CONTENT)
def remove_registration(call: Call, path: EndpointPath, database: Transactions) -> None:
    """Remove a registered endpoint, and revoke its token."""
    endpoint_operations.remove_endpoint(call, path, database)
