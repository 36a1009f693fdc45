"""Per-endpoint concurrency limits, so that one slow endpoint cannot starve the others.

The limit grows as TCP's congestion window does: an endpoint begins with a few concurrent requests,
and each fast response allows one more. After a failure without a response the limit is one, with
exponential backoff. Claims beyond the limit are queued; claims beyond the queue are released.

Times are seconds of a clock that is never set (`time.monotonic`).
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from calfeed.delivery.engine.attempts import claim_of
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.store.outbox.claims import Claim

_INITIAL_LIMIT = 4
_MAX_LIMIT = 2048

_ENDPOINT_QUEUE, _TOTAL_QUEUE = 64, 512
"""How many requests may be queued, for one endpoint and in total."""

_FAST_ENDPOINT_QUEUE, _FAST_TOTAL_QUEUE = 1024, 2048
"""The limits for an endpoint that responds fast, because its queue drains soon."""

_MAX_IN_FLIGHT = 4096
_MAX_CLAIM = 1024

_FAST_SECONDS = 1.0
"""Within how many seconds a response counts as fast."""

_MIN_RELEASE_SECONDS, _MAX_RELEASE_SECONDS = 0.05, 300.0
"""How long a released claim that exceeded the limits cannot be claimed again."""

_FIRST_BACKOFF_SECONDS = 5.0
"""The first backoff. Each further one is twice as long, up to `_MAX_RELEASE_SECONDS`."""

_MAX_ENDPOINTS = 10_000
"""Above this number of endpoints, the state of idle ones is deleted."""

_IDLE_SECONDS = 60.0


@dataclass(slots=True)
class _EndpointState:
    responded_at: float  # the last response, or the start of the requests in flight
    limit: int = _INITIAL_LIMIT
    sending: int = 0
    queue: deque[Request] = field(default_factory=deque)
    response_seconds: float = 0.0  # duration of the last response
    fast: bool = True
    failures: int = 0  # consecutive failures without a response
    backoffs: int = 0  # in a row
    backoff_until: float = 0.0
    busy_until: float = 0.0  # estimated from the claims that were released

    @property
    def free_slots(self) -> int:
        """How many more requests could be sent at once; negative if some are queued."""
        return self.limit - self.sending - len(self.queue)

    @property
    def queue_limits(self) -> tuple[int, int]:
        """Return the limits of this endpoint's queue, and of all queues together."""
        if self.backoffs:
            return 0, 0
        if self.fast and self.limit > _INITIAL_LIMIT:
            return _FAST_ENDPOINT_QUEUE, _FAST_TOTAL_QUEUE
        return _ENDPOINT_QUEUE, _TOTAL_QUEUE


_P = ParamSpec("_P")
_R = TypeVar("_R")


