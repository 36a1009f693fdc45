"""`translations`: make, update and check a site's own catalogs of texts (.po files)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from calfeed.cli import output
from calfeed.counting import count
from calfeed.errors import CalfeedError, ConflictError, InvalidInputError, NotFoundError, Problem
from calfeed.settings import load_settings

FOLDER = "translations"
"""The folder with the files `<tag>.po`, within the folder of the definitions."""


@click.group()
def translations() -> None:
    """Translate pages and mails, by files TAG.po in the folder CALFEED_EVENTS/translations.

    TAG is a language (BCP 47), such as sw or pt-BR. For a language that calfeed has, the file
    replaces only the texts that it contains.
    """


@translations.command()
@click.argument("tag")
def new(tag: str) -> None:
    """Make TAG.po, with every text that can be translated."""
    from calfeed.cli.definitions.atomic_files import replace_file
    from calfeed.model.texts import check_known_language
    from calfeed.web.own_catalogs.editing import make_catalog

    try:
        checked = check_known_language(tag)
    except ValueError as error:
        raise InvalidInputError(str(error)) from error
    file = _folder() / f"{checked}.po"
    if file.exists():
        raise ConflictError(
            f"{file} exists; `calfeed translations update {checked}` adds new texts"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, make_catalog(checked, output.now()).decode())
    click.echo(f"{file}: write each translation into its msgstr, then run")
    click.echo("  calfeed translations check")


@translations.command()
@click.argument("tags", metavar="[TAG]...", nargs=-1)
def update(tags: tuple[str, ...]) -> None:
    """Add the new texts of this version. Texts that it no longer has are marked (#~).

    Existing translations do not change. Without TAG, all files are updated.
    """
    from calfeed.cli.definitions.atomic_files import replace_file
    from calfeed.web.own_catalogs.editing import update_catalog

    for file in _find_files(tags):
        try:
            updated = update_catalog(_read(file), file.stem, output.now())
        except (CalfeedError, ValueError) as error:  # ValueError: the name is not a tag
            raise CalfeedError(f"{file}: {error}") from error
        replace_file(file, updated.decode())
        click.echo(f"{file}: updated")


@translations.command()
@click.argument("tags", metavar="[TAG]...", nargs=-1)
@output.as_json
def check(tags: tuple[str, ...], as_json: bool) -> None:
    """List every problem of the files, with its line. The exit code is 1 if there is a problem.

    A translation with a problem is not used; the text that calfeed comes with is shown instead.
    """
    files = list(_find_files(tags))
    problems = [problem for file in files for problem in _check(file)]
    if as_json:
        output.print_json({"problems": [problem.as_json() for problem in problems]})
    else:
        output.print_findings(problems)
        found = count(len(problems), "problem") if problems else "valid"
        click.echo(f"{found}: {count(len(files), 'file')}", err=bool(problems))
    if problems:
        sys.exit(1)


def _check(file: Path) -> Iterator[Problem]:
    from calfeed.web.own_catalogs.loading import check_catalog

    for line, text, message in check_catalog(_read(file), file.stem):
        yield Problem(str(file), line, 1 if line else 0, text, message)


def _folder() -> Path:
    return load_settings().events / FOLDER


def _find_files(tags: tuple[str, ...]) -> list[Path]:
    folder = _folder()
    found = sorted(folder.glob("*.po"))
    if not tags:
        if not found:
            raise NotFoundError(
                "translation", str(folder / "*.po"), "`calfeed translations new TAG` makes one"
            )
        return found
    known = ", ".join(file.stem for file in found) or "none yet"
    for tag in tags:
        if folder / f"{tag}.po" not in found:
            raise NotFoundError("translation", tag, f"there are {known}")
    return [folder / f"{tag}.po" for tag in dict.fromkeys(tags)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}") from error
