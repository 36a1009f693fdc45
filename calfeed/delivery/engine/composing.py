"""Composers: make the requests to endpoints that are no webhooks, each kind in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from calfeed.delivery.transport.sender import Request
from calfeed.model.states import EndpointKind
from calfeed.store.database import Connection
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.outbox.claims import Claim
from calfeed.store.outbox.messages import StoredMessage


class InFlightDelivery(NamedTuple):
    """A claimed delivery that is being sent; its repr leaves out the URL.

    `until` is when its message stops being relevant, `failing_since` since when its endpoint fails.
    """

    claim: Claim
    url: str
    until: datetime | None
    failing_since: datetime | None
    kind: EndpointKind = EndpointKind.WEBHOOK

    def __repr__(self) -> str:
        return f"InFlightDelivery({self.claim!r})"


class Outgoing(NamedTuple):
    """A claimed delivery whose request is to be composed, with its message and its endpoint."""

    delivery: InFlightDelivery
    message: StoredMessage
    endpoint: Endpoint


Composer: TypeAlias = Callable[[Connection, Sequence[Outgoing]], list[Request]]
"""Composes the requests to endpoints of one kind, within the transaction of the claim."""

Composers: TypeAlias = Mapping[EndpointKind, Composer]
"""The composers of the kinds that this process sends to, besides webhooks."""
