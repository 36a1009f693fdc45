"""Registrations: endpoints that anybody may add, and that have to confirm that they want messages.

What is registered is unverified. It is sent one message, with a challenge, and nothing else
until whoever registered it gives the challenge back, and so has seen what its URL receives.
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import Field

from calfeed.delivery.views import describe_endpoint
from calfeed.services import registrations as service
from calfeed.services.endpoints import OWNER_SCOPE
from calfeed.store.database import Transactions
from calfeed.web.api.fields import Line, Url
from calfeed.web.api.operations import Call, Given, Operations, as_example
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
    read_values,
    show_details,
)
from calfeed.web.networks import name_network

operations = Operations()

RATE = "10 per hour"
"""How many registrations an address may make in each process."""

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
def register_endpoint(call: Call, body: RegistrationGiven, database: Transactions) -> Registration:
    """Register an endpoint for public calendars.

    It receives one message, `endpoint.verify`. Confirm the registration with the challenge in it
    within an hour; until then it is sent nothing else, and what is not confirmed is dropped.
    Where very many wait, the oldest of the network that has most of them is dropped before.
    """
    call.backend.limit_registrations()
    values = read_values(body)
    made = service.register_endpoint(database, call.backend.urls, values, name_network(), call.now)
    shown = describe_endpoint(made.endpoint, call.now)
    return Registration.model_validate(
        {**shown, "secret": made.endpoint.secret, "token": made.token}
    )


@operations.add("POST", _ONE + "/confirm", scope=OWNER_SCOPE)
def confirm_registration(
    call: Call, path: EndpointPath, body: ChallengeGiven, database: Transactions
) -> EndpointMore:
    """Confirm a registration with the challenge that its URL received.

    From then on it receives messages.
    """
    confirmed = service.confirm_registration(database, path.endpoint, body.challenge, call.now)
    return show_details(confirmed, call.now)


@operations.add("GET", _ONE, scope=OWNER_SCOPE)
def show_registration(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Show one's endpoint, and how many deliveries it has in each state."""
    return managing.show_endpoint(call, path, database)


@operations.add("POST", _ONE + "/pause", scope=OWNER_SCOPE)
def pause_registration(call: Call, path: EndpointPath, database: Transactions) -> EndpointMore:
    """Send nothing to one's endpoint until it is resumed; what is for it is held."""
    return managing.pause_endpoint(call, path, database)


@operations.add("POST", _ONE + "/resume", scope=OWNER_SCOPE)
def resume_registration(call: Call, path: EndpointPath, database: Transactions) -> Released:
    """Send to one's endpoint again, beginning with what it missed."""
    return managing.resume_endpoint(call, path, database)


@operations.add("POST", _ONE + "/rotate", scope=OWNER_SCOPE, once=True)
def rotate_registration(
    call: Call, path: EndpointPath, database: Transactions, body: SecretGiven | None = None
) -> EndpointOnce:
    """Give one's endpoint another secret; for 24 hours the former one signs too."""
    return managing.rotate_secret(call, path, database, body)


@operations.add("DELETE", _ONE, scope=OWNER_SCOPE, status=HTTPStatus.NO_CONTENT)
def remove_registration(call: Call, path: EndpointPath, database: Transactions) -> None:
    """Remove one's endpoint, and revoke its token."""
    managing.remove_endpoint(call, path, database)