def _locked(
    method: Callable[Concatenate[ConcurrencyLimits, _P], _R],
) -> Callable[Concatenate[ConcurrencyLimits, _P], _R]:
    @wraps(method)
    def locked(self: ConcurrencyLimits, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


class ConcurrencyLimits:
    """The limits and queues of the endpoints that a worker sends to. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[str, _EndpointState] = {}
        self._queued_endpoints: set[str] = set()
        self._queued = 0
        self._last_claim: Counter[str] = Counter()  # the deliveries claimed, by endpoint
        self._polled_at = 0.0  # when outcomes were last read
        self.outstanding = 0  # requests that are queued or being sent

    @_locked
    def claim_size(self, in_flight: int) -> int:
        """How many deliveries to claim next, given how many are in flight.

        Assumes the same mix of endpoints as in the last claim. Keeps the share of claims that would
        have to be released below an eighth.
        """
        first_claim = _INITIAL_LIMIT + _ENDPOINT_QUEUE
        size = min(_MAX_IN_FLIGHT - in_flight, _MAX_CLAIM if self._last_claim else first_claim)
        while size > _ENDPOINT_QUEUE and size - self._count_fitting(size) > size / 8:
            size //= 2
        return max(size, 0)

    @_locked
    def admit(self, claims: Sequence[Claim], at: float) -> tuple[list[Claim], dict[Claim, float]]:
        """Divide claims into those to send and those to release.

        The latter map to the seconds after which they may be claimed again.
        """
        admitted: list[Claim] = []
        released: dict[Claim, float] = {}
        self._last_claim.clear()
        if len(self._endpoints) >= _MAX_ENDPOINTS:
            # Delete idle state only here: an admitted claim needs its endpoint's state until it is
            # queued.
            self._forget_idle(at)
        admitted_by_endpoint: Counter[str] = Counter()
        queued = self._queued
        for claim in claims:
            endpoint_id = claim.endpoint_id
            state = self._endpoints.get(endpoint_id)
            if state is None:
                state = self._endpoints[endpoint_id] = _EndpointState(responded_at=at)
            if state.backoff_until > at:
                released[claim] = state.backoff_until - at
                continue
            self._last_claim[endpoint_id] += 1
            free_slots = state.free_slots - admitted_by_endpoint[endpoint_id]
            endpoint_queue, total_queue = state.queue_limits
            if free_slots <= 0:
                if free_slots <= -endpoint_queue or queued >= total_queue:
                    released[claim] = self._release_seconds(state, at)
                    continue
                queued += 1
            admitted.append(claim)
            admitted_by_endpoint[endpoint_id] += 1
        return admitted, released

    @_locked
    def enqueue(self, requests: Iterable[Request]) -> None:
        """Queue requests for their endpoints."""
        for request in requests:
            endpoint_id = endpoint_of(request)
            self._endpoints[endpoint_id].queue.append(request)
            self._queued_endpoints.add(endpoint_id)
            self._queued += 1
            self.outstanding += 1

    @_locked
    def dequeue(self, at: float) -> list[Request]:
        """Remove from the queues the requests that the limits allow to send now; return them."""
        requests: list[Request] = []
        for endpoint_id in list(self._queued_endpoints):
            state = self._endpoints[endpoint_id]
            if not state.sending:
                state.responded_at = at
            while state.queue and state.sending < state.limit:
                requests.append(state.queue.popleft())
                state.sending += 1
            if not state.queue:
                self._queued_endpoints.remove(endpoint_id)
        self._queued -= len(requests)
        return requests

    @_locked
    def adjust(self, outcomes: Sequence[Outcome], at: float) -> set[str]:
        """Adjust the limits to outcomes; return the endpoints whose backoff begins now.

        `outcomes` are all outcomes that were available at `at`.
        """
        self._polled_at = at
        backing_off: set[str] = set()
        for outcome in outcomes:
            endpoint_id = endpoint_of(outcome)
            state = self._endpoints[endpoint_id]
            state.sending -= 1
            state.responded_at = at
            state.response_seconds = outcome.milliseconds / 1000
            fast = state.response_seconds < _FAST_SECONDS
            state.fast = fast and outcome.error is None
            if outcome.error is None:
                state.failures = state.backoffs = 0
                state.backoff_until = 0.0
                if fast and outcome.received:
                    state.limit = min(state.limit + 1, _MAX_LIMIT)
                continue
            state.limit = 1
            state.failures += 1
            # One broken connection may be chance; back off after a timeout or a second failure.
            if state.backoff_until <= at and (not fast or state.failures > 1):
                backoff = min(_FIRST_BACKOFF_SECONDS * 2.0**state.backoffs, _MAX_RELEASE_SECONDS)
                state.backoff_until = at + backoff
                state.backoffs += 1
                backing_off.add(endpoint_id)
        self.outstanding -= len(outcomes)
        return backing_off

    @_locked
    def remove_queued(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Remove the unwanted requests from the queues and return them."""
        removed: list[Request] = []
        for endpoint_id in list(self._queued_endpoints):
            state = self._endpoints[endpoint_id]
            kept: deque[Request] = deque()
            for request in state.queue:
                (removed if unwanted(request) else kept).append(request)
            state.queue = kept
            if not kept:
                self._queued_endpoints.remove(endpoint_id)
        self._queued -= len(removed)
        self.outstanding -= len(removed)
        return removed

    @_locked
    def cancel_dequeued(self, requests: Iterable[Request]) -> None:
        """Free the slots of requests that were dequeued and then recalled from the sender."""
        for request in requests:
            self._endpoints[endpoint_of(request)].sending -= 1
            self.outstanding -= 1

    @_locked
    def backoff_remaining(self, endpoint_id: str, at: float) -> float:
        """The seconds until an endpoint's backoff ends."""
        return max(0.0, self._endpoints[endpoint_id].backoff_until - at)

    def _count_fitting(self, size: int) -> float:
        """Estimate how many of `size` claims would be admitted, by the mix of the last claim."""
        if not self._last_claim:
            return size
        ratio = size / self._last_claim.total()
        fitting, queued = 0.0, float(self._queued)
        for endpoint_id, count in self._last_claim.items():
            state = self._endpoints[endpoint_id]
            endpoint_queue, total_queue = state.queue_limits
            expected = count * ratio
            sent = min(expected, max(state.free_slots, 0))
            queue_space = state.free_slots + endpoint_queue - sent
            added = max(min(expected - sent, queue_space, total_queue - queued), 0.0)
            queued += added
            fitting += sent + added
        return fitting

    def _release_seconds(self, state: _EndpointState, at: float) -> float:
        """The seconds until an endpoint can probably take one more delivery."""
        if state.backoffs:
            return _FIRST_BACKOFF_SECONDS  # soon: the probe request may have succeeded
        # Count up to the last poll, not to `at`: time spent waiting for the database is not the
        # endpoint's response time.
        silence = max(0.0, self._polled_at - state.responded_at) if state.sending else 0.0
        response_seconds = max(state.response_seconds, silence)
        if state.fast and silence < _FAST_SECONDS:
            return max(response_seconds, _MIN_RELEASE_SECONDS)
        earliest = max(state.busy_until, at + _MIN_RELEASE_SECONDS)
        state.busy_until = min(earliest + response_seconds / state.limit, at + _MAX_RELEASE_SECONDS)
        return state.busy_until - at

    def _forget_idle(self, at: float) -> None:
        self._endpoints = {
            endpoint_id: state
            for endpoint_id, state in self._endpoints.items()
            if state.sending
            or state.queue
            or max(state.responded_at, state.backoff_until) > at - _IDLE_SECONDS
        }


def endpoint_of(item: Request | Outcome) -> str:
    """The id of the endpoint that a request is for."""
    return claim_of(item).endpoint_id
