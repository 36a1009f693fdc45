"""`delivery`: what was sent to whom, and what came of it."""

from __future__ import annotations

import json
import sys

import click

from calfeed.cli import output
from calfeed.cli.delivery_output import name_type, printable, show_time
from calfeed.counting import count
from calfeed.delivery.views import describe_attempt, describe_delivery
from calfeed.model.states import DeliveryState
from calfeed.services.deliveries import retry_deliveries, retry_failed
from calfeed.settings import load_settings
from calfeed.store.outbox import deliveries
from calfeed.store.outbox.deliveries import DeliveryRow, RetryResult
from calfeed.store.outbox.messages import load_messages
from calfeed.store.reports import history


@click.group()
def delivery() -> None:
    """Deliveries: one message for one endpoint each."""


@delivery.command(name="list")
@click.option("--failed", is_flag=True, help="Only those that ended without success.")
@click.option("--pending", is_flag=True, help="Only those still to be delivered.")
@click.option("--held", is_flag=True, help="Only those held for an endpoint that is not active.")
@click.option("--endpoint", "endpoint_id", help="Only those of this endpoint.")
@click.option("--event", help="Only those about this event, as CALENDAR/EVENT.")
@click.option("--since", help="Only what ended, or is for a message made, from this time on.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="How many at most.",
)
@output.as_json
def list_(
    failed: bool,
    pending: bool,
    held: bool,
    endpoint_id: str | None,
    event: str | None,
    since: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List deliveries, newest first."""
    states = [
        *([DeliveryState.FAILED, DeliveryState.EXPIRED] if failed else []),
        *([DeliveryState.PENDING] if pending else []),
        *([DeliveryState.HELD] if held else []),
    ]
    begin = output.parse_time("--since", since) if since else None
    with output.opened(load_settings()) as database, database.read() as connection:
        found = deliveries.list_deliveries(
            connection,
            endpoint_id=endpoint_id,
            states=states,
            uids=history.find_uids(connection, event) if event else None,
            since=begin,
            limit=limit,
        )
    if as_json:
        output.print_json([describe_delivery(row) for row in found])
    elif not found:
        click.echo("there are no such deliveries")
    else:
        head = ["delivery", "state", "attempts", "type", "endpoint", "when", "about"]
        output.print_table(head, [_cells(row) for row in found])
        if len(found) == limit:
            click.echo(f"the newest {limit}; --limit shows more", err=True)


@delivery.command()
@click.argument("delivery_id", type=int)
@output.as_json
def show(delivery_id: int, as_json: bool) -> None:
    """Show a delivery: its message, and every attempt."""
    with output.opened(load_settings()) as database, database.read() as connection:
        row = deliveries.find_delivery(connection, delivery_id)
        made = deliveries.load_attempts(connection, delivery_id)
        body = load_messages(connection, [row.message_id])[row.message_id].body
    if as_json:
        output.print_json(
            {
                **describe_delivery(row),
                "attempts": [describe_attempt(attempt) for attempt in made],
                "message": json.loads(body) if body else None,
            }
        )
        return
    name = name_type(row.type, rehearsal=row.rehearsal)
    click.echo(f"delivery {row.id} of {row.message_id} ({name}) to {row.endpoint_id}")
    click.echo(f"{row.state}, {_when(row)}")
    click.echo(printable(row.text))
    if not body:
        click.echo("its body is no longer kept")
    for attempt in made:
        taken = "taken" if attempt.status is None else f"status {attempt.status}"
        result = attempt.error or taken
        start = f": {attempt.response}" if attempt.response else ""
        line = f"{show_time(attempt.at)}  {attempt.milliseconds} ms  {result}{start}"
        click.echo(f"  {printable(line)}")


@delivery.command()
@click.argument("delivery_ids", type=int, nargs=-1, metavar="[DELIVERY_ID]...")
@click.option("--endpoint", "endpoint_id", help="All that ended in vain for this endpoint …")
@click.option("--since", help="… from this time on.")
@output.as_json
def retry(
    delivery_ids: tuple[int, ...], endpoint_id: str | None, since: str | None, as_json: bool
) -> None:
    """Send deliveries that failed again, each under its own webhook-id."""
    if bool(delivery_ids) == bool(endpoint_id) or bool(endpoint_id) != bool(since):
        raise click.UsageError("say which: either their numbers, or --endpoint ID and --since TIME")
    begin, now = output.parse_time("--since", since) if since else None, output.now()
    with output.opened(load_settings()) as database:
        if endpoint_id and begin:
            done = retry_failed(database, endpoint_id, begin, now)
        else:
            done = retry_deliveries(database, delivery_ids, now)
    if as_json:
        refused = [{"id": number, "reason": why} for number, why in done.refused.items()]
        output.print_json({"pending": done.pending, "held": done.held, "refused": refused})
    else:
        _say(done)
    # A number that was named and is refused is a mistake; of all that failed some may well be.
    if delivery_ids and done.refused:
        sys.exit(1)


def _say(done: RetryResult) -> None:
    for number, why in done.refused.items():
        click.echo(f"delivery {number} {why}, so it is not sent again", err=True)
    if done.held:
        click.echo(f"{count(len(done.held), 'delivery')} held until the endpoint is resumed")
    number = len(done.pending)
    end = "; a worker sends it at once" if number == 1 else "; a worker sends them at once"
    click.echo(f"{count(number, 'delivery')} pending again{end if number else ''}")


def _cells(row: DeliveryRow) -> list[str]:
    text = printable(row.text)
    name = name_type(row.type, rehearsal=row.rehearsal)
    return [
        *(str(row.id), row.state, str(row.attempts), name, row.endpoint_id, _when(row)),
        text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…",
    ]


_WIDTH = 100


def _when(row: DeliveryRow) -> str:
    if row.settled_at is not None:
        return f"since {show_time(row.settled_at)}"
    if row.state is DeliveryState.HELD:
        return "until it is resumed"
    what = "digest" if row.state is DeliveryState.GATHERED else "next attempt"
    return f"{what} {show_time(row.next_at)}"
