"""How many sign-ups are mailed, and in which order.

A sign-up over a limit is not refused but waits. The first sign-ups are those from the networks for
which the fewest mails were sent. So a client that signs up many addresses delays mostly its own
sign-ups.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

PER_MINUTE = 120
"""How many addresses are mailed in a minute, in all."""

PER_DAY = 5_000
"""How many addresses are mailed in a day, in all."""

PER_NETWORK = 500
"""How many addresses are mailed in a day for sign-ups from one network."""

_SHARE = 2
"""At most one in this many mails may be the second or a later one for a network in a day.

The other mails are reserved for networks for which nothing was sent in that time.
"""


class Waiting(NamedTuple):
    """A sign-up, made at `at` (UTC) from a network (`origin`), whose address can be mailed."""

    address_hash: str
    origin: str
    at: datetime


class Sent(NamedTuple):
    """The numbers of mails for a network's sign-ups in the last day, and in the last minute."""

    day: int
    minute: int


def choose_mails(waiting: Sequence[Waiting], sent: Mapping[str, Sent]) -> list[Waiting]:
    """Choose the sign-ups to mail now, one of each address; `sent` is by network.

    Sign-ups from networks for which the fewest mails were sent are first; among these, sign-ups
    from networks with the fewest waiting sign-ups.
    """
    counts = Counter({origin: counted.day for origin, counted in sent.items()})
    day, minute = counts.total(), sum(counted.minute for counted in sent.values())
    # The number of mails that were not the first for their network in the day.
    more_day = sum(max(0, counted.day - 1) for counted in sent.values())
    more_minute = minute - sum(counted.day == counted.minute > 0 for counted in sent.values())
    queues: dict[str, deque[Waiting]] = defaultdict(deque)
    for one in sorted(waiting, key=lambda one: one.at):
        queues[one.origin].append(one)
    sizes = {origin: len(queue) for origin, queue in queues.items()}
    heap = [
        (counts[origin], sizes[origin], queue[0].at, origin) for origin, queue in queues.items()
    ]
    heapq.heapify(heap)
    chosen: list[Waiting] = []
    addresses: set[str] = set()
    while heap and minute < PER_MINUTE and day < PER_DAY:
        count, size, _, origin = heapq.heappop(heap)
        if count >= PER_NETWORK:
            continue
        is_more = count > 0
        if is_more and (more_minute >= PER_MINUTE // _SHARE or more_day >= PER_DAY // _SHARE):
            break  # mails were sent for all networks that are left in the heap
        queue = queues[origin]
        one = queue.popleft()
        if one.address_hash not in addresses:
            addresses.add(one.address_hash)
            chosen.append(one)
            count, day, minute = count + 1, day + 1, minute + 1
            more_day, more_minute = more_day + is_more, more_minute + is_more
        if queue:
            heapq.heappush(heap, (count, size, queue[0].at, origin))
    return chosen
