"""`channels`: check and show the channels file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli import output
from calfeed.cli.sending import endpoint_views as views
from calfeed.delivery.senders import load_channels
from calfeed.delivery.views import describe_endpoint
from calfeed.services.channels import find_channel_warnings
from calfeed.settings import load_settings
from calfeed.store.endpoints.records import load_endpoints

if TYPE_CHECKING:
    from calfeed.delivery.channels.file import Channel


@click.command()
@output.as_json
def channels(as_json: bool) -> None:
    """Check the channels file, and show its channels without their URLs."""
    settings = load_settings()
    loaded = load_channels(settings)
    now = output.now()
    with output.opened(settings) as database, database.read() as connection:
        for warning in find_channel_warnings(connection, loaded):
            click.secho(warning, err=True, fg="yellow")
        ids = [channel.to_endpoint(now).id for channel in loaded.values()]
        states = {key: row.state for key, row in load_endpoints(connection, ids).items()}
    if as_json:
        output.print_json([_describe(channel, states, now) for channel in loaded.values()])
    elif not loaded:
        click.echo("there are no channels; CALFEED_CHANNELS names their file")
    else:
        rows = []
        for channel in loaded.values():
            key = channel.to_endpoint(now).id
            state, wants = states.get(key, "new"), views.wants(channel.filters)
            rows.append([key, state, channel.service.kind, wants, channel.description])
        output.print_table(["id", "state", "service", "gets", "description"], rows)


def _describe(channel: Channel, states: Mapping[str, str], now: datetime) -> dict[str, Any]:
    described = describe_endpoint(channel.to_endpoint(now), now)
    key = described["id"]
    return {
        "id": key,
        "state": states.get(key),
        "service": channel.service.kind,
        **{name: described[name] for name in ("description", "filters", "options")},
    }
