"""Send messages to channels: chats, mail and other services.

Each channel has a queue and a thread, and sends one notification at a time, within a time limit.
A channel that hangs does not delay the others.
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
from calfeed.reminders.plain_text import Notification, format_notification

_log = logging.getLogger(__name__)

SCHEME = "channel://"
"""The scheme of the URLs of channel endpoints, before the channel's name."""

_STOPPED = "stopped before it was sent"
_BUSY = "an earlier message to this channel is still being sent"


class Notifiable(Protocol):
    """A service that notifications are sent to."""

    def send(self, notification: Notification) -> str | None:
        """Send a notification; return None on success, else the reason for people."""


class ChannelSender(Sender):
    """A sender for channels, and for webhooks as its base class.

    `services` are the channels by name. Sending a notification may take `send_timeout` seconds. A
    thread cannot be ended from outside, so a call that hangs keeps its channel busy for longer;
    until the call returns, further messages to the channel fail at once. `options` are the other
    parameters of Sender.
    """

    def __init__(
        self,
        services: Mapping[str, Notifiable] | None = None,
        *,
        send_timeout: float = 30.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._unknown: set[str] = set()
        self._channels = {
            SCHEME + name: _ChannelQueue(name, service, self._outcomes.put, send_timeout)
            for name, service in (services or {}).items()
        }

    def accepts(self, url: str) -> bool:
        """Return whether this sender can send to a URL; log an unknown channel once."""
        if not url.startswith(SCHEME):
            return super().accepts(url)
        known = url in self._channels
        if not known and url not in self._unknown:
            self._unknown.add(url)
            _log.warning(
                "channel %s is not in this worker's channels file (CALFEED_CHANNELS); its messages "
                "are left to other workers",
                url.removeprefix(SCHEME),
            )
        return known

    def submit(self, requests: Sequence[Request]) -> None:
        """Accept requests, any number, and return at once."""
        webhooks = []
        for request in requests:
            channel = self._channels.get(request.url)
            if channel is None:
                webhooks.append(request)
            else:
                channel.add(request)
        super().submit(webhooks)

    def recall(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Take back requests whose sending has not begun; they have no outcome."""
        recalled = super().recall(unwanted)
        for channel in self._channels.values():
            recalled += channel.recall(unwanted)
        return recalled

    def close(self) -> None:
        """Stop at once; unfinished requests have an error as their outcome. Idempotent."""
        for channel in self._channels.values():
            channel.close()
        super().close()


class _ChannelQueue:
    """The queue of one channel, and the thread that sends from it."""

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
            recalled: list[Request] = []
            kept: deque[Request] = deque()
            for request in self._requests:
                (recalled if unwanted(request) else kept).append(request)
            self._requests = kept
        return recalled

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
            current = [] if self._sending is None else [self._sending]
            unsent = [*current, *self._requests]
            self._requests.clear()
            self._sending = None
        self._report([_outcome(request, _STOPPED) for request in unsent])

    def _work(self) -> None:
        sender: threading.Thread | None = None
        while (request := self._take_next()) is not None:
            if sender is not None and sender.is_alive():
                self._report_once(request, _outcome(request, _BUSY))
                continue
            # Each notification has a thread of its own, so that this thread does not hang if a
            # call hangs.
            sender = threading.Thread(
                target=self._send, args=(request,), name=f"calfeed-send-{self._name}", daemon=True
            )
            began, at = time.monotonic(), datetime.now(UTC)
            sender.start()
            sender.join(self._timeout)
            error = f"not sent after {self._timeout:g} seconds"
            self._report_once(request, _outcome(request, error, began, at))

    def _take_next(self) -> Request | None:
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._closed)
            self._sending = None if self._closed else self._requests.popleft()
            return self._sending

    def _send(self, request: Request) -> None:
        began, at = time.monotonic(), datetime.now(UTC)
        try:
            error = self._service.send(format_notification(request.body))
        except Exception as failure:
            # Only the error's type: its text can quote the channel's URL.
            error = f"cannot be sent ({type(failure).__name__})"
        self._report_once(request, _outcome(request, error, began, at))

    def _report_once(self, request: Request, outcome: Outcome) -> None:
        """Report an outcome, unless the request timed out or the channel was closed before."""
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
