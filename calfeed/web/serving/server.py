"""The web server: granian's processes, each with a front in it."""

from __future__ import annotations

import logging
import multiprocessing
import resource
import socket
import time
from contextlib import closing
from functools import partial
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from calfeed import logs
from calfeed.errors import CalfeedError
from calfeed.settings import Settings
from calfeed.web.serving.front import Front
from calfeed.web.serving.link import end_with_parent

_HEADER_MILLISECONDS = 5_000
"""How long a connection may take to send a request's header, or rest between two requests.

Without HTTP/1 alone, connections that send nothing at all would be exempt from it.
"""

_CONNECTIONS = 4_096
"""How many connections each process holds at once; those that idle are among them."""

_END_SECONDS = 10
"""How long a process may take to answer what it has in hand when it is asked to end."""

_OTHER_FILES = 256
"""Open files of a process beside its connections."""

_NOTED_SECONDS = 1.0
"""How long granian may take to note that a process has ended."""


class FalseAlarms(logging.Filter):
    """Drops granian's warning that it kills a process which has ended in time.

    granian asks whether the process is alive, and to the thread that asks it seems so until another
    thread, which was waiting for the process, has noted its end.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be logged."""
        if "refused to gracefully stop" not in record.getMessage():
            return True
        deadline = time.monotonic() + _NOTED_SECONDS
        while (alive := multiprocessing.active_children()) and time.monotonic() < deadline:
            time.sleep(0.01)  # between two looks, since nobody is told when it is noted
        return bool(alive)


LOGGING: dict[str, Any] = {
    "formatters": {
        name: {"()": logs.SafeFormatter, "fmt": "web: %(message)s"}
        for name in ("generic", "access")
    },
    "filters": {"false alarms": {"()": FalseAlarms}},
    "loggers": {
        "_granian": {"handlers": ["console"], "filters": ["false alarms"], "propagate": False},
    },
}
"""How granian logs: with the words of no error but ours."""


def serve(settings: Settings, processes: int, back: str) -> None:
    """Serve until a signal ends it, with the back that listens at the Unix socket `back`.

    No access log is written: who subscribes is nobody's business.
    """
    _allow_files(_CONNECTIONS + _OTHER_FILES)
    Server(
        "calfeed.web.serving.front",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=processes,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        websockets=False,
        backlog=_CONNECTIONS * processes,
        backpressure=_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=_END_SECONDS,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
    ).serve(
        target_loader=partial(_make, back, settings.trusted_proxies),
        wrap_loader=False,
    )


def _make(address: str, proxies: int) -> Front:
    """What each of granian's processes calls for its application.

    It waits for the back here, where a signal still ends the process at once.
    """
    end_with_parent()
    return Front(address, proxies)


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


def _allow_files(count: int) -> None:
    """Let this process and its children open so many files, or as many as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
