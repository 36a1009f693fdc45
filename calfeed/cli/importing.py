"""`import`: an .ics file, or what is at a URL, as a definition."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import click

from calfeed.cli import output
from calfeed.definitions.importing import MOST_BYTES, import_calendar
from calfeed.definitions.slugs import make_slug
from calfeed.definitions.texts import check_slug
from calfeed.errors import InvalidInputError
from calfeed.settings import Settings, load_settings

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@click.command("import")
@click.argument("source", metavar="FILE|URL")
@click.option("--slug", help="The calendar's name in addresses: write SLUG.yaml in CALFEED_EVENTS.")
@click.option(
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file instead.",
)
@output.as_json
def import_(source: str, slug: str | None, target: Path | None, as_json: bool) -> None:
    """Make a definition of an iCalendar file, or of one behind an http, https or webcal URL.

    It is printed, unless --slug or --output say where it is written; a file that is there is not
    replaced. What cannot be kept is listed on standard error, a line each.
    """
    if slug is not None and target is not None:
        raise click.UsageError("Give --slug or --output, not both.")
    settings = load_settings()
    if slug is not None:
        target = _place_of(slug, settings)
    if target is not None and target.exists():
        raise InvalidInputError(f"{target} is there already; remove it, or choose another name")
    data, name = _fetch(source, settings) if _URL.match(source) else _read(Path(source))
    made = import_calendar(data, slug or make_slug(name.removesuffix(".ics")) or "imported", name)
    if target is not None:
        _write(target, made.definition)
    if as_json:
        output.print_json(
            {
                "file": None if target is None else str(target),
                "definition": made.definition.decode(),
                "events": made.events,
                "not_kept": [asdict(loss) for loss in made.losses],
            }
        )
        return
    for loss in made.losses:
        click.echo(str(loss), err=True)
    if target is None:
        click.echo(made.definition.decode(), nl=False)
    else:
        click.echo(f"{target}: {made.events} event{'' if made.events == 1 else 's'}")


def _place_of(slug: str, settings: Settings) -> Path:
    try:
        place = settings.events / f"{check_slug(slug)}.yaml"
    except ValueError as error:
        raise InvalidInputError(f"--slug: {error}") from error
    for other in (settings.events / slug, settings.events / f"{slug}.yml"):
        if other.exists():
            raise InvalidInputError(f"the calendar {slug} is there already, in {other}")
    return place


def _read(file: Path) -> tuple[bytes, str]:
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(f"{file} cannot be read: {reason}") from error
    if len(data) > MOST_BYTES:
        raise InvalidInputError(f"{file} is larger than {MOST_BYTES:,} bytes")
    return data, file.name


def _fetch(url: str, settings: Settings) -> tuple[bytes, str]:
    """The bytes behind a URL, and its host: the rest of it can be as good as a password."""
    from urllib.parse import urlsplit

    from calfeed.delivery.fetching import fetch

    data = fetch(
        url,
        allow_private=settings.allow_private_endpoints,
        egress_proxy=settings.proxy,
        most_bytes=MOST_BYTES,
    )
    return data, urlsplit(url).hostname or "a URL"


def _write(target: Path, definition: bytes) -> None:
    try:
        with target.open("xb") as file:
            file.write(definition)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(f"{target} cannot be written: {reason}") from error
