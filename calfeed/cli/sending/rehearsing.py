"""`rehearse`: send the reminders of a period to one endpoint now."""

from __future__ import annotations

import sys

import click

from calfeed.cli import output
from calfeed.cli.secret_inputs import read_secret, read_url, secret_file
from calfeed.counting import count
from calfeed.delivery.transport.sender import Outcome
from calfeed.services.rehearsals import send_rehearsal, temporary_endpoint
from calfeed.settings import Settings, load_settings
from calfeed.store.endpoints.records import Endpoint


@click.command()
@click.option("--from", "begin", required=True, help="A date or time; in UTC if it has no offset.")
@click.option("--to", "end", required=True, help="The end of the period (exclusive).")
@click.option("--endpoint", "endpoint_id", help="The endpoint to send to; its filters apply.")
@click.option(
    "--url",
    help="Instead of --endpoint: a URL to send all reminders to; - reads it from standard input.",
)
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
    """Send the reminders of a period now, marked as a rehearsal.

    The messages have ids of their own and are not stored; real reminders are unaffected.
    """
    now = output.now()
    window = output.parse_window(begin, end, (now, now))
    settings = load_settings()
    target = _read_target(settings, endpoint_id, url, read_secret(secret, secret_file))
    results: list[tuple[str, Outcome]] = []
    with output.opened(settings) as database:
        for reminder, outcome in send_rehearsal(database, settings, target, window, output.now):
            results.append((reminder, outcome))
            if not as_json:
                success = "taken" if outcome.status is None else f"status {outcome.status}"
                result = outcome.error or success
                mark = "received" if outcome.received else "NOT received"
                click.echo(f"{mark}: {reminder} ({result}, {outcome.milliseconds} ms)")
    failed = sum(not outcome.received for _, outcome in results)
    if as_json:
        output.print_json(
            [
                {
                    "reminder": reminder,
                    "received": outcome.received,
                    "status": outcome.status,
                    "error": outcome.error,
                    "milliseconds": outcome.milliseconds,
                }
                for reminder, outcome in results
            ]
        )
    else:
        were = "was" if len(results) == 1 else "were"
        click.echo(f"{len(results) - failed} of {count(len(results), 'reminder')} {were} received")
    sys.exit(1 if failed else 0)


def _read_target(
    settings: Settings, endpoint_id: str | None, url: str | None, secret: str | None
) -> str | Endpoint:
    if (endpoint_id is None) == (url is None):
        raise click.UsageError("give either --endpoint ID, or --url and --secret")
    if endpoint_id is not None:
        if secret is not None:
            raise click.UsageError("--secret requires --url; an endpoint has its own secret")
        return endpoint_id
    if secret is None:
        raise click.UsageError("--url requires --secret")
    return temporary_endpoint(settings, read_url(url or ""), secret, output.now())
