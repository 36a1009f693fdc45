"""`endpoint`: who receives webhooks."""

from __future__ import annotations

import sys
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.secret_inputs import choose, secret_file
from calfeed.cli.sending import endpoint_views as views
from calfeed.cli.sending.endpoint_options import for_adding, for_changing, read_values
from calfeed.counting import count
from calfeed.delivery.senders import url_rules, warn_of_plain
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import describe_endpoint, signs_until
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.retry import is_received
from calfeed.services import endpoints as service
from calfeed.services.endpoints import EndpointDetails
from calfeed.settings import load_settings
from calfeed.store.endpoints.records import list_endpoints

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
def add(secret: str | None, secret_file: str | None, as_json: bool, **given: Any) -> None:
    """Add an endpoint, and print its id and its secret, which is shown only now.

    Without options it gets every message of every calendar, at once. With - for URL, that is read
    from standard input.
    """
    settings, values, own = load_settings(), read_values(given), choose(secret, secret_file)
    with output.opened(settings) as database:
        added = service.add_endpoint(database, url_rules(settings), values, output.now(), own)
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
    settings, values = load_settings(), read_values(given)
    with output.opened(settings) as database:
        changed = service.change_endpoint(
            database, url_rules(settings), endpoint_id, values, output.now()
        )
    _print(changed, as_json)


@endpoint.command()
@_by_id
@output.as_json
def show(endpoint_id: str, as_json: bool) -> None:
    """Show an endpoint: how it stands, what it gets and how, how much waits for it."""
    with output.opened(load_settings()) as database:
        shown = service.show_endpoint(database, endpoint_id)
    _print(shown, as_json)


@endpoint.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the endpoints."""
    settings = load_settings()
    with output.opened(settings) as database, database.read() as connection:
        found = list_endpoints(connection)
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
        tested = service.test_endpoint(database, settings, endpoint_id, output.now)
    attempt = tested.attempt
    number = attempt.delivery_id
    held = is_received(attempt.status, attempt.error)
    if as_json:
        output.print_json(
            {
                "delivery": number,
                "message": tested.message_id,
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
            "is tried again by a worker"
            if tested.state is EndpointState.ACTIVE
            else "is held with the others"
        )
        click.echo(f"It {then}; see `calfeed delivery show {number}`", err=True)
    sys.exit(0 if held else 1)


@endpoint.command()
@_by_id
@output.as_json
def pause(endpoint_id: str, as_json: bool) -> None:
    """Send nothing to an endpoint until it is resumed; what is for it is held."""
    with output.opened(load_settings()) as database:
        paused = service.pause_endpoint(database, endpoint_id, output.now())
    held = paused.deliveries.get(DeliveryState.HELD, 0)
    if as_json:
        output.print_json({"id": endpoint_id, "state": EndpointState.PAUSED, "held": held})
    else:
        click.echo(f"endpoint {endpoint_id} is paused; {_count(held)} held for it until")
        click.echo(f"`calfeed endpoint resume {endpoint_id}`, and so is what comes meanwhile")


@endpoint.command()
@_by_id
@output.as_json
def resume(endpoint_id: str, as_json: bool) -> None:
    """Send to a paused or disabled endpoint again, beginning with what it missed."""
    now = output.now()
    with output.opened(load_settings()) as database:
        shown, released = service.resume_endpoint(database, endpoint_id, now)
    if as_json:
        counts = {
            "sent_now": released.pending,
            "gathered": released.gathered,
            "expired": released.expired,
        }
        output.print_json({"id": endpoint_id, "state": EndpointState.ACTIVE, **counts})
        return
    click.echo(f"endpoint {endpoint_id} is active; {_count(released.pending)} sent to it now")
    digest = shown.endpoint.options.digest_after(now)
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
    now, own = output.now(), choose(secret, secret_file)
    with output.opened(load_settings()) as database:
        rotated, before = service.rotate_secret(database, endpoint_id, now, own)
    until = rotated.former_until
    if as_json:
        output.print_json({**describe_endpoint(rotated, now), "secret": rotated.secret})
        return
    click.echo(f"endpoint {endpoint_id} has a new secret")
    click.echo(f"secret   {rotated.secret}")
    click.echo(f"It is not shown again. Until {until:%Y-%m-%d %H:%M} UTC the one before signs too.")
    if signs_until(before, now) is not None:
        click.echo("The one before that, which was still signing, does not sign any more.")


@endpoint.command()
@_by_id
def remove(endpoint_id: str) -> None:
    """Remove an endpoint; what is pending for it is dropped, and its record stays."""
    with output.opened(load_settings()) as database:
        service.remove_endpoint(database, endpoint_id, output.now())
    click.echo(f"endpoint {endpoint_id} is removed")


def _print(details: EndpointDetails, as_json: bool) -> None:
    found, counts, secret = details
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
