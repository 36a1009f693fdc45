"""The backend: the process with the published state and the Flask applications.

Slow work is done in this process and not in those of the frontends: because of the global
interpreter lock, even a separate thread in a frontend would delay its event loop.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from werkzeug.test import run_wsgi_app

from calfeed import logs
from calfeed.clock import SteadyClock
from calfeed.delivery.senders import url_rules
from calfeed.errors import SealError, StoreError
from calfeed.services.following.asking import check_installed
from calfeed.services.following.pushing import load_public_key
from calfeed.services.watching.heartbeat_writer import beating
from calfeed.settings import Settings, load_settings
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema
from calfeed.store.watching.heartbeats import ProcessKind
from calfeed.web.api.app import MOUNT, make_api
from calfeed.web.app import make_app
from calfeed.web.console.routes import PREFIX, make_console
from calfeed.web.prefix import prefix_of
from calfeed.web.published.responses import STORED_RESPONSES, Application, StoredResponse
from calfeed.web.published.state import State
from calfeed.web.push_site import PushSite
from calfeed.web.serving.ipc import (
    CacheableResponse,
    PollReport,
    Request,
    SnapshotUpdate,
    Subscribe,
    UncachedResponse,
    end_with_parent,
    join_headers,
    listen,
)

_NICENESS = 5
"""On a busy machine, the frontends take precedence (nice(2))."""

_log = logging.getLogger(__name__)


class Backend:
    """Responds to the frontends' requests by a WSGI application, and sends them snapshot updates.

    `prefix` is passed to the application as SCRIPT_NAME.
    """

    def __init__(self, state: State, application: Application, prefix: str = "") -> None:
        self._state = state
        self._prefix = prefix
        self._application = application

    def serve(self, address: str) -> None:
        """Serve each connection on its own thread, until interrupted."""
        with listen(address) as listener:
            while True:
                connection = listener.accept()
                threading.Thread(
                    target=self._serve_connection, args=(connection,), daemon=True
                ).start()

    def respond(self, request: Request) -> CacheableResponse | UncachedResponse:
        generation = self._state.generation
        now = self._state.clock().timestamp()
        stored: list[StoredResponse] = []
        environ = make_environ(request, self._prefix) | {STORED_RESPONSES: stored}
        try:
            body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        except Exception:
            _log.exception("a request failed")
            return UncachedResponse(
                500, [("Content-Type", "text/plain")], b"Internal server error\n"
            )
        if stored:
            # Pages can contain times relative to the current minute.
            return CacheableResponse(stored[0], generation, max_age_seconds=60 - now % 60)
        return UncachedResponse(int(status[:3]), list(headers), b"".join(body))

    def _serve_connection(self, connection: Connection) -> None:
        with connection, suppress(EOFError, OSError):
            while True:
                message = connection.recv()
                if isinstance(message, Request):
                    connection.send(self.respond(message))
                elif isinstance(message, PollReport):
                    self._state.poll_counter.restore(message.polls)
                    connection.send(message)
                elif isinstance(message, Subscribe):
                    self._send_updates(connection.send)

    def _send_updates(self, send: Callable[[SnapshotUpdate], None]) -> None:
        """Send the current snapshot, then the changes in each new one."""
        generation, known = -1, dict[str, StoredResponse]()
        while True:
            generation, snapshot = self._state.wait_for_generation(generation)
            responses = snapshot.responses
            changed = {
                path: response
                for path, response in responses.items()
                if known.get(path) is not response
            }
            removed = frozenset(known.keys() - responses.keys())
            send(
                SnapshotUpdate(
                    generation, snapshot.languages, snapshot.offered.offer, changed, removed
                )
            )
            known = dict(responses)


def make_environ(request: Request, prefix: str) -> dict[str, Any]:
    host, _, port = request.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": prefix,
        "PATH_INFO": request.path.encode("utf-8").decode("latin-1"),
        "QUERY_STRING": request.query,
        "REMOTE_ADDR": request.client,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in join_headers(request.headers).items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            environ[f"HTTP_{key}"] = value
    # The body is complete, even if it was sent in chunks.
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


def open_push(
    database: Database, settings: Settings, clock: Callable[[], datetime]
) -> PushSite | None:
    """Return what push to browsers needs; None if push is off, or its key cannot be read now."""
    if settings.push_contact is None:
        return None
    try:
        key = load_public_key(database)
    except (StoreError, SealError) as error:
        _log.error("nobody can subscribe to push until the web server is started again: %s", error)
        return None
    return PushSite(database, url_rules(settings), key, clock)


def main(address: str) -> None:
    """Serve frontends at the Unix socket `address` until SIGTERM."""
    end_with_parent(Path(address).parent)
    logs.configure("web")
    signal.signal(signal.SIGTERM, _end)
    settings = load_settings()
    if settings.log == "json":
        logs.use_json("web")
    database = Database(settings.database, settings.keys)
    check_schema(database)
    clock = SteadyClock()
    state = State(database, settings.base_url, clock, settings.time_zone)
    api = make_api(
        state,
        database,
        settings.base_url,
        admin_token=settings.admin_token,
        urls=url_rules(settings),
        self_service=settings.self_service,
    )
    console = make_console(database, settings, clock)
    mounts = {PREFIX: console.wsgi_app, MOUNT: api.wsgi_app}
    mails = settings.mail_url is not None and settings.mail_from is not None
    if mails:
        check_installed()
    application = make_app(
        database,
        settings.base_url,
        mounts,
        state,
        open_push(database, settings, clock),
        mails=mails,
        proxies=settings.trusted_proxies,
    )
    backend = Backend(state, application, prefix_of(settings.base_url))
    os.nice(_NICENESS)  # not earlier: until the backend listens, nothing is served
    with beating(database, ProcessKind.WEB, clock):
        backend.serve(address)


def _end(*_: object) -> None:
    # A second signal would interrupt the end of the threads with a traceback.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()
