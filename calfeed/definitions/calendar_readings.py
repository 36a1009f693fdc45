"""Digests of calendar files, to skip reading unchanged calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from calfeed.definitions.site.files import is_site_file, is_site_material
from calfeed.errors import DefinitionWarning
from calfeed.model.uids import UidScheme


@dataclass(frozen=True)
class CalendarReading:
    """The digest of a valid calendar's files, and the warnings about them."""

    digest: str
    warnings: tuple[DefinitionWarning, ...] = ()


def calendar_of(file: str) -> str:
    """Return the slug of a file's calendar from its path (`events/un.yaml`)."""
    inner = file.partition("/")[2]
    folder, slash, _ = inner.partition("/")
    return folder if slash else inner.rpartition(".")[0]


def is_working_days_file(file: str) -> bool:
    """Return whether a file holds the working days of the folder.

    It cannot be the file of a calendar, because no slug has an underscore.
    """
    return file.partition("/")[2] in ("working_days.yaml", "working_days.yml")


def is_calendar_file(file: str) -> bool:
    """Return whether a file belongs to a calendar."""
    shared = is_working_days_file(file) or is_site_file(file) or is_site_material(file)
    return not shared


def make_digests(files: Mapping[str, bytes], uids: UidScheme, code: str) -> dict[str, str]:
    """Return a digest for each calendar, which changes whenever its files may be read differently.

    A digest covers the names and the bytes of the files, the working days of the folder, how UIDs
    are made, and the version of the `code` that reads the files (`code_digest.reader_version`).
    """
    start = sha256(f"{code}\n{uids.installation}\n".encode())
    for uid in sorted(uids.kept):
        start.update(f"{uid}\n".encode())
    for file in sorted(files):
        if not is_working_days_file(file) and not is_site_file(file):  # a site has working days too
            continue
        start.update(f"{file}\n{len(files[file])}\n".encode())
        start.update(files[file])
    digests: dict[str, Any] = {}
    for file in sorted(filter(is_calendar_file, files)):
        slug = calendar_of(file)
        digest = digests.setdefault(slug, start.copy())
        digest.update(f"{file}\n{len(files[file])}\n".encode())
        digest.update(files[file])
    return {slug: digest.hexdigest() for slug, digest in digests.items()}
