"""`channels`: chats, mail and the like, which only the operator's file can name."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from calfeed.cli import output
from calfeed.cli.sending import endpoint_views as views
from calfeed.cli.sending.endpoint_options import check_filters
from calfeed.delivery.senders import load_channels
from calfeed.delivery.views import describe_endpoint
from calfeed.errors import InvalidInputError
from calfeed.settings import load_settings
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.channels import register_channels
from calfeed.store.endpoints.endpoints import load_endpoints

if TYPE_CHECKING:
    from calfeed.delivery.channels.file import Channel

_log = logging.getLogger(__name__)


@click.command()
@output.as_json
def channels(as_json: bool) -> None:
    """Check the file of the channels, and show what it has; their addresses are not shown."""
    settings = load_settings()
    found = load_channels(settings)
    now = output.now()
    with output.opened(settings) as database, database.read() as connection:
        for line in _find_slips(connection, found):
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


def register(database: Database, found: Mapping[str, Channel], now: datetime) -> None:
    """Keep channels as endpoints, and log what is new, is different or cannot be meant."""
    if not found:
        return
    wanted = [one.to_endpoint(now) for one in found.values()]
    with database.write() as connection:
        done = register_channels(connection, wanted, now)
        slips = _find_slips(connection, found)
    for words, ids in (("is added", done.added), ("is changed", done.changed)):
        for key in ids:
            _log.info("channel %s %s", key, words)
    for slip in slips:
        _log.warning("%s", slip)


def _find_slips(connection: Connection, found: Mapping[str, Channel]) -> list[str]:
    """What channels ask for that nothing is published of, at least not yet."""
    slips = []
    for name, one in found.items():
        try:
            check_filters(connection, one.filters)
        except InvalidInputError as error:
            slips += [f"channel {name}: {line}" for line in str(error).splitlines()]
    return slips


def _describe(one: Channel, states: Mapping[str, str], now: datetime) -> dict[str, Any]:
    described = describe_endpoint(one.to_endpoint(now), now)
    key = described["id"]
    return {
        "id": key,
        "state": states.get(key),
        "service": one.service.kind,
        **{name: described[name] for name in ("description", "filters", "options")},
    }
