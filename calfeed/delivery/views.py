"""Endpoints, deliveries, attempts and receipts as JSON, for the commands and the API.

Leaves out secrets, header values and the parts of URLs that can hold a token.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from calfeed.delivery.transport.guard import show_url
from calfeed.model.states import DeliveryState, EndpointKind
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.outbox.claims import Attempt
from calfeed.store.outbox.deliveries import DeliveryRow
from calfeed.store.reports.history import Receipt


def describe_endpoint(endpoint: Endpoint, now: datetime) -> dict[str, Any]:
    """Return an endpoint as JSON, with its state at `now`."""
    return {
        "id": endpoint.id,
        "state": endpoint.state,
        "since": format_time(endpoint.since or endpoint.created),
        "reason": endpoint.lost or endpoint.reason,
        "failing_since": format_time(endpoint.failing_since),
        "url": show_url(endpoint.url),
        "description": endpoint.description,
        "created": format_time(endpoint.created),
        "filters": endpoint.filters.model_dump(mode="json"),
        "options": endpoint.options.shown,
        "headers": list(endpoint.headers),
        "public_key": endpoint.public_key,
        "former_secret_until": format_time(former_secret_until(endpoint, now)),
    }


def former_secret_until(endpoint: Endpoint, now: datetime) -> datetime | None:
    """Return the time until which the former secret also signs; None if it no longer does."""
    return endpoint.former_until if len(endpoint.secrets_at(now)) > 1 else None


def describe_delivery(row: DeliveryRow) -> dict[str, Any]:
    """A delivery as JSON."""
    return {
        "id": row.id,
        "message": row.message_id,
        "endpoint": row.endpoint_id,
        "type": row.type,
        "rehearsal": row.rehearsal,
        "text": row.text,
        "at": format_time(row.at),
        "state": row.state,
        "attempts": row.attempts,
        "next_at": _next_at(row),
        "settled_at": format_time(row.settled_at),
        "digest": row.digest,
    }


def describe_attempt(attempt: Attempt) -> dict[str, Any]:
    """An attempt, with the start of the response."""
    return {
        "at": format_time(attempt.at),
        "milliseconds": attempt.milliseconds,
        "status": attempt.status,
        "error": attempt.error,
        "response": attempt.response,
    }


def describe_receipt(receipt: Receipt) -> dict[str, Any]:
    """The delivery of a message to one endpoint."""
    return {
        "id": receipt.delivery_id,
        "endpoint": receipt.endpoint_id,
        "url": _name_receiver(receipt),
        "state": receipt.state,
        "attempts": receipt.attempts,
        "received_at": format_time(receipt.received_at),
        "next_at": _next_at(receipt),
        "settled_at": format_time(receipt.settled_at),
        "digest": receipt.digest,
    }


def _name_receiver(receipt: Receipt) -> str:
    is_person = receipt.kind is EndpointKind.MAIL
    return receipt.description if is_person else show_url(receipt.url)


def _next_at(delivery: DeliveryRow | Receipt) -> str | None:
    waits = delivery.state in (DeliveryState.PENDING, DeliveryState.GATHERED)
    return format_time(delivery.next_at) if waits else None


def format_time(moment: datetime | None) -> str | None:
    """A time in ISO 8601, or None."""
    return moment.isoformat() if moment else None
