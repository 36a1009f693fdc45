"""`endpoint`: manage the endpoints of webhooks."""

from __future__ import annotations

import sys
from typing import Any

import click

from calfeed.cli import output
from calfeed.cli.secret_inputs import read_secret, secret_file
from calfeed.cli.sending import endpoint_views as views
from calfeed.cli.sending.endpoint_options import add_options, read_values, update_options
from calfeed.counting import count
from calfeed.delivery.senders import plain_http_warning, url_rules
from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.views import describe_delivery, describe_endpoint, former_secret_until
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.retry import is_received
from calfeed.reminders.signing import Scheme
from calfeed.services import endpoints as service
from calfeed.services.endpoints import EndpointDetails
from calfeed.services.receivers.testing import test_endpoint
from calfeed.settings import load_settings
from calfeed.store.endpoints.records import list_endpoints

_by_id = click.argument("endpoint_id")
_scheme = click.option(
    "--signature",
    "scheme",
    type=click.Choice(Scheme, case_sensitive=False),
    help="How messages are signed: by a shared secret (hmac), or by a private key (ed25519).",
)
_own_secret = click.option("--secret", help="An existing secret (whsec_…) instead of a new one.")


@click.group()
def endpoint() -> None:
    """Endpoints: URLs to which messages are sent, or receivers that fetch their messages."""


