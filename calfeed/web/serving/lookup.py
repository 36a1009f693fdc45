"""What a front answers by itself: the feeds of the published state, and pages that are ready."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import TypeAlias

from calfeed.web.pages.query import FEED, settle_query
from calfeed.web.pages.reader.languages import choose_accepted
from calfeed.web.published.responses import Answer, KeptAnswers
from calfeed.web.serving.link import Edition, Follow, Settled, connect

Key: TypeAlias = tuple[str, str, str]

_MOST_BYTES = 64_000_000
_LONGEST_ADDRESS = 1_000
"""Longer addresses are in no link of ours, and are not kept."""

_PAUSE = 0.2
"""Seconds between two attempts to reach the back."""


class _Ready:
    """Answers that the back settled, of one edition, until a time (monotonic seconds)."""

    def __init__(self, edition: int, until: float = 0.0) -> None:
        self.edition = edition
        self.until = until
        self.kept: KeptAnswers[Key] = KeptAnswers(_MOST_BYTES)


class Table:
    """The answers of the newest edition, by path, and those kept since. For the event loop alone.

    To make one waits for the back, however long that takes. While it is away later on, the table
    stays as it is.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.answers: Mapping[str, Answer] = {}
        self._languages: frozenset[str] = frozenset()
        self._ready = _Ready(-1)
        self._connection, edition = self._begin()
        self._take(edition, {})

    def find(self, path: str, query: str) -> Answer | None:
        """None: what is not in `answers` the back has to make."""
        return None

    def key_of(self, path: str, query: str, accepted: str) -> Key:
        """The key of an answer: its address, and the language that Accept-Language chooses.

        Of a page's address only the known parameters count, as in the back.
        """
        if query and not path.endswith(FEED):
            query = settle_query(query, self._languages)
        return path, query, choose_accepted(accepted).tag

    def find_ready(self, key: Key) -> Answer | None:
        """An answer that was kept and still holds."""
        ready = self._ready
        return ready.kept.find(key) if time.monotonic() < ready.until else None

    def keep(self, key: Key, settled: Settled) -> None:
        """Keep an answer for as long as it holds, unless it is of another edition."""
        ready, now = self._ready, time.monotonic()
        if settled.edition != ready.edition or len(key[0]) + len(key[1]) > _LONGEST_ADDRESS:
            return
        if now >= ready.until:
            ready = self._ready = _Ready(ready.edition, now + settled.lasting)
        ready.kept.keep(key, settled.answer)

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take each edition that comes, as long as the process lives."""

        def follow_on() -> None:
            while True:
                try:
                    while True:
                        loop.call_soon_threadsafe(self._take, self._connection.recv(), None)
                except (EOFError, OSError):
                    self._connection, edition = self._begin()
                    loop.call_soon_threadsafe(self._take, edition, {})

        threading.Thread(target=follow_on, daemon=True).start()

    def _begin(self) -> tuple[Connection, Edition]:
        """Connect to the back, and wait for its edition, however long that takes."""
        while True:
            try:
                connection = connect(self._address)
                connection.send(Follow())
                return connection, connection.recv()
            except (EOFError, OSError):
                time.sleep(_PAUSE)

    def _take(self, edition: Edition, before: Mapping[str, Answer] | None) -> None:
        """Take over an edition. It adds to `before`; None stands for the current answers."""
        answers = dict(self.answers if before is None else before)
        for path in edition.gone:
            answers.pop(path, None)
        answers.update(edition.answers)
        self.answers = answers
        self._languages = edition.languages
        self._ready = _Ready(edition.number)
