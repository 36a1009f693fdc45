"""Pages that are ready: made once by Flask, then answered in front of it like feeds.

A page hangs on the published state, on the reader's language and on the time ("tomorrow", "now").
So one that Flask calls public is kept under its address and language until the minute is over.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from calfeed.web.answers import (
    Answer,
    Application,
    Headers,
    StartResponse,
    make_answer,
    respond,
)
from calfeed.web.languages import choose_accepted
from calfeed.web.snapshot import EMPTY
from calfeed.web.state import State

PUBLIC = "public, no-cache"
"""The Cache-Control of a page that is the same for everybody: to be kept, and asked about again."""


class ReadyPages:
    """WSGI middleware that keeps the public pages an application makes, up to so many bytes."""

    def __init__(
        self, application: Application, state: State, most_bytes: int = 32_000_000
    ) -> None:
        self._application = application
        self._state = state
        self._most_bytes = most_bytes
        self._size = 0
        self._minute, self._snapshot = 0, EMPTY
        self._answers: OrderedDict[tuple[str, str, str], Answer] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """How many bytes are kept now."""
        return self._size

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        language = choose_accepted(environ.get("HTTP_ACCEPT_LANGUAGE", "")).tag
        key = (environ["PATH_INFO"], environ.get("QUERY_STRING", ""), language)
        minute, snapshot = int(self._state.clock().timestamp()) // 60, self._state.snapshot
        with self._lock:
            if minute != self._minute or snapshot is not self._snapshot:
                self._answers.clear()
                self._minute, self._snapshot, self._size = minute, snapshot, 0
            answer = self._answers.get(key)
        if answer is not None:
            return respond(answer, environ, start_response)
        headers: Headers = []

        def begin(status: str, said: Headers, exc_info: Any = None) -> Any:
            if status.startswith("200 ") and ("Cache-Control", PUBLIC) in said:
                headers.extend(said)
                return None  # what is public is answered below, with validators
            return start_response(status, said, exc_info)

        # A page is made whole for HEAD as well: its headers are those of GET.
        made = self._application({**environ, "REQUEST_METHOD": "GET"}, begin)
        if not headers:
            return made if environ["REQUEST_METHOD"] == "GET" else _close(made)
        answer = _settle(b"".join(made), headers)
        _close(made)
        with self._lock:
            if snapshot is self._snapshot and key not in self._answers:
                self._answers[key] = answer
                self._size += answer.size
                while self._size > self._most_bytes:
                    _, dropped = self._answers.popitem(last=False)
                    self._size -= dropped.size
        return respond(answer, environ, start_response)


def _settle(body: bytes, headers: Headers) -> Answer:
    """A page as an answer: what Flask said of it, with validators and both forms."""
    said = {name: text for name, text in headers if name != "Content-Length"}
    kind = said.pop("Content-Type")
    return make_answer(body, kind, None, list(said.items()))


def _close(made: Iterable[bytes]) -> tuple[bytes, ...]:
    """Let a response that is not read go, as WSGI asks (PEP 3333)."""
    close = getattr(made, "close", None)
    if close is not None:
        close()
    return ()
