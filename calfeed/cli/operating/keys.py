"""`keys`: what the secrets in the database are encrypted with."""

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
    """Keys: what secrets and private calendars are encrypted with in the database."""


@keys.command(name="list")
@output.as_json
def list_(as_json: bool) -> None:
    """List the keys, how much each has encrypted, and what cannot be read."""
    with output.opened(load_settings()) as database, database.read() as connection:
        file = keyring_of(connection).file
        try:
            known: tuple[Key, ...] = file.load()
        except KeyFileError as error:
            click.echo(str(error), err=True)
            known = ()
        used = count_by_key(connection)
        lost = find_lost(connection)
    found: list[tuple[str, str | None, int, str]] = [
        (one.id, one.made.isoformat(), used[one.id], "former" if number else "current")
        for number, one in enumerate(known)
    ]
    missing = sorted(used.keys() - {one.id for one in known})
    found += [(key_id, None, used[key_id], "missing") for key_id in missing]
    if as_json:
        names = ("id", "made", "texts", "state")
        rows = [dict(zip(names, row, strict=True)) for row in found]
        endpoints = [{"id": one.id, "description": one.description} for one in lost.endpoints]
        output.print_json(
            {
                "file": str(file.path),
                "keys": rows,
                "lost": endpoints,
                "lost_calendars": lost.calendars,
            }
        )
        return
    click.echo(f"the keys are in {file.path}")
    table = [[key_id, made or "", f"{texts:,}", state] for key_id, made, texts, state in found]
    output.print_table(["key", "made", "texts", "state"], table)
    for line in describe_lost(lost):
        click.echo(line)


@keys.command()
@output.as_json
def rotate(as_json: bool) -> None:
    """Make a new key the current one, and encrypt with it what others have encrypted.

    Everything goes on meanwhile; processes read the file again by themselves. The keys before
    stay in it until `calfeed keys drop`.
    """
    with output.opened(load_settings()) as database:
        with database.read() as connection:
            file = keyring_of(connection).file
        made = add_key(database, output.now())
        if not as_json:
            click.echo(f"key {made.id} is the current one; keep a copy of {file.path}, apart from")
            click.echo("the copies of the database")
        _encrypt(database, as_json)


@keys.command()
@output.as_json
def encrypt(as_json: bool) -> None:
    """Encrypt with the current key what others have encrypted, in small steps.

    `rotate` does it too. This goes on where that was ended, or with a key that came into the file
    in another way.
    """
    with output.opened(load_settings()) as database:
        _encrypt(database, as_json)


@keys.command()
@click.argument("key_id", metavar="KEY")
def drop(key_id: str) -> None:
    """Take a key out of the file that nothing in the database is encrypted with any more."""
    with output.opened(load_settings()) as database:
        drop_key(database, key_id, output.now())
    click.echo(f"key {key_id} is dropped; what was backed up before needs it still, so keep a copy")
    click.echo("of it for as long as those backups")


@keys.command()
def make() -> None:
    """Print a new key, for a file that calfeed cannot write. The first line is the current key."""
    click.echo(make_key(output.now()).line)


def describe_lost(lost: Lost) -> Iterator[str]:
    """What is lost, and what can be done; nothing where nothing is."""
    if lost.calendars:
        yield (
            f"private calendars that cannot be read: {', '.join(lost.calendars)}. Put the keys "
            "back. Or run `calfeed publish`, which publishes them anew from their files. All other "
            "calendars go on"
        )
    if not lost.endpoints:
        return
    number = count(len(lost.endpoints), "endpoint")
    yield f"the URL, the headers and the secret of {number} cannot be read:"
    for one in lost.endpoints:
        yield f"  {one.id}{f' ({one.description})' if one.description else ''}: {one.lost}"
    yield (
        "Put the keys back. Or give each endpoint others, `calfeed endpoint update ID --url URL`, "
        "or remove it. Channels come back when a worker starts. Until then what is for these "
        "waits; feeds and all other endpoints go on"
    )


def _encrypt(database: Database, as_json: bool) -> None:
    current, texts, left, lost = encrypt_again(database)
    if as_json:
        output.print_json({"key": current, "texts": texts, "left": left})
        return
    click.echo(f"{count(texts, 'text')} are encrypted with key {current}")
    if left:
        click.echo(f"{count(left, 'text')} cannot be read, and stay as they are")
    for line in describe_lost(lost):
        click.echo(line)
