"""`replan`: put right what a wrong clock has settled."""

from __future__ import annotations

import click

from calfeed.cli import output
from calfeed.counting import count
from calfeed.settings import load_settings


@click.command()
@output.as_json
def replan(as_json: bool) -> None:
    """Plan again what a wrong clock has settled, and what is missing on the list of reminders.

    Reminders that were missed although their occurrence is still to come, and deliveries that were
    given up in the future. Workers do this by themselves; doing it again changes nothing.
    """
    from calfeed.delivery.replanning import replan as put_right

    with output.opened(load_settings()) as database:
        found = put_right(database, output.now(), every_event=True)
    if as_json:
        output.print_json({"reminders": found.reminders, "deliveries": found.deliveries})
        return
    click.echo(
        f"{count(found.reminders, 'reminder')} planned again, "
        f"{count(found.deliveries, 'delivery')} to be sent after all"
    )
