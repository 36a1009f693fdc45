"""`delivery`: list, show and retry deliveries."""

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
from calfeed.store.outbox.messages import load_bodies
from calfeed.store.reports import history

_MAX_TEXT_WIDTH = 100


@click.group()
def delivery() -> None:
    """Deliveries: each is one message for one endpoint."""


@delivery.command(name="list")
@click.option("--failed", is_flag=True, help="Only failed and expired deliveries.")
@click.option("--pending", is_flag=True, help="Only pending deliveries.")
@click.option("--held", is_flag=True, help="Only deliveries held for an inactive endpoint.")
@click.option("--endpoint", "endpoint_id", help="Only deliveries of this endpoint.")
@click.option("--event", help="Only deliveries about this event, as CALENDAR/EVENT.")
@click.option(
    "--since",
    help="Only deliveries that ended at or after this time. For a delivery that has not ended, "
    "the time of its message counts.",
)
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="The maximum number of deliveries to list.",
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
        rows = deliveries.list_deliveries(
            connection,
            endpoint_id=endpoint_id,
            states=states,
            uids=history.find_uids(connection, event) if event else None,
            since=begin,
            limit=limit,
        )
    if as_json:
        output.print_json([describe_delivery(row) for row in rows])
    elif not rows:
        click.echo("there are no such deliveries")
    else:
        head = ["delivery", "state", "attempts", "type", "endpoint", "when", "about"]
        output.print_table(head, [_cells(row) for row in rows])
        if len(rows) == limit:
            click.echo(f"the newest {limit}; --limit shows more", err=True)


@delivery.command()
@click.argument("delivery_id", type=output.NUMBER)
@output.as_json
def show(delivery_id: int, as_json: bool) -> None:
    """Show a delivery with its message and attempts."""
    with output.opened(load_settings()) as database, database.read() as connection:
        row = deliveries.find_delivery(connection, delivery_id)
        attempts = deliveries.load_attempts(connection, delivery_id)
        key = (row.message_id, row.language)
        body = load_bodies(connection, [key])[key].body
    if as_json:
        output.print_json(
            {
                **describe_delivery(row),
                "attempts": [describe_attempt(attempt) for attempt in attempts],
                "message": json.loads(body) if body else None,
            }
        )
        return
    name = name_type(row.type, rehearsal=row.rehearsal)
    click.echo(f"delivery {row.id} of {row.message_id} ({name}) to {row.endpoint_id}")
    click.echo(f"{row.state}, {_when(row)}")
    click.echo(printable(row.text))
    if not body:
        click.echo("its body was deleted")
    for attempt in attempts:
        success = "taken" if attempt.status is None else f"status {attempt.status}"
        response = f": {attempt.response}" if attempt.response else ""
        result = f"{attempt.error or success}{response}"
        line = f"{show_time(attempt.at)}  {attempt.milliseconds} ms  {result}"
        click.echo(f"  {printable(line)}")


@delivery.command()
@click.argument("delivery_ids", type=output.NUMBER, nargs=-1, metavar="[DELIVERY_ID]...")
@click.option("--endpoint", "endpoint_id", help="Retry all failed deliveries of this endpoint.")
@click.option("--since", help="With --endpoint: only those that failed since this time.")
@output.as_json
def retry(
    delivery_ids: tuple[int, ...], endpoint_id: str | None, since: str | None, as_json: bool
) -> None:
    """Retry failed deliveries. Each keeps its webhook-id."""
    if bool(delivery_ids) == bool(endpoint_id) or bool(endpoint_id) != bool(since):
        raise click.UsageError("give either delivery ids, or --endpoint ID and --since TIME")
    begin, now = output.parse_time("--since", since) if since else None, output.now()
    with output.opened(load_settings()) as database:
        if endpoint_id and begin:
            retried = retry_failed(database, endpoint_id, begin, now)
        else:
            retried = retry_deliveries(database, delivery_ids, now)
    if as_json:
        refused = [{"id": id_, "reason": reason} for id_, reason in retried.refused.items()]
        output.print_json({"pending": retried.pending, "held": retried.held, "refused": refused})
    else:
        _print(retried)
    # A refused id that the user gave is an error; with --endpoint, refusals are normal.
    if delivery_ids and retried.refused:
        sys.exit(1)


def _print(retried: RetryResult) -> None:
    for delivery_id, reason in retried.refused.items():
        click.echo(f"delivery {delivery_id} {reason}, so it is not sent again", err=True)
    if retried.held:
        click.echo(f"{count(len(retried.held), 'delivery')} held until the endpoint is resumed")
    number = len(retried.pending)
    end = "; a worker sends it at once" if number == 1 else "; a worker sends them at once"
    click.echo(f"{count(number, 'delivery')} pending again{end if number else ''}")


def _cells(row: DeliveryRow) -> list[str]:
    text = printable(row.text)
    name = name_type(row.type, rehearsal=row.rehearsal)
    return [
        *(str(row.id), row.state, str(row.attempts), name, row.endpoint_id, _when(row)),
        text if len(text) <= _MAX_TEXT_WIDTH else text[: _MAX_TEXT_WIDTH - 1] + "…",
    ]


def _when(row: DeliveryRow) -> str:
    if row.settled_at is not None:
        return f"since {show_time(row.settled_at)}"
    if row.state is DeliveryState.HELD:
        return "until it is resumed or polled"
    label = "digest" if row.state is DeliveryState.GATHERED else "next attempt"
    return f"{label} {show_time(row.next_at)}"
