"""The count of who asks for feeds: in memory, until it is added to the database."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from calfeed.store.reports.poll_counts import PollCounts
from calfeed.web.serving.client_families import name_family

_AT_ONCE = 256
"""How many requests are noted before they are summed up: noting needs no lock, which costs."""

_MOST_AGENTS = 1000
"""Of how many pairs of feed and User-Agent the family is remembered until the sums are taken."""

_LONGEST_AGENT = 300
"""How much of a User-Agent is looked at."""


class Tally:
    """How often which feed was asked for by which family of clients; for many threads.

    It holds a few numbers for each feed and family, however long nobody takes them.
    """

    def __init__(self) -> None:
        self._noted: deque[tuple[str, str, int | None]] = deque()
        # By feed and family: how many got it, how many had it, how many bytes were sent.
        self._sums: dict[tuple[str, str], list[int]] = {}
        # The same numbers by feed and User-Agent.
        self._found: dict[tuple[str, str], list[int]] = {}
        self._lock = threading.Lock()

    def count(self, feed: str, agent: str, size: int | None) -> None:
        """Count a request for a feed by the family of its User-Agent.

        `size` is how many bytes it got, None where it was told that it has them (304).
        """
        noted = self._noted
        noted.append((feed, agent[:_LONGEST_AGENT], size))
        if len(noted) >= _AT_ONCE:
            with self._lock:
                self._sum_up()

    def take(self) -> list[PollCounts]:
        """What was counted since the last time. No User-Agent is remembered any longer."""
        with self._lock:
            self._sum_up()
            sums, self._sums, self._found = self._sums, {}, {}
        return [PollCounts(*key, *numbers) for key, numbers in sums.items()]

    def give_back(self, taken: Iterable[PollCounts]) -> None:
        """Count in again what was taken and could not be kept."""
        with self._lock:
            for one in taken:
                sums = self._sums.setdefault((one.feed, one.family), [0, 0, 0])
                for place, number in enumerate((one.sent, one.unchanged, one.bytes)):
                    sums[place] += number

    def _sum_up(self) -> None:
        # Others may note more meanwhile, but only who has the lock takes away.
        for _ in range(len(self._noted)):
            feed, agent, size = self._noted.popleft()
            sums = self._found.get((feed, agent)) or self._find(feed, agent)
            if size is None:
                sums[1] += 1
            else:
                sums[0] += 1
                sums[2] += size

    def _find(self, feed: str, agent: str) -> list[int]:
        sums = self._sums.setdefault((feed, name_family(agent)), [0, 0, 0])
        if len(self._found) < _MOST_AGENTS:
            self._found[feed, agent] = sums
        return sums
