"""Whether calendar apps see generated events when calfeed says, and ring when it reminds.

Events in every zone there is, single ones and series of every shape of rule that is accepted, are
read by libical, ical.js and the parsers in Python. What a definition was warned of is left out of
the count, and so is what `tests.ical.misreading` knows of clocks that are being changed.

    python -m tests.acceptance.agreement --events 2000 --seed 1
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import yaml

from calfeed.definitions.reader import read_definitions
from calfeed.definitions.result import Definitions
from calfeed.errors import DefinitionError
from calfeed.model.events import Calendar, Event
from calfeed.reminders.plan import plan_reminders
from tests.ical.clients import CLIENTS, Window, render_feed, seen_by_calfeed
from tests.ical.misreading import is_misread, may_differ
from tests.ical.parsers import Feed, read_feeds

_ZONES = sorted(available_timezones() - {"Factory", "localtime"})
_WINDOW = Window(2026, 2030)
_IN_A_FEED = 100
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_REMINDERS = ["0 minutes", "2 hours", "36 hours", "1 day", "1 week", "1 month"]
_REMINDERS_AT = [{"before": "1 day", "at": "09:00"}, {"before": "2 weeks", "at": "18:30"}]

_FIRST = re.compile(r"; the first is (.*)")
_EVENT = re.compile(r"events\.(\w+)")


def _make_rule(dice: random.Random, *, timed: bool) -> str:
    """A rule of any shape, also of those that are refused."""
    parts = {"FREQ": dice.choice(["YEARLY", "YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "DAILY"])}
    if timed and dice.random() < 0.05:
        parts["FREQ"] = "HOURLY"
    yearly = parts["FREQ"] == "YEARLY"
    values = {
        "INTERVAL": [*range(2, 5)],
        "BYMONTH": [*range(1, 13)],
        "BYMONTHDAY": [*range(1, 32), -1, -2],
        "BYDAY": [*_DAYS],
        "BYHOUR": [*range(24)],
        "BYSETPOS": [1, 2, -1],
        "WKST": [*_DAYS],
        **({"BYYEARDAY": [1, 60, 200, -1], "BYWEEKNO": [1, 20, 53]} if yearly else {}),
    }
    if dice.random() < 0.4 and parts["FREQ"] in ("YEARLY", "MONTHLY"):
        values["BYDAY"] = [f"{dice.choice([1, 2, 3, -1])}{day}" for day in _DAYS]
    for name, possible in values.items():
        if dice.random() < 0.25 and (timed or name != "BYHOUR"):
            most = 1 if name in ("INTERVAL", "WKST") else 3
            chosen = dice.sample(possible, dice.randint(1, most))
            parts[name] = ",".join(map(str, chosen))
    if dice.random() < 0.8:
        parts["COUNT"] = str(dice.randint(2, 30))
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _make_event(dice: random.Random, zone: str) -> dict[str, object]:
    timed = dice.random() < 0.75
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * dice.randrange(48 * 900))
    event: dict[str, object] = {
        "summary": "It",
        "time_zone": zone,
        "start": f"{start:%Y-%m-%d %H:%M}" + "Z" * (dice.random() < 0.5)
        if timed
        else f"{start:%Y-%m-%d}",
        "reminders": dice.sample([*_REMINDERS, *_REMINDERS_AT], dice.randint(1, 2)),
    }
    if timed:
        event["duration"] = f"{dice.choice([30, 90, 1500])} minutes"
    if dice.random() < 0.6:
        event["repeat"] = {"rule": _make_rule(dice, timed=timed)}
    return event


@dataclass
class Sample:
    """Calendars of accepted events, and how many were refused, and left out as warned of."""

    calendars: list[Calendar] = field(default_factory=list)
    warned: int = 0
    refused: int = 0

    @property
    def events(self) -> list[Event]:
        """All that is compared."""
        return [event for calendar in self.calendars for event in calendar.events]


def make_sample(seed: int, count: int) -> Sample:
    """`count` generated events, less those that calfeed refuses."""
    dice, sample = random.Random(seed), Sample()
    zones = dice.sample(_ZONES, len(_ZONES))
    for first in range(0, count, _IN_A_FEED):
        events = {
            f"e{number}": _make_event(dice, zones[number % len(zones)])
            for number in range(first, min(first + _IN_A_FEED, count))
        }
        defined = _accept(f"part-{first}", events, sample)
        slugs = {found[1] for one in defined.warnings if (found := _EVENT.match(one.key))}
        for calendar in defined.calendars:
            kept = tuple(event for event in calendar.events if event.slug not in slugs)
            sample.warned += len(calendar.events) - len(kept)
            sample.calendars.append(calendar.model_copy(update={"events": kept}))
    return sample


def _accept(slug: str, events: dict[str, dict[str, object]], sample: Sample) -> Definitions:
    """Read the events; what is refused is begun where its rule begins, or left out."""
    while True:
        text = yaml.safe_dump({"name": "It", "time_zone": "Europe/Berlin", "events": events})
        try:
            return read_definitions({f"events/{slug}.yaml": text.encode()})
        except DefinitionError as error:
            for problem in error.problems:
                (name,) = _EVENT.findall(problem.key)
                if name not in events:
                    continue
                begin = _FIRST.search(problem.message)
                if begin and events[name]["start"] != begin[1]:
                    events[name]["start"] = begin[1]
                else:
                    del events[name]
                    sample.refused += 1


def find_differences(sample: Sample, clients: Sequence[str] = tuple(CLIENTS)) -> Iterator[str]:
    """What these clients see, or ring at, otherwise than calfeed, in a line for each event."""
    for calendar in sample.calendars:
        feed = render_feed(calendar)
        planned = seen_by_calfeed(calendar, _WINDOW)
        events = {one.uid: one for one in calendar.events}
        for client in clients:
            seen = CLIENTS[client](feed, _WINDOW)
            yield from _report(client, "shows", events, planned ^ seen)
    for client in set(clients) & {"libical", "ical.js"}:
        after, before = _WINDOW.instants()
        feeds = [Feed(render_feed(calendar), after, before) for calendar in sample.calendars]
        for calendar, reading in zip(sample.calendars, read_feeds(client, feeds), strict=True):
            events = {one.uid: one for one in calendar.events}
            shown = {(one.uid, one.start) for one in reading.occurrences}
            wanted = {
                (event.uid, one.occurrence.start, one.due)
                for event in calendar.events
                for one in plan_reminders(event, after - timedelta(days=99), before)
            }
            rung = {
                (one.uid, one.start, _as_reader(events.get(one.uid), one.moment))
                for one in reading.alarms
            }
            wanted = {(uid, _plain(start), due) for uid, start, due in wanted}
            wanted = {each for each in wanted if each[:2] in shown}
            differing = {(uid, start) for uid, start, _ in wanted ^ rung if _inside(start)}
            yield from _report(client, "rings for", events, differing)


def _plain(start: date) -> date:
    return start.astimezone(UTC) if isinstance(start, datetime) else start


def _inside(start: date) -> bool:
    return _WINDOW.begin < start.year < _WINDOW.end - 1


def _as_reader(event: Event | None, moment: datetime) -> datetime:
    """An alarm as a reader in the event's zone has it."""
    if moment.tzinfo is None and event is not None:
        return moment.replace(tzinfo=event.zone).astimezone(UTC)
    return moment


