"""Files and folders that are replaced as a whole: what others see is the earlier or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from calfeed.errors import CalfeedError, InvalidInputError

MARKER = ".calfeed-export"
"""The file by which a folder is known to be an export: it lists the others."""


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write to, which in the end takes the place of `folder`.

    Any error leaves `folder` as it was. Raises InvalidInputError where it holds anything that an
    export did not write, CalfeedError where it cannot be written.
    """
    folder = folder.resolve()
    _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside it, so that both are on one file system and renaming is enough.
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as aside:
            made, earlier = Path(aside, "made"), Path(aside, "earlier")
            made.mkdir()
            yield made
            made.joinpath(MARKER).write_text("\n".join(_list_files(made)) + "\n", "utf-8")
            _swap(made, folder, earlier)
    except OSError as error:
        raise CalfeedError(
            f"{folder} cannot be written, so it is as it was: {error.strerror}"
        ) from error


def replace_file(file: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all, whatever happens.

    Raises CalfeedError where it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as aside:
            made = Path(aside, file.name)
            with made.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            made.replace(file)
    except OSError as error:
        raise CalfeedError(f"{file} cannot be written: {error.strerror}") from error


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is not a folder; name one for the site")
    found = _list_files(folder)
    if not found:
        return
    marker = folder / MARKER
    if not marker.is_file():
        raise InvalidInputError(
            f"{folder} is not empty and not an earlier export, so it is left alone; name another "
            "folder for the site, or empty this one"
        )
    foreign = set(found) - set(marker.read_text("utf-8").splitlines()) - {MARKER}
    if foreign:
        raise InvalidInputError(
            f"{folder} has a file that no export wrote ({min(foreign)}), and it would be lost; "
            "take it away, or name another folder for the site"
        )


def _list_files(folder: Path) -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*")
        if each.is_symlink() or not each.is_dir()
    )


def _swap(made: Path, folder: Path, earlier: Path) -> None:
    if folder.exists():
        folder.rename(earlier)
    try:
        made.rename(folder)
    except OSError:
        if earlier.exists():
            earlier.rename(folder)
        raise
