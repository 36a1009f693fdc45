"""A real pgbouncer on loopback, in transaction mode, in front of a PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.delivery.office import wait_until
from tests.ports import free_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_SETTINGS = """
[databases]
* = host={host} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 200
server_lifetime = 5
logfile = {folder}/log
pidfile = {folder}/pid
"""


def need_pgbouncer() -> None:
    """Skip the test where there is no pgbouncer; under CI that is a failure."""
    if PGBOUNCER is None and not os.environ.get("CI"):
        pytest.skip("there is no pgbouncer")


@contextmanager
def pooled(server: str, servers: int = 2) -> Iterator[str]:
    """The URL of a pooler with so many connections for each database of a server.

    A connection is replaced after five seconds, so that nobody can rely on having one for long.
    """
    assert PGBOUNCER is not None
    url = make_url(server)
    with TemporaryDirectory(prefix="calfeed-") as name:
        folder, port = Path(name), free_port()
        host = str(url.query["host"])
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            _SETTINGS.format(
                host=host, user=url.username, port=port, servers=servers, folder=folder
            )
        )
        user: tuple[str, ...] = ()
        if os.geteuid() == 0:  # it refuses to be root's; only the server's user finds its socket
            owner = Path(host).owner()
            shutil.chown(folder, owner)
            user = ("-u", owner)
        words = [PGBOUNCER, "-q", *user, str(settings)]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
            at = url.set(host="127.0.0.1", port=port, query={})
            through = at.render_as_string(hide_password=False)
            try:
                wait_until(lambda: _answers(through))
                yield through
            finally:
                process.terminate()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
