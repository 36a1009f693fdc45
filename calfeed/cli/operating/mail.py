"""`mail`: send a test mail, and process bounces."""

from __future__ import annotations

import sys

import click

from calfeed.cli import output
from calfeed.errors import InvalidInputError
from calfeed.settings import load_settings


@click.group()
def mail() -> None:
    """Send a test mail, and process bounces."""


@mail.command()
@click.argument("address")
def test(address: str) -> None:
    """Send a test mail to ADDRESS. The server of CALFEED_MAIL_URL sends it."""
    from calfeed.services.mail.trial import send_test_mail
    from calfeed.web.catalogs import wording_in

    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        raise InvalidInputError("the address has to be one mail address, such as ada@example.org")
    reply = send_test_mail(load_settings(), address, wording_in("en"), output.now())
    click.echo(f"sent; the server replied {reply}")


@mail.command()
def bounce() -> None:
    """Process a returned mail from standard input.

    A mail server can pipe every mail for the bounce address into this command. Mails that are not
    bounces of this site are ignored.
    """
    from calfeed.delivery.mail.bounces.returned import MAX_BYTES
    from calfeed.services.mail.bounces import take_bounce

    content = sys.stdin.buffer.read(MAX_BYTES)
    settings = load_settings()
    with output.opened(settings) as database:
        verdict = take_bounce(database, settings, content, output.now())
    click.echo(verdict.value)
