"""Secrets that commands are given: from a file or standard input, as a list of processes shows
what stands on a command line to everybody on the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from calfeed.private_files import MAX_SECRET_BYTES, decode_text, read_text

STDIN = "-"
"""What stands for standard input where a file or a URL is named."""


def from_file(file: str) -> str:
    """The text in a file, or on standard input, without the end of its last line.

    Raises SettingsError where it cannot be read, or where there is nothing.
    """
    if file == STDIN:
        return decode_text(sys.stdin.buffer.read(MAX_SECRET_BYTES + 1), "standard input")
    return read_text(Path(file))


def choose(secret: str | None, file: str | None) -> str | None:
    """The secret that `--secret` or `--secret-file` gives; None for neither."""
    if secret is not None and file is not None:
        raise click.UsageError("either --secret or --secret-file, not both")
    return secret if file is None else from_file(file)


def read_url(url: str) -> str:
    """A URL that was given; `-` reads it from standard input."""
    return from_file(STDIN).strip() if url == STDIN else url


secret_file = click.option(
    "--secret-file", metavar="FILE", help="The same, read from a file; - is standard input."
)
"""The option of a command that has `--secret`."""
