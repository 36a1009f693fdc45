"""`status`: which processes run, and what waits to be sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli import output
from calfeed.counting import count
from calfeed.settings import load_settings

if TYPE_CHECKING:
    from calfeed.services.watching.status import Status


@click.command()
@output.as_json
def status(as_json: bool) -> None:
    """Show which web servers and workers run, what is due next, and what waits to be sent."""
    from calfeed.services.watching.status import load_status

    with output.opened(load_settings()) as database:
        found = load_status(database, output.now())
    if as_json:
        output.print_json(_as_json(found))
    else:
        _print(found)


def _print(found: Status) -> None:
    measures = found.measures
    for one in measures.processes:
        silent = "" if one.is_alive(found.now) else f"; silent since {_format(one.beaten)}"
        click.echo(
            f"{one.kind:9}  {one.host} ({one.pid}), calfeed {one.version}, "
            f"since {_format(one.started)}{silent}"
        )
    if not measures.processes:
        click.echo(f"{'processes':9}  no web server and no worker is running")
    click.echo(f"{'published':9}  {_format(measures.last_publish)}")
    if measures.refusal is not None:
        click.echo(
            f"{'refused':9}  since {_format(measures.refusal.at)}: nothing is published until "
            "the definitions are corrected; `calfeed check` shows what is wrong"
        )
    click.echo(f"{'reminder':9}  {_format(measures.next_reminder)}")
    overdue = f"for {found.lag // _SECOND} seconds" if found.lag else "nothing"
    click.echo(f"{'overdue':9}  {overdue}")
    waiting = ", ".join(f"{number:,} {state}" for state, number in measures.unfinished.items())
    age = f"; the oldest is {found.oldest_age // _SECOND} seconds old" if found.oldest_age else ""
    click.echo(f"{'waiting':9}  {waiting}{age}")
    for (kind, state), number in sorted(measures.endpoints.items()):
        click.echo(f"{'endpoints':9}  {count(number, f'{state} {kind}')}")


_SECOND = timedelta(seconds=1)


def _format(at: datetime | None) -> str:
    return "none" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _as_json(found: Status) -> dict[str, Any]:
    measures = found.measures
    return {
        "processes": [
            {
                "id": one.id,
                "kind": one.kind,
                "host": one.host,
                "pid": one.pid,
                "version": one.version,
                "started": one.started.isoformat(),
                "last_heartbeat": one.beaten.isoformat(),
                "alive": one.is_alive(found.now),
            }
            for one in measures.processes
        ],
        "last_publish": _in_json(measures.last_publish),
        "refused_since": _in_json(measures.refusal.at if measures.refusal else None),
        "next_reminder": _in_json(measures.next_reminder),
        "overdue_seconds": found.lag.total_seconds(),
        "overdue_reminders": measures.overdue_reminders,
        "unfinished_deliveries": dict(measures.unfinished),
        "oldest_pending_seconds": found.oldest_age.total_seconds(),
        "endpoints": [
            {"kind": kind, "state": state, "number": number}
            for (kind, state), number in sorted(measures.endpoints.items())
        ],
    }


def _in_json(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
