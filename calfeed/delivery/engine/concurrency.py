"""How much of a worker's hands each endpoint may fill, so that one that hangs leaves room.

As in TCP: an endpoint begins with a few posts at a time, and each quick answer allows one more. One
that gives no answer is down to a single post at a time and rests, longer each time. What is
claimed for an endpoint beyond its share waits in line, and beyond that line it is given back.

Times are seconds of a clock that never steps (`time.monotonic`).
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from calfeed.delivery.engine.attempts import Posting
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.store.outbox.claims import Claim

_FEW = 4
"""The posts at a time that an endpoint begins with."""

_MOST = 2048
"""And those that it can get to."""

_LINE, _LINES = 64, 512
"""How many more may wait for their turn, for one endpoint and in all,"""

_QUICK_LINE, _QUICK_LINES = 1024, 2048
"""and for one whose answers are quick: it will soon have come to them."""

_HANDS = 4096
"""How many deliveries a worker has in hand, posted or in line."""

_CLAIM = 1024
"""How many it claims at once at the most, and of which nothing is known as many as have room."""

_QUICK = 1.0
"""Seconds within which an answer is quick."""

_SOON, _LATE = 0.05, 300.0
"""Seconds for which what there is no room for is given back: at least, and at the most."""

_REST = 5.0
"""Seconds of the first rest. Each one after it is twice as long, up to `_LATE`."""

_REMEMBERED = 10_000
"""How many endpoints are remembered before those that are idle are forgotten."""

_IDLE = 60.0


@dataclass(slots=True)
class _Share:
    heard: float  # since when it gives no answer, while something is posted
    most: int = _FEW
    posted: int = 0
    line: deque[Request] = field(default_factory=deque)
    answer: float = 0.0  # how long its last answer took
    quick: bool = True
    failures: int = 0  # posts in a row that had no answer
    rests: int = 0
    rests_until: float = 0.0
    booked: float = 0.0  # up to when what was given back will keep it busy

    @property
    def free(self) -> int:
        """How many more would be posted at once; less than none where some are in line."""
        return self.most - self.posted - len(self.line)

    @property
    def lines(self) -> tuple[int, int]:
        """How many may be in its line, and in all lines when one more is let into it."""
        if self.rests:
            return 0, 0
        return (_QUICK_LINE, _QUICK_LINES) if self.quick and self.most > _FEW else (_LINE, _LINES)


_P = ParamSpec("_P")
_R = TypeVar("_R")


def _locked(
    method: Callable[Concatenate[Shares, _P], _R],
) -> Callable[Concatenate[Shares, _P], _R]:
    """One thread at a time."""

    @wraps(method)
    def locked(self: Shares, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


class Shares:
    """The shares of the endpoints that a worker posts to. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}
        self._waiting: set[str] = set()  # endpoints with a line
        self._in_lines = 0
        self._last: Counter[str] = Counter()  # what the last claim had for whom
        self._listened = 0.0  # when outcomes were last asked for
        self.in_hand = 0

    @_locked
    def find_room(self, held: int) -> int:
        """How many deliveries to claim, if they are for the same endpoints as the last ones.

        `held` is how many there are already whose end is not recorded. Not more than an eighth of
        the others should have to be given back.
        """
        room = min(_HANDS - held, _CLAIM if self._last else _FEW + _LINE)
        while room > _LINE and room - self._count_fitting(room) > room / 8:
            room //= 2
        return max(room, 0)

    @_locked
    def sort_out(
        self, claims: Sequence[Claim], at: float
    ) -> tuple[list[Claim], dict[Claim, float]]:
        """Divide claims into those to keep and those to give back.

        The latter come with the seconds until it is worth to claim them again.
        """
        kept: list[Claim] = []
        back: dict[Claim, float] = {}
        self._last.clear()
        if len(self._shares) >= _REMEMBERED:
            # Not in between: what is kept here counts on its share until it is in line.
            self._forget(at)
        more: Counter[str] = Counter()
        in_lines = self._in_lines
        for one in claims:
            key = one.endpoint_id
            share = self._find(key, at)
            if share.rests_until > at:
                back[one] = share.rests_until - at
                continue
            self._last[key] += 1
            free, (line, lines) = share.free - more[key], share.lines
            if free > 0:
                kept.append(one)
                more[key] += 1
            elif free > -line and in_lines < lines:
                kept.append(one)
                more[key] += 1
                in_lines += 1
            else:
                back[one] = self._find_turn(share, at)
        return kept, back

    @_locked
    def line_up(self, requests: Iterable[Request]) -> None:
        """Put requests at the end of their endpoints' lines."""
        for request in requests:
            key = endpoint_of(request)
            self._shares[key].line.append(request)
            self._waiting.add(key)
            self._in_lines += 1
            self.in_hand += 1

    @_locked
    def take_turns(self, at: float) -> list[Request]:
        """Take the requests whose turn has come out of the lines: they are to be posted now."""
        turns: list[Request] = []
        for key in list(self._waiting):
            share = self._shares[key]
            if not share.posted:
                share.heard = at  # there was nothing to hear
            while share.line and share.posted < share.most:
                turns.append(share.line.popleft())
                share.posted += 1
            if not share.line:
                self._waiting.remove(key)
        self._in_lines -= len(turns)
        return turns

    @_locked
    def note(self, outcomes: Sequence[Outcome], at: float) -> set[str]:
        """Learn from what came of posts, all there was at this time; who is to rest from now on."""
        self._listened = at
        resting: set[str] = set()
        for outcome in outcomes:
            key = endpoint_of(outcome)
            share = self._shares[key]
            share.posted -= 1
            share.heard = at
            share.answer = outcome.milliseconds / 1000
            quick = share.answer < _QUICK
            share.quick = quick and outcome.error is None
            if outcome.error is None:
                share.failures = share.rests = 0
                share.rests_until = 0.0
                if quick and outcome.received:
                    share.most = min(share.most + 1, _MOST)
                continue
            share.most = 1
            share.failures += 1
            # A single connection that breaks says nothing about the next one.
            if share.rests_until <= at and (not quick or share.failures > 1):
                share.rests_until = at + min(_REST * 2.0**share.rests, _LATE)
                share.rests += 1
                resting.add(key)
        self.in_hand -= len(outcomes)
        return resting

    @_locked
    def take_lines(self, unwanted: Callable[[Request], bool]) -> list[Request]:
        """Take what is unwanted of all that waits in line."""
        taken: list[Request] = []
        for key in list(self._waiting):
            share = self._shares[key]
            left = [one for one in share.line if not unwanted(one)]
            taken += [one for one in share.line if unwanted(one)]
            share.line = deque(left)
            if not left:
                self._waiting.remove(key)
        self._in_lines -= len(taken)
        self.in_hand -= len(taken)
        return taken

    @_locked
    def take_back(self, requests: Iterable[Request]) -> None:
        """Learn that requests whose turn had come were not posted after all."""
        for request in requests:
            self._shares[endpoint_of(request)].posted -= 1
            self.in_hand -= 1

    @_locked
    def rest_of(self, endpoint_id: str, at: float) -> float:
        """The seconds for which an endpoint has still to rest."""
        return max(0.0, self._shares[endpoint_id].rests_until - at)

    def _count_fitting(self, claimed: int) -> float:
        """How many there would be room for of so many, if they are for whom the last ones were."""
        if not self._last:
            return claimed
        ratio = claimed / self._last.total()
        fitting, in_lines = 0.0, float(self._in_lines)
        for key, count in self._last.items():
            share = self._shares[key]
            line, lines = share.lines
            wanted = count * ratio
            posted = min(wanted, max(share.free, 0))
            in_line = min(wanted - posted, share.free + line - posted, lines - in_lines)
            in_lines += max(in_line, 0.0)
            fitting += posted + max(in_line, 0.0)
        return fitting

    def _find(self, key: str, at: float) -> _Share:
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = _Share(heard=at)
        return share

    def _find_turn(self, share: _Share, at: float) -> float:
        """The seconds until an endpoint will be able to take one delivery more."""
        if share.rests:
            return _REST  # one post finds out how it is, and what waits for that is back soon
        # Not up to `at`: a database that takes long is no silence of the endpoint's.
        silence = max(0.0, self._listened - share.heard) if share.posted else 0.0
        answer = max(share.answer, silence)
        if share.quick and silence < _QUICK:
            return max(answer, _SOON)  # by then it can take twice as many
        share.booked = min(max(share.booked, at + _SOON) + answer / share.most, at + _LATE)
        return share.booked - at

    def _forget(self, at: float) -> None:
        self._shares = {
            key: share
            for key, share in self._shares.items()
            if share.posted or share.line or max(share.heard, share.rests_until) > at - _IDLE
        }


def endpoint_of(one: Request | Outcome) -> str:
    """The endpoint of a `Posting`."""
    if not isinstance(one.key, Posting):
        raise TypeError(f"a post of something else: {one.key!r}")
    return one.key.claim.endpoint_id
