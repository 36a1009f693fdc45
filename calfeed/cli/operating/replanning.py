"""`replan`: repair the effects of a wrong clock."""

from __future__ import annotations

import click

from calfeed.cli import output
from calfeed.counting import count
from calfeed.settings import load_settings


@click.command()
@output.as_json
def replan(as_json: bool) -> None:
    """Repair the effects of a wrong clock, and plan missing reminders.

    Reopens reminders that were missed before their occurrence, and deliveries that were settled at
    a future time. Workers do this too; repeating it changes nothing.
    """
    from calfeed.delivery.replanning import replan as correct

    with output.opened(load_settings()) as database:
        replanned = correct(database, output.now(), every_event=True)
    if as_json:
        output.print_json({"reminders": replanned.reminders, "deliveries": replanned.deliveries})
        return
    click.echo(
        f"{count(replanned.reminders, 'reminder')} planned again, "
        f"{count(replanned.deliveries, 'delivery')} to be sent after all"
    )
