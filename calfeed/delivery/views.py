"""Endpoints, deliveries and receipts as JSON: for the commands and for the API.

No secret is in it, no value of a header, and of a URL only what is safe to show.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from calfeed.delivery.transport.guard import show_url
from calfeed.model.states import DeliveryState
from calfeed.reminders.option_texts import show_digest, show_quiet
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.outbox.claims import Attempt
from calfeed.store.outbox.deliveries import DeliveryRow
from calfeed.store.reports.history import Receipt


def describe_endpoint(one: Endpoint, now: datetime) -> dict[str, Any]:
    """An endpoint as it is at `now`."""
    options = one.options
    return {
        "id": one.id,
        "state": one.state,
        "since": write(one.since or one.created),
        "reason": one.lost or one.reason,
        "failing_since": write(one.failing_since),
        "url": show_url(one.url),
        "description": one.description,
        "created": write(one.created),
        "filters": one.filters.model_dump(mode="json"),
        "options": {
            "rate": options.rate,
            "time_zone": options.time_zone,
            "quiet": show_quiet(options.quiet) if options.quiet else None,
            "digest": show_digest(options.digest) if options.digest else None,
        },
        "headers": list(one.headers),
        "former_secret_until": write(signs_until(one, now)),
    }


def signs_until(one: Endpoint, now: datetime) -> datetime | None:
    """Until when the secret before this one signs too; None where it does no longer."""
    return one.former_until if len(one.secrets_at(now)) > 1 else None


def describe_delivery(row: DeliveryRow) -> dict[str, Any]:
    """A delivery."""
    return {
        "id": row.id,
        "message": row.message_id,
        "endpoint": row.endpoint_id,
        "type": row.type,
        "rehearsal": row.rehearsal,
        "text": row.text,
        "at": write(row.at),
        "state": row.state,
        "attempts": row.attempts,
        "next_at": _next_at(row),
        "settled_at": write(row.settled_at),
        "digest": row.digest,
    }


def describe_attempt(attempt: Attempt) -> dict[str, Any]:
    """An attempt, with the start of what was answered."""
    return {
        "at": write(attempt.at),
        "milliseconds": attempt.milliseconds,
        "status": attempt.status,
        "error": attempt.error,
        "response": attempt.response,
    }


def describe_receipt(one: Receipt) -> dict[str, Any]:
    """What became of a message for one endpoint."""
    return {
        "id": one.delivery_id,
        "endpoint": one.endpoint_id,
        "url": show_url(one.url),
        "state": one.state,
        "attempts": one.attempts,
        "received_at": write(one.received_at),
        "next_at": _next_at(one),
        "settled_at": write(one.settled_at),
        "digest": one.digest,
    }


def _next_at(one: DeliveryRow | Receipt) -> str | None:
    waits = one.state in (DeliveryState.PENDING, DeliveryState.GATHERED)
    return write(one.next_at) if waits else None


def write(moment: datetime | None) -> str | None:
    """A time as JSON has it, or None."""
    return moment.isoformat() if moment else None
