"""Send many requests concurrently, through libcurl's multi interface on a thread of its own.

Each request that is passed to `submit` has exactly one `Outcome` in `results`: a response, an
error, or that the sender was closed. Only a request that `recall` takes back has no outcome. The
sender does not retry. But libcurl repeats a request on a new connection if a reused connection was
closed before the first byte of the response; this counts as one attempt.

perform() drives libcurl: on loopback it takes a quarter less CPU per request than
socket_action(), whose callbacks are Python calls.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from queue import Empty, SimpleQueue
from typing import Any, Self

import pycurl

from calfeed import __version__
from calfeed.delivery.transport.egress import make_options
from calfeed.delivery.transport.transfer import Request, Transfer, fail
from calfeed.errors import InvalidInputError
from calfeed.reminders.retry import Outcome

__all__ = ["Outcome", "Request", "Sender"]

_log = logging.getLogger(__name__)

# The same number of connections may be idle besides; all together stay below the limit of select(),
# which is 1024 descriptors.
_MAX_IN_FLIGHT = 400
_MAX_WAIT_SECONDS = 1.0

_STOPPED = "stopped before a response"


class Sender:
    """A thread that sends requests, at most `max_in_flight` at a time.

    At most `max_per_host` of them go to one scheme, host and port. Others are queued, and the time
    limits (seconds) begin when a request leaves the queue.

    Connections to private addresses are refused unless `allow_private`. With `egress_proxy` (a
    URL) the proxy connects and has to check addresses itself. `ca_file` (PEM) replaces the
    system's certificate authorities. `resolve` maps names to addresses, each written
    "host:port:address". Redirects are not followed, and proxies of the environment are ignored.

    The public methods may be called from any thread. Raises InvalidInputError for limits that
    are out of range.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        egress_proxy: str | None = None,
        ca_file: str | None = None,
        max_in_flight: int = 256,
        max_per_host: int = 64,
        connect_timeout: float = 5.0,
        timeout: float = 15.0,
        resolve: Sequence[str] = (),
    ) -> None:
        if not 1 <= max_in_flight <= _MAX_IN_FLIGHT or max_per_host < 1:
            raise InvalidInputError(
                f"max_in_flight must be from 1 to {_MAX_IN_FLIGHT}, max_per_host at least 1"
            )
        self._max_in_flight = max_in_flight
        self._max_per_host = max_per_host
        options = {
            **make_options(egress_proxy, ca_file),
            pycurl.POST: 1,
            pycurl.USERAGENT: f"calfeed/{__version__}",
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.TCP_NODELAY: 1,
            pycurl.OPT_CERTINFO: 1,
            pycurl.CONNECTTIMEOUT_MS: int(connect_timeout * 1000),
            pycurl.TIMEOUT_MS: int(timeout * 1000),
            pycurl.RESOLVE: list(resolve),
        }
        guarded = not allow_private and egress_proxy is None
        self._make_transfer = partial(Transfer, options, guarded)

        # Shared with the thread, under the lock (the outcome queue has its own).
        self._lock = threading.Lock()
        self._inbox: list[Request] = []
        self._queues: dict[str, deque[Request]] = {}  # by origin, in round-robin order
        self._closing = self._stopped = False
        self._outcomes: SimpleQueue[list[Outcome]] = SimpleQueue()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)

        # Used by the sender's thread only.
        self._multi = self._make_multi()
        self._active: dict[Any, Transfer] = {}  # by pycurl.Curl
        self._busy: Counter[str] = Counter()  # active transfers by origin
        self._idle: list[Transfer] = []
        self._thread = threading.Thread(target=self._run, name="calfeed-sender", daemon=True)
        self._thread.start()

    def accepts(self, url: str) -> bool:
        """Return whether this sender can send to a URL."""
        return url.startswith(("https://", "http://"))

    def submit(self, requests: Sequence[Request]) -> None:
        """Accept requests, any number, and return at once.

        After `close` the outcome of each is an error.
        """
        with self._lock:
            stopped = self._stopped
            if requests and not stopped:
                self._inbox.extend(requests)
                self._wake_up()
        if stopped:
            self._report([(request, fail(request, _STOPPED)) for request in requests])

    def results(self, timeout: float) -> list[Outcome]:
        """Return all outcomes so far, waiting up to `timeout` seconds for the first."""
        outcomes: list[Outcome] = []
        with suppress(Empty):
            outcomes += self._outcomes.get(timeout=max(0.0, timeout))
            while True:
                outcomes += self._outcomes.get_nowait()
        return outcomes

    def recall(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Take back requests whose sending has not begun; they have no outcome."""
        recalled: list[Request] = []
        with self._lock:
            for queue in (self._inbox, *self._queues.values()):
                kept: list[Request] = []
                for request in queue:
                    (recalled if unwanted(request) else kept).append(request)
                queue.clear()
                queue.extend(kept)
            self._queues = {origin: queue for origin, queue in self._queues.items() if queue}
        return recalled

    def close(self) -> None:
        """Stop at once; unfinished requests have an error as their outcome. Idempotent."""
        with self._lock:
            self._closing = True
            if not self._stopped:
                self._wake_up()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wake_up(self) -> None:
        with suppress(BlockingIOError):  # the buffer is full of earlier wake-ups
            self._waker.send(b"\0")

    def _report(self, done: Sequence[tuple[Request, Outcome]]) -> None:
        if done:
            self._outcomes.put([outcome for _, outcome in done])

    def _make_multi(self) -> Any:
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_MAXCONNECTS, self._max_in_flight)  # connections kept for reuse
        return multi

    # The sender's thread.

    def _run(self) -> None:
        while not self._closing:
            try:
                self._drive()
            except Exception as error:
                _log.exception("the sender failed and restarts")
                self._abort(f"calfeed failed while sending ({type(error).__name__})")
                self._multi = self._make_multi()
        self._abort(_STOPPED)
        with self._lock:
            self._stopped = True
            queues = (*self._queues.values(), self._inbox)
            unsent = [request for queue in queues for request in queue]
            self._wake.close()
            self._waker.close()
        self._report([(request, fail(request, _STOPPED)) for request in unsent])

    def _drive(self) -> None:
        while not self._closing:
            with self._lock:
                for request in self._inbox:
                    self._queues.setdefault(_origin_of(request.url), deque()).append(request)
                self._inbox.clear()
                self._start_queued()
            self._multi.perform()
            if not self._finish():
                self._wait()

    def _start_queued(self) -> None:
        """Start queued requests as the limits allow, round-robin over the origins."""
        started = True
        while started:
            started = False
            for origin in list(self._queues):
                if len(self._active) >= self._max_in_flight:
                    return
                if self._busy[origin] < self._max_per_host:
                    queue = self._queues.pop(origin)
                    request = queue.popleft()
                    if queue:
                        self._queues[origin] = queue  # at the end, behind the other origins
                    self._start(request, origin)
                    started = True

    def _start(self, request: Request, origin: str) -> None:
        try:
            transfer = self._idle.pop() if self._idle else self._make_transfer()
            transfer.prepare(request)
        except Exception as error:
            # Only the error's type: its text can quote the URL or a header.
            self._report([(request, fail(request, f"cannot be sent ({type(error).__name__})"))])
            return
        self._active[transfer.curl] = transfer
        self._busy[origin] += 1
        self._multi.add_handle(transfer.curl)

    def _finish(self) -> bool:
        """Report the transfers that libcurl has finished; False if there are none."""
        done: list[tuple[Request, Outcome]] = []
        remaining = 1
        try:
            while remaining:
                remaining, succeeded, failed = self._multi.info_read()
                ended = [(curl, pycurl.E_OK, "") for curl in succeeded] + failed
                for curl, code, message in ended:
                    done.append(self._release(curl, code, message))
        finally:  # these are no longer active, so nothing else would report them
            self._report(done)
        return bool(done)

    def _release(self, curl: Any, code: int, message: str) -> tuple[Request, Outcome]:
        transfer = self._active[curl]
        request = transfer.request
        try:
            outcome = transfer.outcome(code, message)
        except Exception as error:
            # What one receiver sends must not end the requests to others.
            _log.exception("the outcome of a request could not be read")
            outcome = fail(request, f"cannot be read ({type(error).__name__})")
        self._multi.remove_handle(curl)
        del self._active[curl]
        _subtract(self._busy, _origin_of(request.url))
        self._idle.append(transfer)
        return request, outcome

    def _wait(self) -> None:
        """Wait for a socket, for libcurl's next timeout or for a wake-up."""
        readable, writable, broken = self._multi.fdset()
        milliseconds = self._multi.timeout()
        seconds = min(milliseconds / 1000, _MAX_WAIT_SECONDS)
        if milliseconds < 0:  # libcurl has no timeout set
            seconds = _MAX_WAIT_SECONDS
        ready, _, _ = select.select([*readable, self._wake], writable, broken, seconds)
        if self._wake in ready:
            self._wake.recv(4096)

    def _abort(self, error: str) -> None:
        """End every transfer, with `error` as its outcome, and close libcurl's handles."""
        active = list(self._active.values())
        for transfer in active:
            with suppress(pycurl.error):  # it may not have been added yet
                self._multi.remove_handle(transfer.curl)
        for transfer in (*active, *self._idle):
            transfer.curl.close()
        self._multi.close()
        self._active, self._idle = {}, []
        self._busy.clear()
        self._report([(transfer.request, fail(transfer.request, error)) for transfer in active])


@lru_cache(maxsize=4096)
def _origin_of(url: str) -> str:
    """The scheme, host and port of a URL in normal form."""
    return "/".join(url.split("/", 3)[:3])


def _subtract(counts: Counter[str], origin: str) -> None:
    """Decrement a count; remove it at zero, so that the counter does not grow without bound."""
    counts[origin] -= 1
    if not counts[origin]:
        del counts[origin]
