"""`import`: convert an .ics file or URL to a definition."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from calfeed.cli import output
from calfeed.cli.definitions.publishing import published_state
from calfeed.cli.secret_inputs import read_url
from calfeed.counting import count
from calfeed.definitions.files import find_uids
from calfeed.definitions.formats.slugs import make_slug
from calfeed.definitions.formats.zone_names import check_zone
from calfeed.errors import InvalidInputError
from calfeed.importing.ics import MAX_BYTES, import_calendar
from calfeed.importing.losses import group_losses
from calfeed.model.texts import check_slug
from calfeed.settings import Settings, load_settings

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SUFFIXES = ("yaml", "yml")
_MAX_LISTED_UIDS = 3


@click.command("import")
@click.argument("source", metavar="FILE|URL|-")
@click.option(
    "--slug", help="The calendar's name in URLs; the definition is written to CALFEED_EVENTS."
)
@click.option(
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file.",
)
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="The time zone of the calendar, and of times without a zone in the file.",
)
@click.option(
    "--verbose",
    is_flag=True,
    help="List everything that could not be imported, instead of one line per reason.",
)
@output.as_json
def import_(
    source: str,
    slug: str | None,
    target: Path | None,
    time_zone: str | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Convert an iCalendar file, or an http, https or webcal URL, to a definition.

    Prints the definition, or writes it with --slug or --output; existing files are not replaced.
    Lists what could not be imported on standard error, one line per reason. With - as the
    argument, the URL is read from standard input, because it can be secret.
    """
    if slug is not None and target is not None:
        raise click.UsageError("Give --slug or --output, not both.")
    settings = load_settings()
    zone = _read_zone(time_zone) if time_zone else None
    if slug is not None:
        _check_free(slug, settings)
    if target is not None and target.exists():
        raise InvalidInputError(f"{target} exists already; remove it, or choose another name")
    source = read_url(source)
    data, name = _fetch(source, settings) if _URL.match(source) else _read(Path(source))
    new_slug = slug or make_slug(name.removesuffix(".ics")) or "imported"
    with _progress() as progress:
        imported = import_calendar(data, new_slug, name, time_zone=zone, progress=progress)
    if len(imported.files) > 1 and slug is None:
        raise InvalidInputError(
            f"{imported.events:,} events are too many for one file; give --slug to make a folder"
        )
    if slug is not None:
        _check_uids(imported.uids, settings)
        target = _write_all(imported.files, slug, settings.events)
    elif target is not None:
        if target.resolve().is_relative_to(settings.events.resolve()):
            _check_uids(imported.uids, settings)
        _write(target, imported.definition)
    if as_json:
        output.print_json(
            {
                "file": None if target is None else str(target),
                "definition": imported.definition.decode() if len(imported.files) == 1 else None,
                "files": sorted(imported.files),
                "events": imported.events,
                "not_kept": [asdict(loss) for loss in imported.losses],
            }
        )
        return
    for line in map(str, imported.losses) if verbose else group_losses(imported.losses):
        click.echo(line, err=True)
    if target is None:
        click.echo(imported.definition.decode(), nl=False)
    else:
        parts = "" if len(imported.files) == 1 else f" in {count(len(imported.files), 'file')}"
        click.echo(f"{target}: {count(imported.events, 'event')}{parts}")


def _read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(check_zone(name))
    except ValueError as error:
        raise InvalidInputError(f"--time-zone: {error}") from error


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    with click.progressbar(length=1, label="Reading events", file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            bar.length = of
            if done % 100 == 0 or done == of:
                bar.update(done - bar.pos)

        yield show


def _check_free(slug: str, settings: Settings) -> None:
    try:
        check_slug(slug)
    except ValueError as error:
        raise InvalidInputError(f"--slug: {error}") from error
    for other in (
        settings.events / slug,
        *(settings.events / f"{slug}.{ext}" for ext in _SUFFIXES),
    ):
        if other.exists():
            raise InvalidInputError(
                f"the calendar {slug} exists already, in {other}; choose another name"
            )


def _check_uids(uids: frozenset[str], settings: Settings) -> None:
    """Raise InvalidInputError if another calendar of the folder has events with these UIDs."""
    folder = settings.events
    with published_state(settings) as (_, scheme):
        taken = find_uids(folder, scheme) if folder.is_dir() else {}
    shared: dict[str, list[str]] = {}
    for uid in sorted(uids & taken.keys()):
        shared.setdefault(taken[uid], []).append(uid)
    if not shared:
        return
    lines = [
        f"  {file}: {len(found):,} of its events, such as {', '.join(found[:_MAX_LISTED_UIDS])}"
        for file, found in sorted(shared.items())
    ]
    raise InvalidInputError(
        "\n".join(
            [
                "nothing is written, because events of these files have the same UIDs:",
                *lines,
                "Remove the events there, or use --output to write a file elsewhere and compare",
            ]
        )
    )


def _read(file: Path) -> tuple[bytes, str]:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(f"{file} cannot be read: {reason}") from error
    if len(data) > MAX_BYTES:
        raise InvalidInputError(f"{file} is larger than {MAX_BYTES:,} bytes")
    return data, file.name


def _fetch(url: str, settings: Settings) -> tuple[bytes, str]:
    """Fetch a URL; return the bytes, and the host as a name for them.

    The rest of the URL may be secret.
    """
    from urllib.parse import urlsplit

    from calfeed.delivery.transport.fetching import fetch

    data = fetch(
        url,
        allow_private=settings.allow_private_endpoints,
        egress_proxy=settings.proxy,
        max_bytes=MAX_BYTES,
    )
    return data, urlsplit(url).hostname or "a URL"


def _write_all(files: Mapping[str, bytes], slug: str, folder: Path) -> Path:
    """Write the files of a calendar; a folder is created atomically."""
    if len(files) == 1:
        (name,) = files
        _write(folder / name, files[name])
        return folder / name
    # Hidden folders are not read as definitions.
    hidden = folder / f".{slug}.import"
    try:
        shutil.rmtree(hidden, ignore_errors=True)
        hidden.mkdir()
        for name, text in files.items():
            (hidden / Path(name).name).write_bytes(text)
        hidden.rename(folder / slug)
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        raise _unwritable(folder / slug, error) from error
    return folder / slug


def _write(target: Path, definition: bytes) -> None:
    try:
        with target.open("xb") as file:
            file.write(definition)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> InvalidInputError:
    reason = (error.strerror or str(error)).lower()
    return InvalidInputError(f"{target} cannot be written: {reason}")
