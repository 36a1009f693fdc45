"""The keys of the databases that tests make on a PostgreSQL server."""

from __future__ import annotations

import atexit
import os
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from calfeed.store.secrets.keys import Key

# The same in every process that a test starts.
_KEY = Key("7e577e57", datetime(2025, 1, 1, tzinfo=UTC), bytes(range(32)))


def _write() -> Path:
    folder = Path(mkdtemp(prefix="calfeed-keys-"))
    owner = os.getpid()
    # Processes that are forked from this one have it too.
    atexit.register(lambda: rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    file = folder / "keys"
    file.touch(0o600)
    file.write_text(_KEY.line + "\n", "ascii")
    return file


KEYS = _write()
"""A file with one key."""
