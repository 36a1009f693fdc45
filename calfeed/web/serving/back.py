"""The back: one process with the published state and the Flask applications over it.

What takes time is made here, in another process than the fronts': Python runs one thread of a
process at a time, so that even a thread of its own would hold up every look-up beside it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from werkzeug.test import run_wsgi_app

from calfeed import logs
from calfeed.clock import SteadyClock
from calfeed.delivery.senders import url_rules
from calfeed.errors import CalfeedError
from calfeed.settings import load_settings
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema
from calfeed.web.api.app import MOUNT, make_api
from calfeed.web.app import make_app
from calfeed.web.console.routes import PREFIX, make_console
from calfeed.web.published.responses import SETTLED, Answer, Application
from calfeed.web.published.state import State
from calfeed.web.serving.link import (
    Counted,
    Edition,
    Follow,
    Made,
    Request,
    Settled,
    end_with_parent,
    join_headers,
    listen,
)

_NICENESS = 5
"""Where processors are busy, the fronts' look-ups go first (nice(2))."""

_log = logging.getLogger(__name__)


class Back:
    """Answers the fronts' requests with an application, and hands them each published state."""

    def __init__(self, state: State, application: Application) -> None:
        self._state = state
        self._application = application

    def serve(self, address: str) -> None:
        """Answer whoever connects, each connection on a thread of its own, until interrupted."""
        with listen(address) as listener:
            while True:
                connection = listener.accept()
                threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def answer(self, request: Request) -> Settled | Made:
        """Answer one request."""
        edition = self._state.edition
        now = self._state.clock().timestamp()
        settled: list[Answer] = []
        environ = make_environ(request) | {SETTLED: settled}
        try:
            body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
        except Exception:
            _log.exception("a request failed")
            return Made(500, [("Content-Type", "text/plain")], b"Something went wrong here.\n")
        if settled:
            return Settled(settled[0], edition, lasting=60 - now % 60)
        return Made(int(status[:3]), list(headers), b"".join(body))

    def _attend(self, connection: Connection) -> None:
        with connection, suppress(EOFError, OSError):
            while True:
                message = connection.recv()
                if isinstance(message, Request):
                    connection.send(self.answer(message))
                elif isinstance(message, Counted):
                    self._state.tally.give_back(message.polls)
                    connection.send(message)
                elif isinstance(message, Follow):
                    self._hand_out(connection.send)

    def _hand_out(self, send: Callable[[Edition], None]) -> None:
        """Send the published state, and then whatever is new in each one that follows."""
        number, known = -1, dict[str, Answer]()
        while True:
            number, snapshot = self._state.wait_for_another(number)
            answers = snapshot.answers
            new = {path: one for path, one in answers.items() if known.get(path) is not one}
            gone = frozenset(known.keys() - answers.keys())
            send(Edition(number, snapshot.languages, new, gone))
            known = dict(answers)


def make_environ(request: Request) -> dict[str, Any]:
    """A request as WSGI has it (PEP 3333)."""
    host, _, port = request.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
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
    # The body is here as a whole, however it came.
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ


def main(address: str) -> None:
    """Serve the fronts at an address until SIGTERM, with the settings of this process."""
    end_with_parent(Path(address).parent)
    logs.configure("web")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    settings = load_settings()
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
    back = Back(state, make_app(database, settings.base_url, mounts, state))
    os.nice(_NICENESS)  # not before: until the back is there nothing is answered
    back.serve(address)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except CalfeedError as error:
        sys.exit(f"web: {error}")
