"""Channels: messages leave here for chats, mail and the like, each channel in a line of its own.

A channel sends one note after the other, as chats and mail servers like it, and a note has a time
limit. What hangs keeps its own channel busy and no other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from calfeed.delivery.transport.sender import Outcome, Request, Sender
from calfeed.reminders.plain_text import Note, write_note

_log = logging.getLogger(__name__)

SCHEME = "channel://"
"""What the URL of a channel's endpoint begins with, before its name."""

_STOPPED = "stopped before it was sent"
_BUSY = "an earlier note to this channel has not come to its end"


class Notifiable(Protocol):
    """What can be sent a note; None says that it has the note, a text why it has not."""

    def send(self, note: Note) -> str | None: ...


class Dispatch(Sender):
    """A sender that gives what is for a channel to that channel, and posts the rest.

    `services` are the channels by name. A note has `note_timeout` seconds from when its turn has
    come; as a thread cannot be ended from outside, one that hangs keeps its channel busy until
    then and longer, and what comes meanwhile fails at once. `options` are the sender's.
    """

    def __init__(
        self,
        services: Mapping[str, Notifiable] | None = None,
        *,
        note_timeout: float = 30.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._unknown: set[str] = set()
        self._lines = {
            SCHEME + name: _Line(name, service, self._outcomes.put, note_timeout)
            for name, service in (services or {}).items()
        }

    def takes(self, url: str) -> bool:
        """Say whether this process can send to a URL; what channel it lacks is logged once."""
        if not url.startswith(SCHEME):
            return super().takes(url)
        known = url in self._lines
        if not known and url not in self._unknown:
            self._unknown.add(url)
            _log.warning(
                "channel %s is not in the file of CALFEED_CHANNELS here; what is for it is left to "
                "workers that have it",
                url.removeprefix(SCHEME),
            )
        return known

    def submit(self, requests: Sequence[Request]) -> None:
        """Take requests to send, any number, and return at once."""
        posts = []
        for request in requests:
            line = self._lines.get(request.url)
            if line is None:
                posts.append(request)
            else:
                line.add(request)
        super().submit(posts)

    def recall(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Take requests back that are not on their way yet: they have no outcome."""
        recalled = super().recall(unwanted)
        for line in self._lines.values():
            recalled += line.recall(unwanted)
        return recalled

    def close(self) -> None:
        """Stop at once; the outcome of what is not finished is an error. May be called again."""
        for line in self._lines.values():
            line.close()
        super().close()


class _Line:
    """The line before one channel, and the thread that works it off."""

    def __init__(
        self,
        name: str,
        service: Notifiable,
        report: Callable[[list[Outcome]], None],
        timeout: float,
    ) -> None:
        self._name = name
        self._service = service
        self._report = report
        self._timeout = timeout
        self._changed = threading.Condition()
        self._requests: deque[Request] = deque()
        self._sending: Request | None = None
        self._closed = False
        worker = threading.Thread(target=self._work, name=f"calfeed-channel-{name}", daemon=True)
        worker.start()

    def add(self, request: Request) -> None:
        with self._changed:
            closed = self._closed
            if not closed:
                self._requests.append(request)
                self._changed.notify()
        if closed:
            self._report([_outcome(request, _STOPPED)])

    def recall(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        with self._changed:
            taken: list[Request] = []
            left: deque[Request] = deque()
            for request in self._requests:
                (taken if unwanted(request) else left).append(request)
            self._requests = left
        return taken

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
            left = [*self._requests] if self._sending is None else [self._sending, *self._requests]
            self._requests.clear()
            self._sending = None
        self._report([_outcome(request, _STOPPED) for request in left])

    def _work(self) -> None:
        sender: threading.Thread | None = None
        while (request := self._take_next()) is not None:
            if sender is not None and sender.is_alive():
                self._settle(request, _outcome(request, _BUSY))
                continue
            # A thread of its own for each note, because the one that waits must not hang with it.
            sender = threading.Thread(
                target=self._send, args=(request,), name=f"calfeed-note-{self._name}", daemon=True
            )
            began, at = time.monotonic(), datetime.now(UTC)
            sender.start()
            sender.join(self._timeout)
            error = f"not taken after {self._timeout:g} seconds"
            self._settle(request, _outcome(request, error, began, at))

    def _take_next(self) -> Request | None:
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._closed)
            self._sending = None if self._closed else self._requests.popleft()
            return self._sending

    def _send(self, request: Request) -> None:
        began, at = time.monotonic(), datetime.now(UTC)
        try:
            error = self._service.send(write_note(request.body))
        except Exception as failure:
            # Only the error's name: its words can quote the channel's address.
            error = f"cannot be sent ({type(failure).__name__})"
        self._settle(request, _outcome(request, error, began, at))

    def _settle(self, request: Request, outcome: Outcome) -> None:
        """Report what came of a request, unless that was done: too late, or after the end."""
        with self._changed:
            if self._sending is not request:
                return
            self._sending = None
        self._report([outcome])


def _outcome(
    request: Request, error: str | None, began: float | None = None, at: datetime | None = None
) -> Outcome:
    milliseconds = 0 if began is None else round((time.monotonic() - began) * 1000)
    return Outcome(request.key, None, error, milliseconds, None, "", at or datetime.now(UTC))
