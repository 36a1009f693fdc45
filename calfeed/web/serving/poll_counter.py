"""Count feed requests in memory, by feed and client family, until the database stores them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from calfeed.store.reports.poll_counts import PollCounts
from calfeed.web.serving.client_families import name_family

_BATCH_SIZE = 256
"""How many requests are added up at once: adding up needs the lock, but queueing does not."""

_MAX_CACHED_AGENTS = 1000
"""The maximum number of pairs of feed and User-Agent whose family is cached."""

_MAX_AGENT_LENGTH = 300


class PollCounter:
    """Thread-safe counts of feed requests by feed and client family.

    Its size depends on the number of feeds and families, not on the number of requests.
    """

    def __init__(self) -> None:
        self._queued: deque[tuple[str, str, int | None]] = deque()
        # By feed and family: responses with a body, 304 responses, bytes.
        self._sums: dict[tuple[str, str], list[int]] = {}
        # The same lists by feed and User-Agent.
        self._sums_by_agent: dict[tuple[str, str], list[int]] = {}
        self._lock = threading.Lock()

    def count(self, feed: str, agent: str, size: int | None) -> None:
        """Count a request by feed and User-Agent; `size` is in bytes, None for a 304."""
        queued = self._queued
        queued.append((feed, agent[:_MAX_AGENT_LENGTH], size))
        if len(queued) >= _BATCH_SIZE:
            with self._lock:
                self._sum_up()

    def take(self) -> list[PollCounts]:
        """Return and reset the counts. This also forgets all User-Agents."""
        with self._lock:
            self._sum_up()
            sums, self._sums, self._sums_by_agent = self._sums, {}, {}
        return [PollCounts(*key, *numbers) for key, numbers in sums.items()]

    def restore(self, taken: Iterable[PollCounts]) -> None:
        """Add counts that were taken but could not be stored."""
        with self._lock:
            for polls in taken:
                sums = self._sums.setdefault((polls.feed, polls.family), [0, 0, 0])
                for index, number in enumerate((polls.sent, polls.unchanged, polls.bytes)):
                    sums[index] += number

    def _sum_up(self) -> None:
        # Other threads may append meanwhile, but only the holder of the lock removes entries.
        for _ in range(len(self._queued)):
            feed, agent, size = self._queued.popleft()
            sums = self._sums_by_agent.get((feed, agent)) or self._find_sums(feed, agent)
            if size is None:
                sums[1] += 1
            else:
                sums[0] += 1
                sums[2] += size

    def _find_sums(self, feed: str, agent: str) -> list[int]:
        sums = self._sums.setdefault((feed, name_family(agent)), [0, 0, 0])
        if len(self._sums_by_agent) < _MAX_CACHED_AGENTS:
            self._sums_by_agent[feed, agent] = sums
        return sums
