"""Replace files and folders atomically."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from calfeed.errors import CalfeedError, InvalidInputError

MARKER = ".calfeed-export"
"""A file in each export that lists its other files."""


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write to, which replaces `folder` at the end.

    An error leaves `folder` unchanged. Raises InvalidInputError if it contains files that no
    export wrote, CalfeedError if it cannot be written.
    """
    folder = folder.resolve()
    _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # In the same parent, because renaming works only within a file system.
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as aside:
            new, earlier = Path(aside, "made"), Path(aside, "earlier")
            new.mkdir()
            yield new
            new.joinpath(MARKER).write_text("\n".join(_list_files(new)) + "\n", "utf-8")
            _swap(new, folder, earlier)
    except OSError as error:
        raise CalfeedError(
            f"{folder} cannot be written, and is unchanged: {error.strerror}"
        ) from error


def replace_file(file: Path, text: str) -> None:
    """Write a file atomically. Raises CalfeedError if it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as aside:
            new = Path(aside, file.name)
            with new.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(file)
    except OSError as error:
        raise CalfeedError(f"{file} cannot be written: {error.strerror}") from error


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is not a folder; name one for the site")
    files = _list_files(folder)
    if not files:
        return
    marker = folder / MARKER
    if not marker.is_file():
        raise InvalidInputError(
            f"{folder} is not empty and not an earlier export, so it is not replaced; name another "
            "folder for the site, or empty this one"
        )
    foreign = set(files) - set(marker.read_text("utf-8").splitlines()) - {MARKER}
    if foreign:
        raise InvalidInputError(
            f"{folder} contains a file that no export wrote ({min(foreign)}) and that would be "
            "lost; move it, or name another folder for the site"
        )


def _list_files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )


def _swap(new: Path, folder: Path, earlier: Path) -> None:
    if folder.exists():
        folder.rename(earlier)
    try:
        new.rename(folder)
    except OSError:
        if earlier.exists():
            earlier.rename(folder)
        raise
