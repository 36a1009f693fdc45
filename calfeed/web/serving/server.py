"""The web server: granian processes, each running a frontend."""

from __future__ import annotations

import logging
import multiprocessing
import resource
import signal
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
from calfeed.web.prefix import prefix_of
from calfeed.web.serving.frontend import Frontend
from calfeed.web.serving.ipc import end_with_parent

_HEADER_TIMEOUT_MILLISECONDS = 5_000
"""How long a connection may take to send a request's header, or stay idle between requests.

If HTTP/2 were enabled, it would not apply to connections that send nothing at all.
"""

_MAX_CONNECTIONS = 4_096
"""Per process, including idle ones."""

_SHUTDOWN_SECONDS = 10
"""How long a process may take to finish requests in flight."""

_RESERVED_FILES = 256
"""Open files of a process that are not connections."""

_EXIT_NOTICE_SECONDS = 5.0
"""How long processes may take to end, and granian to notice it, before they count as stuck."""


class ShutdownFalseAlarms(logging.Filter):
    """Drops granian's warning about killing a process that has already ended.

    To granian, the process looks alive until another thread has waited for it. The warning does not
    name the process, so the filter waits for all processes, which were stopped together. If one of
    them does not end, the warning is logged.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if "refused to gracefully stop" not in record.getMessage():
            return True
        deadline = time.monotonic() + _EXIT_NOTICE_SECONDS
        while (alive := multiprocessing.active_children()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return bool(alive)


LOGGING: dict[str, Any] = {
    "formatters": {
        name: {"()": logs.SafeFormatter, "fmt": "web: %(message)s"}
        for name in ("generic", "access")
    },
    "filters": {"false alarms": {"()": ShutdownFalseAlarms}},
    "loggers": {
        "_granian": {"handlers": ["console"], "filters": ["false alarms"], "propagate": False},
    },
}
"""granian's logging configuration; the formatter removes error texts that may hold secrets."""

JSON_LOGGING = {
    **LOGGING,
    "formatters": {
        name: {"()": logs.JsonFormatter, "process": "web"} for name in LOGGING["formatters"]
    },
}


def serve(settings: Settings, processes: int, backend: str) -> None:
    """Serve until a signal ends it; `backend` is the path of the backend's Unix socket.

    There is no access log, for the privacy of subscribers.
    """
    _raise_file_limit(_MAX_CONNECTIONS + _RESERVED_FILES)
    server = Server(
        "calfeed.web.serving.frontend",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=processes,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_TIMEOUT_MILLISECONDS),
        websockets=False,
        backlog=_MAX_CONNECTIONS * processes,
        backpressure=_MAX_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=_SHUTDOWN_SECONDS,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING if settings.log == "text" else JSON_LOGGING,
    )
    # By default, granian starts its processes again on SIGHUP, which a terminal sends when it is
    # closed. nohup ignores the signal.
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    on_hangup = _ignore if ignored else server.signal_handler_interrupt
    server.signal_handler_reload = on_hangup  # type: ignore[method-assign]  # it is no option
    server.serve(
        target_loader=partial(
            _make_frontend, backend, settings.trusted_proxies, prefix_of(settings.base_url)
        ),
        wrap_loader=False,
    )


def _ignore(*_: object) -> None:
    pass


def _make_frontend(address: str, proxies: int, prefix: str) -> Frontend:
    """Create the application of a granian process.

    The constructor of Frontend waits for the backend. Meanwhile, a signal still ends the process.
    """
    end_with_parent()
    return Frontend(address, proxies, prefix=prefix)


def check_address(host: str, port: int) -> None:
    """Raise CalfeedError unless a server can bind to this address now."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = infos[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CalfeedError(
            f"the web server cannot use {host} port {port}: {error.strerror}; set CALFEED_HOST "
            "and CALFEED_PORT to others"
        ) from error


def _raise_file_limit(count: int) -> None:
    """Raise the limit of open files to `count`, or as close to it as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
