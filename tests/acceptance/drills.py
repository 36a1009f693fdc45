"""Calendars whose reminders fall due while a test looks on, and what has to be told of them.

Each drill is a calendar of its own. The one that is written next changes it: dates move, a title
changes, an event is cancelled.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.acceptance.site import Site

_AHEAD = timedelta(hours=1)  # the reminders' rule
_START = timedelta(seconds=2)  # for a publish to be through
_LATER = timedelta(days=30)

_HEAD = "name: Drill\ntime_zone: UTC\nreminders: [1 hour]\nevents:\n"
_EVENT = "  {slug}:\n    summary: {summary}\n    start: {start:%Y-%m-%d %H:%M:%S}\n"


class Telling(NamedTuple):
    """One thing that one endpoint is told: the message's type, of which event, at which time.

    `start` (UTC) is when the event begins, or begins from now on.
    """

    endpoint: str
    type: str
    calendar: str
    slug: str
    start: datetime


@dataclass
class _Drill:
    """A calendar: when its events begin, and what the summaries of some are."""

    name: str
    starts: dict[str, datetime]
    summaries: dict[str, str] = field(default_factory=dict)

    def save(self, site: Site) -> None:
        events = [
            _EVENT.format(slug=slug, summary=self.summaries.get(slug, "Drill"), start=start)
            for slug, start in self.starts.items()
        ]
        site.write(f"{self.name}.yaml", _HEAD + "".join(events))


class Drills:
    """Writes one drill after the other, and keeps what has to be told, and what only may be.

    Who was told one of the `corrections` has to be told the other, too, asked for or not.

    `everything` are the endpoints that get every message, `reminders` those that get reminders
    alone. `due` reminders of each drill fall due one after the other within the time `over`.
    """

    def __init__(
        self,
        site: Site,
        everything: Collection[str],
        reminders: Collection[str],
        *,
        due: int,
        over: timedelta,
        choose: random.Random,
    ) -> None:
        self._site = site
        self._everything, self._all = everything, [*everything, *reminders]
        self._due, self._over = due, over
        self._choose = choose
        self._last: _Drill | None = None
        self.count = 0
        self.must: set[Telling] = set()
        self.may: set[Telling] = set()
        self.corrections: dict[Telling, Telling] = {}

    @property
    def deliveries_each(self) -> int:
        """How many deliveries a drill makes, with the changes that the next one brings."""
        return (self._due + 1) * len(self._all) + (self._due + 7) * len(self._everything)

    @property
    def newest(self) -> str:
        """The name of the last drill that was written."""
        return f"drill-{self.count - 1}"

    def write(self) -> None:
        """Write the next drill, and the changes of the one before it."""
        now = datetime.now(UTC).replace(microsecond=0)
        if self._last is not None:
            self._change(self._last, now)
        starts = {
            f"soon-{index}": now + _START + _AHEAD + self._over * index / self._due
            for index in range(self._due)
        }
        starts = {slug: start.replace(microsecond=0) for slug, start in starts.items()}
        starts |= {f"later-{index}": now + _LATER for index in range(3)}
        drill = self._last = _Drill(f"drill-{self.count}", starts)
        for slug in starts:
            self._expect(self._everything, "event.added", drill, slug)
            if slug.startswith("soon"):
                self._expect(self._all, "reminder.due", drill, slug)
        drill.save(self._site)
        self.count += 1

    def _change(self, drill: _Drill, now: datetime) -> None:
        moved = f"soon-{self._choose.randrange(self._due)}"
        # It may have been told by now, to some or to all, and it need not be any more.
        old = _tell(self._all, "reminder.due", drill, moved)
        drill.starts[moved] += timedelta(days=1)
        new = _tell(self._all, "event.moved", drill, moved)
        self.must.difference_update(old)
        self.may.update(old, new)
        self.corrections.update(zip(old, new, strict=True))
        drill.starts["later-0"] = now + _START + _AHEAD
        drill.summaries |= {"later-1": "Renamed", "later-2": "Drill\n    status: cancelled"}
        for slug in (moved, "later-0"):
            self._expect(self._everything, "event.moved", drill, slug)
        self._expect(self._all, "reminder.due", drill, "later-0")
        self._expect(self._everything, "event.changed", drill, "later-1")
        self._expect(self._everything, "event.cancelled", drill, "later-2")
        drill.save(self._site)

    def _expect(self, endpoints: Collection[str], kind: str, drill: _Drill, slug: str) -> None:
        self.must.update(_tell(endpoints, kind, drill, slug))


def _tell(endpoints: Collection[str], kind: str, drill: _Drill, slug: str) -> list[Telling]:
    start = drill.starts[slug]
    return [Telling(endpoint, kind, drill.name, slug, start) for endpoint in endpoints]