@endpoint.command()
@click.argument("url")
@add_options
@_own_secret
@secret_file
@_scheme
@output.as_json
def add(
    secret: str | None,
    secret_file: str | None,
    scheme: Scheme | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Add an endpoint. Print its id and what its receiver verifies messages with.

    This is a secret, which is not shown again, or with --signature ed25519 a public key. Without
    options the endpoint gets every message of every calendar, at once. If URL is -, the URL is read
    from standard input. If URL is poll:, nothing is sent: the receiver fetches the messages.
    """
    settings, values, own = load_settings(), read_values(given), read_secret(secret, secret_file)
    with output.opened(settings) as database:
        rules = url_rules(settings)
        added = service.add_endpoint(database, rules, values, output.now(), own, scheme)
    if as_json:
        output.print_json({**describe_endpoint(added, added.created), "secret": added.receiver_key})
    else:
        click.echo(f"endpoint {added.id} is added; messages: {views.wants(added.filters)}")
        click.echo("\n".join(views.show_receiver_key(added)))
        if added.is_polled:
            scope = service.POLL_SCOPE.format(endpoint=added.id)
            click.echo(f"`calfeed token add --scope {scope}` makes a token for its receiver.")


@endpoint.command()
@_by_id
@update_options
@output.as_json
def update(endpoint_id: str, as_json: bool, **given: Any) -> None:
    """Change the given values of an endpoint, and show it.

    If its encryption key is lost, --url also creates a new secret, which is shown only once.
    """
    if not any(value not in (None, (), False) for value in given.values()):
        raise click.UsageError("give at least one option to change; --help lists them")
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
    """Show an endpoint with its filters, options and delivery counts."""
    with output.opened(load_settings()) as database:
        details = service.show_endpoint(database, endpoint_id)
    _print(details, as_json)


@endpoint.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the endpoints."""
    settings = load_settings()
    with output.opened(settings) as database, database.read() as connection:
        endpoints = list_endpoints(connection)
    if warning := plain_http_warning(settings, endpoints):
        click.secho(warning, err=True, fg="yellow")
    if as_json:
        now = output.now()
        output.print_json([describe_endpoint(row, now) for row in endpoints])
    elif not endpoints:
        click.echo("there are no endpoints; `calfeed endpoint add URL` adds one")
    else:
        rows = [
            [
                *(row.id, views.show_state(row), show_url(row.url)),
                *(views.wants(row.filters), row.description),
            ]
            for row in endpoints
        ]
        output.print_table(["id", "state", "receiver", "gets", "description"], rows)


@endpoint.command()
@_by_id
@output.as_json
def test(endpoint_id: str, as_json: bool) -> None:
    """Send a test message now, and show the response. The endpoint may be paused."""
    settings = load_settings()
    with output.opened(settings) as database:
        tested = test_endpoint(database, settings, endpoint_id, output.now)
    attempt = tested.attempt
    if attempt is None:
        if as_json:
            output.print_json(describe_delivery(tested.delivery))
        else:
            click.echo("the test waits until the receiver polls the endpoint")
        return
    received = is_received(attempt.status, attempt.error)
    if as_json:
        output.print_json(
            {
                "delivery": attempt.delivery_id,
                "message": tested.delivery.message_id,
                "delivered": received,
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": attempt.milliseconds,
            }
        )
    elif received:
        status = "" if attempt.status is None else f"status {attempt.status} "
        click.echo(f"received: {status}after {attempt.milliseconds} ms")
    else:
        reason = attempt.error or f"the receiver responded with {attempt.status}"
        click.echo(f"not received: {reason}", err=True)
        active = tested.state is EndpointState.ACTIVE
        then = "is tried again by a worker" if active else "is held with the others"
        click.echo(f"It {then}; see `calfeed delivery show {attempt.delivery_id}`", err=True)
    sys.exit(0 if received else 1)


@endpoint.command()
@_by_id
@output.as_json
def pause(endpoint_id: str, as_json: bool) -> None:
    """Pause an endpoint: hold its deliveries until it is resumed."""
    with output.opened(load_settings()) as database:
        paused = service.pause_endpoint(database, endpoint_id, output.now())
    held = paused.deliveries.get(DeliveryState.HELD, 0)
    if as_json:
        output.print_json({"id": endpoint_id, "state": EndpointState.PAUSED, "held": held})
    else:
        click.echo(f"endpoint {endpoint_id} is paused; {_count(held)} held for it until")
        click.echo(f"`calfeed endpoint resume {endpoint_id}`, and so are new deliveries")


@endpoint.command()
@_by_id
@output.as_json
def resume(endpoint_id: str, as_json: bool) -> None:
    """Resume a paused or disabled endpoint. Its held deliveries are sent."""
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
        click.echo(f"{_count(released.expired)} no longer relevant, and not sent")


@endpoint.command()
@_by_id
@_own_secret
@secret_file
@_scheme
@output.as_json
def rotate(
    endpoint_id: str,
    secret: str | None,
    secret_file: str | None,
    scheme: Scheme | None,
    as_json: bool,
) -> None:
    """Give an endpoint a new secret. For 24 hours the former one also signs.

    Prints the new secret, or with ed25519 the new public key.
    """
    now, own = output.now(), read_secret(secret, secret_file)
    with output.opened(load_settings()) as database:
        rotated, before = service.rotate_secret(database, endpoint_id, now, own, scheme)
    until = rotated.former_until
    if as_json:
        output.print_json({**describe_endpoint(rotated, now), "secret": rotated.receiver_key})
        return
    click.echo(f"endpoint {endpoint_id} has a new secret")
    click.echo("\n".join(views.show_receiver_key(rotated)))
    click.echo(f"Until {until:%Y-%m-%d %H:%M} UTC the former one also signs.")
    if former_secret_until(before, now) is not None:
        click.echo("An older secret, which was still signing, no longer signs.")


@endpoint.command()
@_by_id
def remove(endpoint_id: str) -> None:
    """Remove an endpoint. Its pending deliveries are dropped; its history is kept."""
    with output.opened(load_settings()) as database:
        service.remove_endpoint(database, endpoint_id, output.now())
    click.echo(f"endpoint {endpoint_id} is removed")


def _print(details: EndpointDetails, as_json: bool) -> None:
    row, counts, secret = details
    now = output.now()
    if as_json:
        described = {**describe_endpoint(row, now), "deliveries": counts}
        output.print_json({**described, "secret": secret} if secret else described)
        return
    click.echo("\n".join(views.show(row, now, counts)))
    if secret:
        click.echo(f"new secret  {secret}")
        click.echo("The secret is not shown again. The receiver verifies messages with it.")


def _count(number: int) -> str:
    return f"{count(number, 'delivery')} {'is' if number == 1 else 'are'}"
