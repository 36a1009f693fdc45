"""`keys`: manage the encryption keys of the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from calfeed.cli import output
from calfeed.counting import count
from calfeed.errors import KeyFileError
from calfeed.services.installation import add_key, drop_key, encrypt_again, find_lost
from calfeed.settings import load_settings
from calfeed.store.secrets.keys import Key, make_key
from calfeed.store.secrets.resealing import count_by_key
from calfeed.store.secrets.sealing import keyring_of

if TYPE_CHECKING:
    from calfeed.services.installation import Lost
    from calfeed.store.database import Database


@click.group()
def keys() -> None:
    """Keys that encrypt secrets and private calendars in the database."""


@keys.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the keys. Shows how many texts each encrypts, and what cannot be decrypted."""
    with output.opened(load_settings()) as database, database.read() as connection:
        file = keyring_of(connection).file
        try:
            known: tuple[Key, ...] = file.load()
        except KeyFileError as error:
            click.echo(str(error), err=True)
            known = ()
        used = count_by_key(connection)
        lost = find_lost(connection)
    rows: list[tuple[str, str | None, int, str]] = [
        (key.id, key.made.isoformat(), used[key.id], "former" if number else "current")
        for number, key in enumerate(known)
    ]
    missing = sorted(used.keys() - {key.id for key in known})
    rows += [(key_id, None, used[key_id], "missing") for key_id in missing]
    if as_json:
        names = ("id", "made", "texts", "state")
        output.print_json(
            {
                "file": str(file.path),
                "keys": [dict(zip(names, row, strict=True)) for row in rows],
                "lost": [{"id": row.id, "description": row.description} for row in lost.endpoints],
                "lost_calendars": lost.calendars,
            }
        )
        return
    click.echo(f"the keys are in {file.path}")
    table = [[key_id, made or "", f"{texts:,}", state] for key_id, made, texts, state in rows]
    output.print_table(["key", "made", "texts", "state"], table)
    for line in describe_lost(lost):
        click.echo(line)


@keys.command()
@output.as_json
def rotate(as_json: bool) -> None:
    """Make a new encryption key the current one. All stored texts are encrypted with it.

    Running processes reload the key file automatically. Former keys stay in the file until `calfeed
    keys drop`.
    """
    with output.opened(load_settings()) as database:
        with database.read() as connection:
            file = keyring_of(connection).file
        key = add_key(database, output.now())
        if not as_json:
            click.echo(f"key {key.id} is the current one; keep a copy of {file.path}, apart from")
            click.echo("the copies of the database")
        _encrypt(database, as_json)


@keys.command()
@output.as_json
def encrypt(as_json: bool) -> None:
    """Encrypt all texts with the current key, in small steps.

    `rotate` does this too. Use this command after an interruption, or after adding a key to the
    file by other means.
    """
    with output.opened(load_settings()) as database:
        _encrypt(database, as_json)


@keys.command()
@click.argument("key_id", metavar="KEY")
def drop(key_id: str) -> None:
    """Remove a key from the key file. No text in the database may be encrypted with it."""
    with output.opened(load_settings()) as database:
        drop_key(database, key_id, output.now())
    click.echo(f"key {key_id} is dropped; earlier backups still need it, so keep a copy of")
    click.echo("the key for as long as you keep those backups")


@keys.command()
def make() -> None:
    """Print a new key.

    Use this if calfeed cannot write to the key file. The current key is the first line of that
    file.
    """
    click.echo(make_key(output.now()).line)


def describe_lost(lost: Lost) -> Iterator[str]:
    """Yield lines about calendars and endpoints that cannot be decrypted, and what to do."""
    if lost.calendars:
        yield (
            f"private calendars that cannot be read: {', '.join(lost.calendars)}. Put the keys "
            "back. Or run `calfeed publish`, which publishes them again from their files. Other "
            "calendars are not affected"
        )
    if not lost.endpoints:
        return
    number = count(len(lost.endpoints), "endpoint")
    yield f"the URL, the headers and the secret of {number} cannot be read:"
    for endpoint in lost.endpoints:
        description = f" ({endpoint.description})" if endpoint.description else ""
        yield f"  {endpoint.id}{description}: {endpoint.lost}"
    yield (
        "Put the keys back. Or give each endpoint a new URL, `calfeed endpoint update ID --url "
        "URL`, or remove it. Channels are restored when a worker starts. Until then the deliveries "
        "of these endpoints wait; feeds and other endpoints are not affected"
    )


def _encrypt(database: Database, as_json: bool) -> None:
    current, texts, left, lost = encrypt_again(database)
    if as_json:
        output.print_json({"key": current, "texts": texts, "left": left})
        return
    click.echo(f"{count(texts, 'text')} are encrypted with key {current}")
    if left:
        click.echo(f"{count(left, 'text')} cannot be read, and are left unchanged")
    for line in describe_lost(lost):
        click.echo(line)
