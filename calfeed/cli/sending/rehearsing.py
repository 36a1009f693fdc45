"""`rehearse`: the reminders of any window, sent now to one endpoint, apart from the real ones."""

from __future__ import annotations

import secrets
import sys

import click

from calfeed.cli import output
from calfeed.cli.secret_inputs import choose, read_url, secret_file
from calfeed.counting import count
from calfeed.delivery.engine.attempts import HEADERS, make_signer
from calfeed.delivery.senders import check_endpoint_url, open_sender_to
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.errors import InvalidInputError
from calfeed.publish import windows
from calfeed.publish.windows import Planned, load_window
from calfeed.reminders.filters import Filters
from calfeed.reminders.signing import check_secret
from calfeed.settings import Settings, load_settings
from calfeed.store.database import Database
from calfeed.store.endpoints.endpoints import Endpoint, find_endpoint

_PATIENCE = 1.0


@click.command()
@click.option("--from", "begin", required=True, help="A date or time; UTC without an offset.")
@click.option("--to", "end", required=True, help="The first moment that is not rehearsed.")
@click.option("--endpoint", "endpoint_id", help="The endpoint to send to; what it wants is sent.")
@click.option("--url", help="Or a URL to send to (- is standard input); all is sent.")
@click.option("--secret", help="With --url: the secret (whsec_…) to sign with.")
@secret_file
@output.as_json
def rehearse(
    begin: str,
    end: str,
    endpoint_id: str | None,
    url: str | None,
    secret: str | None,
    secret_file: str | None,
    as_json: bool,
) -> None:
    """Send the reminders of a window now, marked as a rehearsal.

    Their ids are made for this rehearsal, and nothing is kept: real reminders are not touched.
    """
    now = output.now()
    window = output.parse_window(begin, end, (now, now))
    settings = load_settings()
    with output.opened(settings) as database:
        target = _find_target(settings, database, endpoint_id, url, choose(secret, secret_file))
        found = load_window(database, *window)
    requests = _make_requests(settings, found, target)
    results: list[Outcome] = []
    with open_sender_to(settings, target.url) as sender:
        sender.submit(list(requests.values()))
        while len(results) < len(requests):
            for outcome in sender.results(_PATIENCE):
                results.append(outcome)
                if not as_json:
                    taken = "taken" if outcome.status is None else f"status {outcome.status}"
                    answer = outcome.error or taken
                    mark = "received" if outcome.received else "NOT received"
                    click.echo(f"{mark}: {outcome.key} ({answer}, {outcome.milliseconds} ms)")
    failed = sum(not outcome.received for outcome in results)
    if as_json:
        output.print_json(
            [
                {
                    "reminder": str(outcome.key),
                    "received": outcome.received,
                    "status": outcome.status,
                    "error": outcome.error,
                    "milliseconds": outcome.milliseconds,
                }
                for outcome in results
            ]
        )
    else:
        were = "was" if len(results) == 1 else "were"
        click.echo(f"{len(results) - failed} of {count(len(results), 'reminder')} {were} received")
    sys.exit(1 if failed else 0)


def _find_target(
    settings: Settings,
    database: Database,
    endpoint_id: str | None,
    url: str | None,
    secret: str | None,
) -> Endpoint:
    if (endpoint_id is None) == (url is None):
        raise click.UsageError("say where to send it: either --endpoint ID, or --url and --secret")
    if endpoint_id is not None:
        if secret is not None:
            raise click.UsageError("--secret goes with --url; an endpoint has its own")
        with database.read() as connection:
            return find_endpoint(connection, endpoint_id).check()
    if secret is None:
        raise click.UsageError("--url needs --secret, to sign with")
    return Endpoint(
        id="",
        url=check_endpoint_url(settings, read_url(url or "")),
        filters=Filters(),
        secret=check_secret(secret),
        created=output.now(),
    )


def _make_requests(
    settings: Settings, found: list[Planned], target: Endpoint
) -> dict[str, Request]:
    """The signed requests, by a line that tells each from the others."""
    name = secrets.token_hex(8)
    now = output.now()
    requests = {}
    for planned, message in windows.rehearse(found, target.filters, settings.base_url, now, name):
        event = planned.reminder.event
        due = planned.reminder.due.astimezone(event.zone)
        occurrence = planned.reminder.occurrence.id
        line = f"{due:%Y-%m-%d %H:%M} {event.calendar}/{event.slug}"
        line += f" {occurrence}" if occurrence else ""
        line += f", {planned.reminder.rule}"
        signer = make_signer(message.id, message.body, target.secrets_at, output.now)
        headers = {**HEADERS, **target.headers}
        requests[line] = Request(line, target.url, headers, message.body, signer)
    if not requests:
        raise InvalidInputError("no reminder is due in that window; nothing was sent")
    return requests
