"""Read secrets from files and standard input, because command lines are visible to all users."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from calfeed.private_files import MAX_SECRET_BYTES, decode_text, read_text

STDIN = "-"
"""The name of standard input in place of a file or URL."""


def from_file(file: str) -> str:
    """Read a text from a file or standard input, without the last line break.

    Raises SettingsError if it is empty or cannot be read.
    """
    if file == STDIN:
        return decode_text(sys.stdin.buffer.read(MAX_SECRET_BYTES + 1), "standard input")
    return read_text(Path(file))


def read_secret(secret: str | None, file: str | None) -> str | None:
    """Return the secret of `--secret` or `--secret-file`; None if neither is given."""
    if secret is not None and file is not None:
        raise click.UsageError("give either --secret or --secret-file, not both")
    return secret if file is None else from_file(file)


def read_url(url: str) -> str:
    """Return the URL, or read it from standard input if it is `-`."""
    return from_file(STDIN).strip() if url == STDIN else url


secret_file = click.option(
    "--secret-file", metavar="FILE", help="A file with the secret; - is standard input."
)
"""The option that commands with `--secret` also have."""
