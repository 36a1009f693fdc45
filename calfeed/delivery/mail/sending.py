"""Send mails through the operator's SMTP server, on a few threads."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from calfeed.delivery.channels.sending import ChannelSender
from calfeed.delivery.mail.breaker import Breaker
from calfeed.delivery.mail.personal_mails import RETURN_PATH
from calfeed.delivery.mail.replies import MailError, scrub
from calfeed.delivery.mail.server import Connection
from calfeed.delivery.mail.server_urls import MailServer
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.store.people.records import SCHEME

_log = logging.getLogger(__name__)

_THREADS = 4
_IDLE_SECONDS = 20.0
"""How long a connection is kept without a mail; servers close it after minutes."""

_STOPPED = "stopped before it was sent"


class MailSender(ChannelSender):
    """A sender for mails, and for channels and webhooks as its base class.

    `sign` adds a signature to a mail. `options` are those of ChannelSender.
    """

    def __init__(
        self,
        server: MailServer,
        sign: Callable[[bytes], bytes] = lambda content: content,
        *,
        threads: int = _THREADS,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._breaker = Breaker(str(server), time.monotonic)
        self._mails = _MailQueue(server, sign, self._breaker, self._outcomes.put, threads)

    def accepts(self, url: str) -> bool:
        """Return whether this sender can send to a URL now.

        While the mail server fails, mails stay in the outbox, except one that tests the server.
        """
        return self._breaker.admits() if url.startswith(SCHEME) else super().accepts(url)

    def submit(self, requests: Sequence[Request]) -> None:
        """Accept requests, any number, and return at once."""
        others = []
        for request in requests:
            if request.url.startswith(SCHEME):
                self._mails.add(request)
            else:
                others.append(request)
        super().submit(others)

    def recall(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Take back requests whose sending has not begun; they have no outcome."""
        return super().recall(unwanted) + self._mails.recall(unwanted)

    def close(self) -> None:
        """Stop at once; unfinished requests have an error as their outcome. Idempotent."""
        self._mails.close()
        super().close()


class _MailQueue:
    """A queue of mails and the threads that send from it, each with a connection of its own."""

    def __init__(
        self,
        server: MailServer,
        sign: Callable[[bytes], bytes],
        breaker: Breaker,
        report: Callable[[list[Outcome]], None],
        threads: int,
    ) -> None:
        self._server = server
        self._sign = sign
        self._breaker = breaker
        self._report = report
        self._changed = threading.Condition()
        self._requests: deque[Request] = deque()
        self._current: dict[int, Request] = {}  # requests without an outcome yet, by id()
        self._closed = False
        for number in range(threads):
            name = f"calfeed-mail-{number}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def add(self, request: Request) -> None:
        with self._changed:
            closed = self._closed
            if not closed:
                self._requests.append(request)
                self._changed.notify()
        if closed:
            self._report([_outcome(request, MailError(None, _STOPPED))])

    def recall(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        with self._changed:
            recalled = [request for request in self._requests if unwanted(request)]
            kept = [request for request in self._requests if not unwanted(request)]
            self._requests = deque(kept)
        return recalled

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            unsent = [*self._current.values(), *self._requests]
            self._requests.clear()
            self._current.clear()
        self._report([_outcome(request, MailError(None, _STOPPED)) for request in unsent])

    def _work(self) -> None:
        connection = Connection(self._server)
        while (request := self._take_next(connection)) is not None:
            began, at = time.monotonic(), datetime.now(UTC)
            try:
                outcome = self._send(connection, request, began, at)
            except MailError as failure:
                outcome = _outcome(request, failure, began, at)
            self._breaker.record(outcome)
            with self._changed:
                reported = self._current.pop(id(request), None) is None
            if not reported:
                self._report([outcome])
        connection.close()

    def _take_next(self, connection: Connection) -> Request | None:
        """Wait for a request; close the connection if there is none for a while."""
        with self._changed:
            while not self._requests and not self._closed:
                if not self._changed.wait(_IDLE_SECONDS if connection.is_open else None):
                    connection.close()
            if self._closed:
                return None
            request = self._requests.popleft()
            self._current[id(request)] = request
            return request

    def _send(
        self, connection: Connection, request: Request, began: float, at: datetime
    ) -> Outcome:
        self._breaker.check()
        recipient = request.url.removeprefix(SCHEME)
        try:
            content = self._sign(request.write() if request.write else request.body)
        except Exception as error:
            # Without the error's text, which can quote the address.
            trace = "".join(traceback.format_tb(error.__traceback__))
            _log.error("a mail could not be written (%s)\n%s", type(error).__name__, trace)
            raise MailError(None, f"the mail cannot be written ({type(error).__name__})") from None
        sender = request.headers[RETURN_PATH]
        code, reply = connection.send(sender, recipient, content)
        took = round((time.monotonic() - began) * 1000)
        return Outcome(request.key, code, None, took, None, scrub(reply, recipient, sender), at)


def _outcome(
    request: Request, failure: MailError, began: float | None = None, at: datetime | None = None
) -> Outcome:
    took = 0 if began is None else round((time.monotonic() - began) * 1000)
    return Outcome(
        request.key,
        failure.status,
        failure.error,
        took,
        None,
        failure.response,
        at or datetime.now(UTC),
        failure.fault,
    )
