"""The web server: granian's processes, each with the application in it."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import closing

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from calfeed import logs
from calfeed.clock import SteadyClock
from calfeed.errors import CalfeedError
from calfeed.settings import Settings, load_settings
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema
from calfeed.web.answers import Application
from calfeed.web.api.app import MOUNT, make_api
from calfeed.web.app import make_app
from calfeed.web.console.routes import PREFIX, make_console
from calfeed.web.state import State

_THREADS = 4
"""Threads of each process for what is not a look-up: pages, and a database that hesitates.

With one, feeds are not measurably quicker, and the first slow page would hold them up.
"""


_HEADER_MILLISECONDS = 5_000
"""How long a connection may take to send a request's header, or rest between two requests.

Without HTTP/1 alone, connections that send nothing at all would be exempt from it.
"""

_CONNECTIONS = 4_096
"""How many connections each process holds at once; those that idle are among them."""


LOGGING = {
    "formatters": {
        name: {"()": logs.SafeFormatter, "fmt": "web: %(message)s"}
        for name in ("generic", "access")
    }
}
"""How granian logs: with the words of no error but ours."""


def serve(settings: Settings, processes: int) -> None:
    """Serve until a signal ends it. Raises CalfeedError where the address cannot be bound.

    No access log is written: who subscribes is nobody's business.
    """
    check_address(settings.host, settings.port)
    Server(
        "calfeed.web.server:make",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=_THREADS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        backlog=_CONNECTIONS * processes,
        backpressure=_CONNECTIONS,
        factory=True,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
    ).serve()


def make() -> Application:
    """What each of granian's processes calls for its application."""
    logs.set_up("web")
    threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    settings = load_settings()
    database = Database(settings.database, settings.keys)
    check_schema(database)
    clock = SteadyClock()
    state = State(database, settings.base_url, clock)
    api = make_api(
        state,
        database,
        settings.base_url,
        admin_token=settings.admin_token,
        allow_private=settings.allow_private_endpoints,
        self_service=settings.self_service,
    )
    console = make_console(database, settings, clock)
    mounts = {PREFIX: console.wsgi_app, MOUNT: api.wsgi_app}
    return make_app(database, settings.base_url, mounts, state)


def check_address(host: str, port: int) -> None:
    """Raise CalfeedError unless a server can be bound to this address now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CalfeedError(
            f"the web server cannot use {host} port {port}: {error.strerror}; choose others "
            "with CALFEED_HOST and CALFEED_PORT"
        ) from error


def _follow_parent(parent: int) -> None:
    """End this process when the one that started it is gone, so that it does not keep the port."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
