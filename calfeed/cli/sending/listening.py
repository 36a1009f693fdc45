"""`listen`: a local webhook receiver for developers."""

from __future__ import annotations

import json
import sys

import click

from calfeed.cli.secret_inputs import read_secret, secret_file
from calfeed.delivery.local_receiver import (
    Listener,
    ReceivedMessage,
    escape_surrogates,
    format_message,
)
from calfeed.reminders.signing import check_receiver_key


@click.command()
@click.option(
    "--port",
    default=9000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 for any free one.",
)
@click.option(
    "--secret",
    help="The endpoint's secret (whsec_…) or public key (whpk_…); without it nothing is verified.",
)
@secret_file
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def listen(port: int, secret: str | None, secret_file: str | None, as_json: bool) -> None:
    """Receive webhooks on 127.0.0.1, verify their signatures, and print them."""
    chosen = read_secret(secret, secret_file)
    color = sys.stdout.isatty()

    def show(received: ReceivedMessage) -> None:
        if as_json:
            entry = {
                "id": received.id,
                "timestamp": received.timestamp,
                "verified": received.verified,
                "problem": received.problem,
                "message": received.json,
            }
            click.echo(escape_surrogates(json.dumps(entry, ensure_ascii=False)))
        else:
            click.echo(format_message(received, color=color))
        sys.stdout.flush()

    with Listener(
        show, port=port, secret=check_receiver_key(chosen) if chosen else None
    ) as listener:
        click.echo(f"listening on {listener.url} (Ctrl-C ends it)", err=True)
        listener.serve()
