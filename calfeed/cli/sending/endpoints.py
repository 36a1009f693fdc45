"""`endpoint`: who receives webhooks."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.secret_inputs import choose, read_url, secret_file
from calfeed.cli.sending import endpoint_views as views
from calfeed.cli.sending.endpoint_options import change, check_filters, for_adding, for_changing
from calfeed.counting import count
from calfeed.delivery.endpoint_test import probe
from calfeed.delivery.senders import check_endpoint_url, refuse_channel, warn_of_plain
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import describe_endpoint, signs_until
from calfeed.errors import InvalidInputError
from calfeed.reminders.filters import Filters
from calfeed.reminders.retry import is_received
from calfeed.reminders.signing import check_secret, make_secret
from calfeed.settings import load_settings
from calfeed.store.database import Connection
from calfeed.store.endpoints import endpoints, lifecycle
from calfeed.store.endpoints.endpoints import Endpoint
from calfeed.store.outbox import deliveries

_by_id = click.argument("endpoint_id")
_own_secret = click.option("--secret", help="A secret of your own (whsec_…) instead of a new one.")


@click.group()
def endpoint() -> None:
    """Endpoints: the URLs that webhooks are posted to."""


@endpoint.command()
@click.argument("url")
@for_adding
@_own_secret
@secret_file
@output.as_json
def add(url: str, secret: str | None, secret_file: str | None, as_json: bool, **given: Any) -> None:
    """Add an endpoint, and print its id and its secret, which is shown only now.

    Without options it gets every message of every calendar, at once. With - for URL, that is read
    from standard input.
    """
    settings = load_settings()
    bare = Endpoint(
        id="ep_" + secrets.token_hex(8),
        url=check_endpoint_url(settings, read_url(url)),
        filters=Filters(),
        secret=_make_secret(choose(secret, secret_file)),
        created=output.now(),
    )
    added = change(bare, given)
    with output.opened(settings) as database, database.write() as connection:
        check_filters(connection, added.filters)
        endpoints.add_endpoint(connection, added)
    if as_json:
        output.print_json({**describe_endpoint(added, added.created), "secret": added.secret})
    else:
        click.echo(f"endpoint {added.id} is added: {views.wants(added.filters)}")
        click.echo(f"secret   {added.secret}")
        click.echo("The secret is not shown again. The receiver verifies messages with it.")


@endpoint.command()
@_by_id
@for_changing
@output.as_json
def update(endpoint_id: str, as_json: bool, **given: Any) -> None:
    """Change what is given of an endpoint, and show what it is like then.

    One whose key is lost gets a new secret with its --url, which is shown only now.
    """
    if not any(value not in (None, (), False) for value in given.values()):
        raise click.UsageError("say what is to be different; --help lists what can be")
    settings = load_settings()
    url = given["url"]
    checked = url and check_endpoint_url(settings, read_url(url))
    made = None
    with output.opened(settings) as database, database.write() as connection:
        found = endpoints.take_endpoint(connection, endpoint_id)
        refuse_channel(found)
        if found.lost is not None and checked:
            made = _make_secret(None)
            found = found.renew(checked, made)
        changed = replace(change(found, given), url=checked or found.url)
        if changed.filters != found.filters:
            check_filters(connection, changed.filters)
        lifecycle.change_endpoint(connection, changed, output.now())
        _print(connection, endpoint_id, as_json, made)


@endpoint.command()
@_by_id
@output.as_json
def show(endpoint_id: str, as_json: bool) -> None:
    """Show an endpoint: how it stands, what it gets and how, how much waits for it."""
    with output.opened(load_settings()) as database, database.read() as connection:
        _print(connection, endpoint_id, as_json)


@endpoint.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the endpoints."""
    settings = load_settings()
    with output.opened(settings) as database, database.read() as connection:
        found = endpoints.list_endpoints(connection)
    if warning := warn_of_plain(settings, found):
        click.secho(warning, err=True, fg="yellow")
    if as_json:
        now = output.now()
        output.print_json([describe_endpoint(one, now) for one in found])
    elif not found:
        click.echo("there are no endpoints; `calfeed endpoint add URL` adds one")
    else:
        rows = [
            [
                *(one.id, views.show_state(one), show_url(one.url)),
                *(views.wants(one.filters), one.description),
            ]
            for one in found
        ]
        output.print_table(["id", "state", "receiver", "gets", "description"], rows)


@endpoint.command()
@_by_id
@output.as_json
def test(endpoint_id: str, as_json: bool) -> None:
    """Send a test message now, paused or not, and say what the receiver answered."""
    settings = load_settings()
    with output.opened(settings) as database:
        with database.read() as connection:
            found = endpoints.find_endpoint(connection, endpoint_id)
        attempt = probe(database, settings, endpoint_id, output.now)
        with database.read() as connection:
            message_id = deliveries.find_delivery(connection, attempt.delivery_id).message_id
    number = attempt.delivery_id
    held = is_received(attempt.status, attempt.error)
    if as_json:
        output.print_json(
            {
                "delivery": number,
                "message": message_id,
                "delivered": held,
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": attempt.milliseconds,
            }
        )
    elif held:
        status = "" if attempt.status is None else f"status {attempt.status} "
        click.echo(f"received: {status}after {attempt.milliseconds} ms")
    else:
        reason = attempt.error or f"the receiver answered {attempt.status}"
        click.echo(f"not received: {reason}", err=True)
        then = (
            "is tried again by a worker" if found.state == "active" else "is held with the others"
        )
        click.echo(f"It {then}; see `calfeed delivery show {number}`", err=True)
    sys.exit(0 if held else 1)


