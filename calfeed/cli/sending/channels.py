"""`channels`: chats, mail and the like, which only the operator's file can name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli import output
from calfeed.cli.sending import endpoint_views as views
from calfeed.delivery.senders import load_channels
from calfeed.delivery.views import describe_endpoint
from calfeed.services.channels import find_channel_slips
from calfeed.settings import load_settings
from calfeed.store.endpoints.records import load_endpoints

if TYPE_CHECKING:
    from calfeed.delivery.channels.file import Channel


@click.command()
@output.as_json
def channels(as_json: bool) -> None:
    """Check the file of the channels, and show what it has; their addresses are not shown."""
    settings = load_settings()
    found = load_channels(settings)
    now = output.now()
    with output.opened(settings) as database, database.read() as connection:
        for line in find_channel_slips(connection, found):
            click.secho(line, err=True, fg="yellow")
        ids = [one.to_endpoint(now).id for one in found.values()]
        states = {key: one.state for key, one in load_endpoints(connection, ids).items()}
    if as_json:
        output.print_json([_describe(one, states, now) for one in found.values()])
    elif not found:
        click.echo("there are no channels; CALFEED_CHANNELS names the file that has them")
    else:
        rows = []
        for one in found.values():
            key = one.to_endpoint(now).id
            state = states.get(key, "new")
            rows.append([key, state, one.service.kind, views.wants(one.filters), one.description])
        output.print_table(["id", "state", "service", "gets", "description"], rows)


def _describe(one: Channel, states: Mapping[str, str], now: datetime) -> dict[str, Any]:
    described = describe_endpoint(one.to_endpoint(now), now)
    key = described["id"]
    return {
        "id": key,
        "state": states.get(key),
        "service": one.service.kind,
        **{name: described[name] for name in ("description", "filters", "options")},
    }
