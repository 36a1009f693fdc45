"""Composers make the requests to endpoints other than webhooks, one composer for each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.transport.sender import Request
from calfeed.model.states import EndpointKind
from calfeed.store.database import Connection
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.outbox.claims import Claim
from calfeed.store.outbox.messages import StoredMessage


class InFlightDelivery(NamedTuple):
    """A claimed delivery that is being sent; its repr leaves out the URL.

    `until` is the time at which its message stops being relevant; `failing_since` is the time since
    which its endpoint has been failing.
    """

    claim: Claim
    url: str
    until: datetime | None
    failing_since: datetime | None
    kind: EndpointKind = EndpointKind.WEBHOOK

    def __repr__(self) -> str:
        return f"InFlightDelivery({self.claim!r})"

    def __str__(self) -> str:
        """Return the delivery's name for logs, in which a person is only an id, not an address."""
        person = self.kind is EndpointKind.MAIL
        receiver = self.claim.endpoint_id if person else show_url(self.url)
        return f"delivery {self.claim.delivery_id} to {receiver}"


class Outgoing(NamedTuple):
    """A claimed delivery whose request is to be composed, with its message and its endpoint."""

    delivery: InFlightDelivery
    message: StoredMessage
    endpoint: Endpoint

    @property
    def claim(self) -> Claim:
        return self.delivery.claim


class Composed(NamedTuple):
    """Requests that can be sent, and the times (UTC) until which other deliveries are postponed."""

    requests: list[Request]
    postponed: Mapping[Claim, datetime]


class Composer(Protocol):
    """Composes the requests to endpoints of one kind."""

    def compose(
        self, connection: Connection, outgoing: Sequence[Outgoing], now: datetime
    ) -> Composed:
        """Compose requests within the transaction of the claim."""


Composers: TypeAlias = Mapping[EndpointKind, Composer]
"""The composers that this process has, by kind of endpoint; webhooks need none."""
