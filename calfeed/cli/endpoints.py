"""`endpoint`: who receives webhooks."""

from __future__ import annotations

import random
import secrets
import sys
from typing import Any

import click

from calfeed.cli import output
from calfeed.delivery.guard import check_url, show_url
from calfeed.delivery.posting import post_now
from calfeed.delivery.sender import Sender
from calfeed.errors import InvalidInputError
from calfeed.reminders.filters import MESSAGE_TYPES, Filters
from calfeed.reminders.messages import probe_message
from calfeed.reminders.signing import check_secret, make_secret
from calfeed.settings import load_settings
from calfeed.store import catalog, endpoints, outbox, standing
from calfeed.store.database import Connection
from calfeed.store.endpoints import Endpoint


@click.group()
def endpoint() -> None:
    """Endpoints: the URLs that webhooks are posted to."""


@endpoint.command()
@click.argument("url")
@click.option("--calendar", "calendars", multiple=True, help="Only this calendar; repeatable.")
@click.option("--category", "categories", multiple=True, help="Only this category; repeatable.")
@click.option("--event", "events", multiple=True, help="Only this event, as CALENDAR/EVENT.")
@click.option("--type", "types", multiple=True, help="Only this message type; repeatable.")
@click.option("--description", default="", help="Whose it is, for your own lists.")
@click.option("--secret", help="A secret of your own (whsec_…) instead of a new one.")
@output.as_json
def add(
    url: str,
    calendars: tuple[str, ...],
    categories: tuple[str, ...],
    events: tuple[str, ...],
    types: tuple[str, ...],
    description: str,
    secret: str | None,
    as_json: bool,
) -> None:
    """Add an endpoint, and print its id and its secret, which is shown only now.

    Without options it gets every message of every calendar.
    """
    settings = load_settings()
    added = Endpoint(
        id="ep_" + secrets.token_hex(8),
        url=check_url(url, settings.allow_private_endpoints),
        filters=Filters(calendars=calendars, categories=categories, events=events, types=types),
        secret=check_secret(secret) if secret else make_secret(secrets.token_bytes(32)),
        created=output.now(),
        description=description,
    )
    with output.opened(settings) as database, database.write() as connection:
        _check_filters(connection, added.filters)
        endpoints.add_endpoint(connection, added)
    if as_json:
        output.print_json({**_describe(added), "secret": added.secret})
    else:
        click.echo(f"endpoint {added.id} is added: {_wants(added.filters)}")
        click.echo(f"secret   {added.secret}")
        click.echo("The secret is not shown again. The receiver verifies messages with it.")


@endpoint.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the endpoints."""
    with output.opened(load_settings()) as database, database.read() as connection:
        found = endpoints.list_endpoints(connection)
    if as_json:
        output.print_json([_describe(one) for one in found])
    elif not found:
        click.echo("there are no endpoints; `calfeed endpoint add URL` adds one")
    else:
        rows = [
            [one.id, one.state, show_url(one.url), _wants(one.filters), one.description]
            for one in found
        ]
        output.print_table(["id", "state", "receiver", "gets", "description"], rows)


@endpoint.command()
@click.argument("endpoint_id")
@output.as_json
def test(endpoint_id: str, as_json: bool) -> None:
    """Send a test message now, and say what the receiver answered."""
    settings = load_settings()
    with output.opened(settings) as database:
        with database.write() as connection:
            found = endpoints.find_endpoint(connection, endpoint_id)
            if found.state != "active":
                raise InvalidInputError(f"endpoint {endpoint_id} is {found.state}")
            message = probe_message(endpoint_id, output.now(), secrets.token_hex(8))
            number = outbox.add_delivery(connection, message, endpoint_id)
        with Sender(allow_private=settings.allow_private_endpoints) as sender:
            attempt = post_now(database, sender, number, output.now, random.random)
    held = attempt.status is not None and 200 <= attempt.status < 300
    if as_json:
        output.print_json(
            {
                "delivery": number,
                "message": message.id,
                "delivered": held,
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": attempt.milliseconds,
            }
        )
    elif held:
        click.echo(f"received: status {attempt.status} after {attempt.milliseconds} ms")
    else:
        reason = attempt.error or f"the receiver answered {attempt.status}"
        click.echo(f"not received: {reason}", err=True)
        click.echo(f"It is tried again by a worker; see `calfeed delivery show {number}`", err=True)
    sys.exit(0 if held else 1)


@endpoint.command()
@click.argument("endpoint_id")
def remove(endpoint_id: str) -> None:
    """Remove an endpoint; what is pending for it is dropped, and its record stays."""
    with output.opened(load_settings()) as database, database.write() as connection:
        endpoints.find_endpoint(connection, endpoint_id)
        standing.remove_endpoint(connection, endpoint_id, output.now())
    click.echo(f"endpoint {endpoint_id} is removed")


def _check_filters(connection: Connection, filters: Filters) -> None:
    """Refuse a filter that nothing could ever pass because of a slip."""
    calendars = catalog.load_calendars(connection)
    problems = [
        f'there is no calendar "{slug}"; there are {", ".join(calendars) or "none yet"}'
        for slug in filters.calendars
        if slug not in calendars
    ]
    problems += [
        f'"{name}" is not a message type; there are {", ".join(MESSAGE_TYPES)}'
        for name in filters.types
        if name not in MESSAGE_TYPES
    ]
    known = {
        f"{row.calendar}/{row.slug}"
        for row in (catalog.load_events(connection) if filters.events else [])
    }
    problems += [
        f'there is no event "{name}"; write it as CALENDAR/EVENT'
        for name in filters.events
        if name not in known
    ]
    if problems:
        raise InvalidInputError("\n".join(problems))


def _wants(filters: Filters) -> str:
    parts = [
        f"{name} {' or '.join(values)}"
        for name, values in (
            ("calendar", filters.calendars),
            ("category", filters.categories),
            ("event", filters.events),
            ("type", filters.types),
        )
        if values
    ]
    return ", ".join(parts) or "everything"


def _describe(one: Endpoint) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "url": show_url(one.url),
        "description": one.description,
        "created": one.created.isoformat(),
        "filters": one.filters.model_dump(mode="json"),
    }
