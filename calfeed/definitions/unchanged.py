"""Calendars whose files are as they were when they were read and published: not read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from calfeed.errors import DefinitionWarning
from calfeed.model.uids import UidScheme


@dataclass(frozen=True)
class Known:
    """The digest of the files that a calendar was read from, and the warnings about them.

    It is in order: it was published.
    """

    digest: str
    warnings: tuple[DefinitionWarning, ...] = ()


def calendar_of(file: str) -> str:
    """The slug of the calendar that a file is part of, by its path (`events/un.yaml`)."""
    inner = file.partition("/")[2]
    folder, slash, _ = inner.partition("/")
    return folder if slash else inner.rpartition(".")[0]


def make_digests(files: Mapping[str, bytes], uids: UidScheme, code: str) -> dict[str, str]:
    """A digest for each calendar: it differs where reading its files could give something else.

    It is made of their names and bytes, of how UIDs are made, and of the `code` that reads them
    (`code_digest.describe_reader`).
    """
    start = sha256(f"{code}\n{uids.installation}\n".encode())
    for uid in sorted(uids.kept):
        start.update(f"{uid}\n".encode())
    digests: dict[str, Any] = {}
    for file in sorted(files):
        slug = calendar_of(file)
        digest = digests.setdefault(slug, start.copy())
        digest.update(f"{file}\n{len(files[file])}\n".encode())
        digest.update(files[file])
    return {slug: digest.hexdigest() for slug, digest in digests.items()}
