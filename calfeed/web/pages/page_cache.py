"""Pages that are ready: made once by Flask, then answered in front of it like feeds.

A page hangs on the published state, on the reader's language and on the time ("tomorrow", "now").
So one that Flask calls public is kept under its address and language until the minute is over. Of
the address only the known parameters count, and Flask sees no others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from calfeed.web.pages.query import FEED, settle_query
from calfeed.web.pages.reader.languages import choose_accepted
from calfeed.web.published.responses import (
    Answer,
    Application,
    Headers,
    KeptAnswers,
    StartResponse,
    make_answer,
    respond,
)
from calfeed.web.published.snapshot import EMPTY, Snapshot
from calfeed.web.published.state import State

PUBLIC = "public, no-cache"
"""The Cache-Control of a page that is the same for everybody: to be kept, and asked about again."""

_OF_FLASK = {"Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Date"}
"""What Flask says of the bytes that it sends; the last four it says of files."""


@dataclass(frozen=True)
class _Shelf:
    """The pages of one minute and one state. A page goes back where it was looked for."""

    minute: int
    snapshot: Snapshot
    pages: KeptAnswers[tuple[str, str, str]]


class ReadyPages:
    """WSGI middleware that keeps the public pages an application makes, up to so many bytes."""

    def __init__(
        self, application: Application, state: State, most_bytes: int = 32_000_000
    ) -> None:
        self._application = application
        self._state = state
        self._most_bytes = most_bytes
        self._shelf = _Shelf(0, EMPTY, KeptAnswers(most_bytes))

    @property
    def held(self) -> int:
        """How many bytes are kept now."""
        return self._shelf.pages.held

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or path.endswith(FEED):
            return self._application(environ, start_response)
        if query:
            query = settle_query(query, self._state.snapshot.languages)
            environ = {**environ, "QUERY_STRING": query}
        key = (path, query, choose_accepted(environ.get("HTTP_ACCEPT_LANGUAGE", "")).tag)
        pages = self._current_pages()
        answer = pages.find(key)
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
        pages.keep(key, answer)
        return respond(answer, environ, start_response)

    def _current_pages(self) -> KeptAnswers[tuple[str, str, str]]:
        minute, snapshot = int(self._state.clock().timestamp()) // 60, self._state.snapshot
        shelf = self._shelf
        if shelf.minute != minute or shelf.snapshot is not snapshot:
            shelf = self._shelf = _Shelf(minute, snapshot, KeptAnswers(self._most_bytes))
        return shelf.pages


def _settle(body: bytes, headers: Headers) -> Answer:
    """A page as an answer: what Flask said of it, with validators of its own and both forms."""
    said = {name: text for name, text in headers if name not in _OF_FLASK}
    kind = said.pop("Content-Type")
    return make_answer(body, kind, None, list(said.items()))


def _close(made: Iterable[bytes]) -> tuple[bytes, ...]:
    """Let a response that is not read go, as WSGI asks (PEP 3333)."""
    close = getattr(made, "close", None)
    if close is not None:
        close()
    return ()
