"""`delivery`: what was sent to whom, and what came of it."""

from __future__ import annotations

import json
from typing import Any

import click

from calfeed.cli import output
from calfeed.errors import InvalidInputError
from calfeed.settings import load_settings
from calfeed.store import claims, deliveries
from calfeed.store.deliveries import DeliveryRow


@click.group()
def delivery() -> None:
    """Deliveries: one message for one endpoint each."""


@delivery.command(name="list")
@click.option("--endpoint", "endpoint_id", help="Only those of this endpoint.")
@click.option("--failed", is_flag=True, help="Only those that ended without success.")
@click.option("--pending", is_flag=True, help="Only those still to be delivered.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="How many at most.",
)
@output.as_json
def list_(endpoint_id: str | None, failed: bool, pending: bool, limit: int, as_json: bool) -> None:
    """List deliveries, newest first."""
    states = [*(["failed", "expired"] if failed else []), *(["pending"] if pending else [])]
    with output.opened(load_settings()) as database, database.read() as connection:
        found = deliveries.list_deliveries(
            connection, endpoint_id=endpoint_id, states=states, limit=limit
        )
    if as_json:
        output.print_json([_describe(row) for row in found])
    elif not found:
        click.echo("there are no such deliveries")
    else:
        rows = [
            [str(row.id), row.state, str(row.attempts), row.type, row.endpoint_id, _when(row)]
            for row in found
        ]
        output.print_table(["delivery", "state", "attempts", "type", "endpoint", "when"], rows)


@delivery.command()
@click.argument("delivery_id", type=int)
@output.as_json
def show(delivery_id: int, as_json: bool) -> None:
    """Show a delivery: its message, and every attempt."""
    with output.opened(load_settings()) as database, database.read() as connection:
        row = deliveries.find_delivery(connection, delivery_id)
        made = deliveries.load_attempts(connection, delivery_id)
        body = claims.load_messages(connection, [row.message_id])[row.message_id].body
    if as_json:
        entries = [
            {
                "at": attempt.at.isoformat(),
                "milliseconds": attempt.milliseconds,
                "status": attempt.status,
                "error": attempt.error,
                "response": attempt.response,
            }
            for attempt in made
        ]
        output.print_json({**_describe(row), "attempts": entries, "message": json.loads(body)})
        return
    click.echo(f"delivery {row.id} of {row.message_id} ({row.type}) to {row.endpoint_id}")
    click.echo(f"{row.state}, {_when(row)}")
    click.echo(json.loads(body).get("data", {}).get("text", ""))
    for attempt in made:
        result = attempt.error or f"status {attempt.status}"
        start = f": {attempt.response[:100]!r}" if attempt.response else ""
        click.echo(f"  {attempt.at:%Y-%m-%d %H:%M:%SZ}  {attempt.milliseconds} ms  {result}{start}")


@delivery.command()
@click.argument("delivery_id", type=int)
def retry(delivery_id: int) -> None:
    """Send a delivery that failed again, under its own webhook-id."""
    with output.opened(load_settings()) as database, database.write() as connection:
        row = deliveries.find_delivery(connection, delivery_id)
        if not deliveries.retry(connection, delivery_id, output.now()):
            raise InvalidInputError(
                f"delivery {delivery_id} {_REASONS[row.state]}, so it is not sent again; "
                "that is for deliveries that failed"
            )
    click.echo(f"delivery {delivery_id} is pending again; a worker sends it at once")


_REASONS = {
    "pending": "is pending",
    "delivered": "was delivered",
    "expired": "came too late to be of use",
    "superseded": "says what is no longer true",
    "dropped": "has lost its endpoint",
}


def _when(row: DeliveryRow) -> str:
    if row.settled_at is not None:
        return f"since {row.settled_at:%Y-%m-%d %H:%M:%SZ}"
    return f"next attempt {row.next_at:%Y-%m-%d %H:%M:%SZ}"


def _describe(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "message": row.message_id,
        "endpoint": row.endpoint_id,
        "type": row.type,
        "state": row.state,
        "attempts": row.attempts,
        "next_at": row.next_at.isoformat() if row.state == "pending" else None,
        "settled_at": row.settled_at.isoformat() if row.settled_at else None,
    }