def _report(
    client: str, does: str, events: dict[str, Event], found: set[tuple[str, date]]
) -> Iterator[str]:
    by_uid: dict[str, list[str]] = {}
    for uid, start in found:
        event = events.get(uid)
        if event is None or is_misread(client, event) or may_differ(client, event, start):
            continue
        by_uid.setdefault(uid, []).append(str(start))
    for uid, starts in sorted(by_uid.items()):
        event = events[uid]
        rule = event.repeat.rule if event.repeat else None
        reminders = ", ".join(map(str, event.reminders))
        yield (
            f"{client} {does} {sorted(starts)[:3]} otherwise: {event.start} in {event.time_zone}, "
            f"{rule}, {reminders}"
        )


def main() -> int:
    """Make a sample, compare, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.agreement")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    began = time.monotonic()
    sample = make_sample(wanted.seed, wanted.events)
    clients = [client for client in CLIENTS if client != "sabre"]
    found = list(find_differences(sample, clients))
    events = sample.events
    zones = {event.time_zone for event in events}
    print(
        *found,
        f"{wanted.events:,} events: {sample.refused:,} refused, {sample.warned:,} warned of, "
        f"{len(events):,} compared in {len(zones)} zones by "
        f"{', '.join(clients)}: {len(found)} differ, in {time.monotonic() - began:.0f} s",
        sep="\n",
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