@endpoint.command()
@_by_id
@output.as_json
def pause(endpoint_id: str, as_json: bool) -> None:
    """Send nothing to an endpoint until it is resumed; what is for it is held."""
    with output.opened(load_settings()) as database, database.write() as connection:
        found = endpoints.find_endpoint(connection, endpoint_id)
        if not lifecycle.hold_endpoint(connection, endpoint_id, "paused", output.now()):
            raise InvalidInputError(
                f"endpoint {endpoint_id} is {found.state}; only an active one can be paused"
            )
        held = lifecycle.count_deliveries(connection, endpoint_id).get("held", 0)
    if as_json:
        output.print_json({"id": endpoint_id, "state": "paused", "held": held})
    else:
        click.echo(f"endpoint {endpoint_id} is paused; {_count(held)} held for it until")
        click.echo(f"`calfeed endpoint resume {endpoint_id}`, and so is what comes meanwhile")


@endpoint.command()
@_by_id
@output.as_json
def resume(endpoint_id: str, as_json: bool) -> None:
    """Send to a paused or disabled endpoint again, beginning with what it missed."""
    now = output.now()
    with output.opened(load_settings()) as database, database.write() as connection:
        found = endpoints.find_endpoint(connection, endpoint_id)
        released = lifecycle.resume_endpoint(connection, endpoint_id, now)
    if released is None:
        raise InvalidInputError(
            f"endpoint {endpoint_id} is {found.state}; there is nothing to resume"
        )
    if as_json:
        counts = {
            "sent_now": released.pending,
            "gathered": released.gathered,
            "expired": released.expired,
        }
        output.print_json({"id": endpoint_id, "state": "active", **counts})
        return
    click.echo(f"endpoint {endpoint_id} is active; {_count(released.pending)} sent to it now")
    digest = found.options.digest_after(now)
    if released.gathered and digest is not None:
        click.echo(f"{_count(released.gathered)} in its digest of {digest:%Y-%m-%d %H:%M} UTC")
    if released.expired:
        click.echo(f"{_count(released.expired)} no longer of use, and not sent")


@endpoint.command()
@_by_id
@_own_secret
@secret_file
@output.as_json
def rotate(endpoint_id: str, secret: str | None, secret_file: str | None, as_json: bool) -> None:
    """Give an endpoint another secret, and print it; for 24 hours the former one signs too."""
    now = output.now()
    made = _make_secret(choose(secret, secret_file))
    with output.opened(load_settings()) as database, database.write() as connection:
        found = endpoints.take_endpoint(connection, endpoint_id)
        refuse_channel(found)
        rotated = found.rotate(made, now)
        endpoints.save_endpoint(connection, rotated)
    until = rotated.former_until
    if as_json:
        output.print_json({**describe_endpoint(rotated, now), "secret": made})
        return
    click.echo(f"endpoint {endpoint_id} has a new secret")
    click.echo(f"secret   {made}")
    click.echo(f"It is not shown again. Until {until:%Y-%m-%d %H:%M} UTC the one before signs too.")
    if signs_until(found, now) is not None:
        click.echo("The one before that, which was still signing, does not sign any more.")


@endpoint.command()
@_by_id
def remove(endpoint_id: str) -> None:
    """Remove an endpoint; what is pending for it is dropped, and its record stays."""
    with output.opened(load_settings()) as database, database.write() as connection:
        endpoints.find_endpoint(connection, endpoint_id)
        lifecycle.remove_endpoint(connection, endpoint_id, output.now())
    click.echo(f"endpoint {endpoint_id} is removed")


def _make_secret(own: str | None) -> str:
    return check_secret(own) if own else make_secret(secrets.token_bytes(32))


def _print(
    connection: Connection, endpoint_id: str, as_json: bool, secret: str | None = None
) -> None:
    found = endpoints.find_endpoint(connection, endpoint_id)
    counts = lifecycle.count_deliveries(connection, endpoint_id)
    now = output.now()
    if as_json:
        shown = {**describe_endpoint(found, now), "deliveries": counts}
        output.print_json({**shown, "secret": secret} if secret else shown)
        return
    click.echo("\n".join(views.show(found, now, counts)))
    if secret:
        click.echo(f"new secret  {secret}")
        click.echo("The secret is not shown again. The receiver verifies messages with it.")


def _count(number: int) -> str:
    return f"{count(number, 'delivery')} {'is' if number == 1 else 'are'}"
