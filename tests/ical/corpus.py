"""A corpus of events of every kind, made from a seed, and what clients see of it.

`python -m tests.ical.corpus --events 2000 --seed 1` prints its figures, and any differences.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, takewhile
from random import Random
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import yaml
from dateutil.rrule import rrulestr
from dateutil.tz import datetime_ambiguous, datetime_exists

from calfeed.definitions.reader import read_definitions
from calfeed.model.events import Calendar
from tests.ical.clients import CLIENTS, Window, differences, seen_by_calfeed
from tests.ical.misreading import is_misread

EVENTS_IN_A_FEED = 100

_TABLE = """
    Africa/Abidjan Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg Africa/Lagos
    Africa/Monrovia Africa/Nairobi Africa/Windhoek America/Anchorage America/Argentina/Buenos_Aires
    America/Asuncion America/Bogota America/Caracas America/Chicago America/Denver America/Halifax
    America/Havana America/Lima America/Los_Angeles America/Mexico_City America/Miquelon
    America/New_York America/Noronha America/Nuuk America/Phoenix America/Santiago
    America/Sao_Paulo America/Scoresbysund America/St_Johns America/Toronto Antarctica/Troll
    Asia/Almaty Asia/Beirut Asia/Colombo Asia/Dhaka Asia/Dubai Asia/Gaza Asia/Hong_Kong
    Asia/Jerusalem Asia/Kabul Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Manila Asia/Pyongyang
    Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Tashkent Asia/Tehran Asia/Tokyo Asia/Yangon
    Atlantic/Azores Atlantic/Reykjavik Australia/Adelaide Australia/Brisbane Australia/Eucla
    Australia/Lord_Howe Australia/Perth Australia/Sydney Europe/Athens Europe/Berlin Europe/Chisinau
    Europe/Dublin Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/London Europe/Moscow
    Europe/Paris Europe/Zurich Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter
    Pacific/Honolulu Pacific/Kiritimati Pacific/Norfolk Pacific/Tongatapu UTC Etc/GMT+5
"""
ZONES = _TABLE.split()

MAIN = Window(2023, 2029)
_ERAS = [*[MAIN] * 16, *(Window(year, year + 6) for year in (1911, 1968, 2036, 2120))]
"""The years a feed's events are in and are looked at in; most are of our own time."""

_PIECES = [
    *["وزیر اعظم کا خطاب", "د بشري حقونو نړیواله ورځ", "نشست شورای امنیت", "اجلاس، شام؛ کراچی"],
    *["安全理事会会议", "難民の日", "국제 이주민의 날", "👩🏽‍💻", "🇵🇰🇦🇫", "🕊️", "ﷺ", "é", "Ω"],
    *["meeting", "a, b; c", "back\\slash", "\\n is no newline", "\\\\,;", '"quoted"', "x:y=z"],
    *["https://example.org/a?b=c,d;e", "100%", "BEGIN:VEVENT", "<b>&amp;</b>", " - ", "ends in \\"],
]

_DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
_Entry: TypeAlias = dict[str, Any]


@dataclass
class _Maker:
    """Makes the entries of one calendar's events."""

    random: Random
    era: Window
    zone: ZoneInfo = field(init=False)

    def event(self) -> _Entry:
        random = self.random
        self.zone = ZoneInfo(random.choice(ZONES))
        makers = [self._timed, self._all_day, self._days, self._series, self._all_day_series]
        (make,) = random.choices(makers, weights=[25, 10, 10, 38, 17])
        entry = {"summary": self._line(), "time_zone": self.zone.key, **make()}
        if random.random() < 0.3:
            entry["kind"] = "deadline"
        if random.random() < 0.1:
            entry["status"] = random.choice(["tentative", "cancelled"])
        if random.random() < 0.5:
            entry["description"] = self._lines()
        if random.random() < 0.3:
            entry["location"] = self._lines()
        if random.random() < 0.3:
            entry["categories"] = [self._line() for _ in range(random.randint(1, 3))]
        if random.random() < 0.1:
            entry["reminders"] = ["1 week", {"before": "1 day", "at": "09:00"}]
        return entry

    def _timed(self) -> _Entry:
        return {"start": self._write(self._wall())} | self._length()

    def _all_day(self) -> _Entry:
        return {"start": f"{self._wall():%Y-%m-%d}"}

    def _days(self) -> _Entry:
        wall = self._wall()
        last = wall + timedelta(days=self.random.randint(1, 20))
        return {"start": f"{wall:%Y-%m-%d}", "end": f"{last:%Y-%m-%d}"}

    def _length(self) -> _Entry:
        minutes = self.random.choice([0, 1, 30, 45, 60, 90, 120, 600, 1440, 3000])
        return {"duration": f"{minutes} minutes"} if minutes else {}

    def _series(self) -> _Entry:
        across = self.random.random() < 0.5
        rough = self._before_a_change() if across else self._wall()
        parts = self._day_parts(rough)
        if across and self.random.random() < 0.6:
            parts = {"FREQ": self.random.choice(["DAILY", "DAILY", "WEEKLY"])}
        if self.random.random() < 0.2:
            parts |= self._clock_parts()
        if self.random.random() < 0.08:
            parts = {"FREQ": "HOURLY", "INTERVAL": str(self.random.randint(1, 30))}
            if self.random.random() < 0.5:
                parts |= {"BYHOUR": "6,7,8,9,10", "BYDAY": "MO,TU,WE"}
                parts["INTERVAL"] = str(self.random.choice([1, 2, 3, 5]))
        return self._repeat(parts, rough, timed=True) | self._length()

    def _all_day_series(self) -> _Entry:
        rough = self._wall().replace(hour=0, minute=0)
        entry = self._repeat(self._day_parts(rough), rough, timed=False)
        if self.random.random() < 0.3:
            entry["duration"] = f"{self.random.randint(1, 5)} days"
        return entry

    def _day_parts(self, rough: datetime) -> dict[str, str]:
        """FREQ, INTERVAL, WKST and the BY parts that choose days."""
        random = self.random
        nth, day = (rough.day - 1) // 7 + 1, _DAYS[rough.weekday()]
        some = ",".join(sorted(random.sample(_DAYS, random.randint(1, 4)), key=_DAYS.index))
        months = ",".join(map(str, sorted(random.sample(range(1, 13), random.randint(1, 4)))))
        choices: list[dict[str, str]] = [
            {"FREQ": "DAILY"},
            {"FREQ": "DAILY", "BYMONTH": months},
            {"FREQ": "DAILY", "BYDAY": some},
            {"FREQ": "DAILY", "BYMONTHDAY": "1,15"},
            {"FREQ": "WEEKLY"},
            {"FREQ": "WEEKLY", "BYDAY": some},
            {"FREQ": "WEEKLY", "BYDAY": some, "WKST": random.choice(_DAYS)},
            {"FREQ": "WEEKLY", "BYDAY": some, "BYMONTH": months},
            {"FREQ": "MONTHLY"},
            {"FREQ": "MONTHLY", "BYDAY": f"{nth}{day}"},
            {"FREQ": "MONTHLY", "BYDAY": f"-1{day}"},
            {"FREQ": "MONTHLY", "BYMONTHDAY": "-1"},
            {"FREQ": "MONTHLY", "BYMONTHDAY": "13", "BYDAY": "FR"},
            {"FREQ": "MONTHLY", "BYMONTHDAY": "28,29,30,31"},
            {
                "FREQ": "MONTHLY",
                "BYDAY": "MO,TU,WE,TH,FR",
                "BYSETPOS": random.choice(["-1", "1,3"]),
            },
            {"FREQ": "MONTHLY", "BYMONTH": months, "BYDAY": f"2{day},-1{day}"},
            {"FREQ": "YEARLY"},
            {"FREQ": "YEARLY", "BYMONTH": f"{rough.month},12"},
            {"FREQ": "YEARLY", "BYMONTH": months, "BYDAY": f"-1{day}"},
            {"FREQ": "YEARLY", "BYMONTH": months, "BYMONTHDAY": "5,-5"},
            {"FREQ": "YEARLY", "BYDAY": f"20{day},-3{day}"},
            {"FREQ": "YEARLY", "BYYEARDAY": "1,60,200,-1"},
            {"FREQ": "YEARLY", "BYWEEKNO": "1,20,53", "BYDAY": some},
            {"FREQ": "YEARLY", "BYMONTH": "11", "BYDAY": "TU", "BYMONTHDAY": "2,3,4,5,6,7,8"},
            {"FREQ": "YEARLY", "BYMONTH": months, "BYDAY": some, "BYSETPOS": "2,-2"},
        ]
        parts = random.choice(choices)
        never_in_step = parts["FREQ"] == "MONTHLY" and "BYMONTH" in parts
        if random.random() < 0.4 and not never_in_step:
            parts["INTERVAL"] = str(random.randint(2, 4))
        return parts

    def _clock_parts(self) -> dict[str, str]:
        hours = sorted(self.random.sample(range(24), 2))
        parts = {"BYHOUR": ",".join(map(str, hours))}
        if self.random.random() < 0.5:
            parts["BYMINUTE"] = str(self.random.randint(0, 59))
        if self.random.random() < 0.3:
            parts["BYSECOND"] = str(self.random.randint(0, 59))
        return parts

    def _repeat(self, parts: dict[str, str], rough: datetime, *, timed: bool) -> _Entry:
        """The start and the recurrence set; the start is the rule's first that the clocks show."""
        if "BYHOUR" in parts:
            parts.pop("BYSETPOS", None)
        rule = ";".join(f"{name}={value}" for name, value in parts.items())
        walls: Iterator[datetime] = iter(rrulestr(rule, dtstart=rough))
        start = next(wall for wall in walls if not timed or datetime_exists(wall, self.zone))
        rule += self._ending(parts["FREQ"], start, timed=timed)
        until = start + timedelta(days=2000)
        # As dateutil takes it with a wall time; some hours more or less at its end do not matter.
        series = rrulestr(rule.removesuffix("Z"), dtstart=start)
        starts = list(takewhile(lambda wall: wall < until, islice(series, 3000)))
        repeat: _Entry = {"rule": rule} | self._exceptions(starts, timed=timed)
        if self.random.random() < 0.1 and repeat.get("also"):
            repeat = {"also": repeat["also"]}
        return {"start": self._write(start, timed=timed), "repeat": repeat}

    def _ending(self, frequency: str, start: datetime, *, timed: bool) -> str:
        random = self.random
        chance = random.random()
        endless = {"YEARLY": 0.5, "MONTHLY": 0.4, "WEEKLY": 0.3, "DAILY": 0.05, "HOURLY": 0.0}
        if chance < endless[frequency]:
            return ""
        if chance < 0.65:
            return f";COUNT={random.randint(1, 60)}"
        reach = {"YEARLY": 3000, "MONTHLY": 1500, "WEEKLY": 700, "DAILY": 200, "HOURLY": 6}
        last = start + timedelta(days=random.randint(1, reach[frequency]))
        if not timed or random.random() < 0.3:
            return f";UNTIL={last:%Y%m%d}"
        return f";UNTIL={last:%Y%m%dT%H%M%S}" + random.choice(["", "Z"])

    def _exceptions(self, starts: list[datetime], *, timed: bool) -> _Entry:
        random = self.random
        usable = [wall for wall in starts[:-1] if not timed or datetime_exists(wall, self.zone)]
        picked = random.sample(usable, min(len(usable), random.choice([0, 0, 1, 2, 4])))
        out, changed = picked[::2], picked[1::2]
        found: _Entry = {}
        if out:
            found["except"] = [self._write(wall, timed=timed) for wall in out]
        if changed:
            found["changes"] = {
                self._write(wall, timed=timed): self._change(wall, timed=timed) for wall in changed
            }
        if random.random() < 0.25:
            more = {
                starts[0] + timedelta(days=random.randint(1, 900), minutes=random.randint(1, 600))
                for _ in range(random.randint(1, 4))
            }
            days = {wall.date() for wall in starts}
            more = {wall for wall in more if timed or wall.date() not in days}
            also = sorted({self._write(wall, timed=timed) for wall in more})
            if also:
                found["also"] = also
        return found

    def _change(self, wall: datetime, *, timed: bool) -> _Entry:
        random = self.random
        chance = random.random()
        if chance < 0.3:
            return {"status": "cancelled"}
        if chance < 0.5:
            return {"summary": self._line(), "location": self._lines()}
        moved = wall + timedelta(days=random.randint(-3, 300), minutes=random.randint(1, 600))
        change = {"start": self._write(moved, timed=timed)}
        if timed and random.random() < 0.4:
            change |= {"duration": f"{random.randint(1, 300)} minutes"}
        return change

    def _wall(self) -> datetime:
        """A wall time in the era, on the minute or half hour."""
        first = datetime(self.era.begin, 1, 1)  # noqa: DTZ001 (a wall time)
        days = self.random.randrange(365 * (self.era.end - self.era.begin))
        return first + timedelta(days=days, minutes=30 * self.random.randrange(48))

    def _before_a_change(self) -> datetime:
        """A wall time some days before the clocks change, at or near the hour of the change."""
        start = self._wall().replace(tzinfo=UTC)
        for hour in range(0, 24 * 400, 24):
            at = start + timedelta(hours=hour)
            before, after = (one.astimezone(self.zone) for one in (at, at + timedelta(days=1)))
            if before.utcoffset() != after.utcoffset():
                break
        else:
            return self._wall()
        low, high = at, at + timedelta(days=1)
        while high - low > timedelta(minutes=1):
            middle = low + (high - low) / 2
            if middle.astimezone(self.zone).utcoffset() == before.utcoffset():
                low = middle
            else:
                high = middle
        wall = low.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)
        near = timedelta(minutes=30 * self.random.randint(-2, 4))
        return wall.replace(minute=0) + near - timedelta(days=self.random.choice([1, 2, 7, 14, 28]))

    def _write(self, wall: datetime, *, timed: bool = True) -> str:
        """A wall time as a definition has it: one that exists, the first where it comes twice."""
        if not timed:
            return f"{wall:%Y-%m-%d}"
        form = "%Y-%m-%d %H:%M:%S" if wall.second else "%Y-%m-%d %H:%M"
        if not datetime_exists(wall, self.zone):
            wall = wall.replace(tzinfo=self.zone).astimezone(UTC).astimezone(self.zone)
        text = f"{wall:{form}}"
        if not datetime_ambiguous(wall.replace(tzinfo=None), self.zone):
            return text
        instant = wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        return f"{instant:{form}}Z"

    def _line(self) -> str:
        """A text around the length at which a line has to be folded."""
        wanted, text = self.random.randint(1, 160), self.random.choice(_PIECES)
        while len(text.encode()) < wanted:
            text += self.random.choice(["", " ", ", ", "; "]) + self.random.choice(_PIECES)
        return text

    def _lines(self) -> str:
        return "\n".join(self._line() for _ in range(self.random.randint(1, 4)))


def make_definitions(seed: int, count: int) -> dict[str, bytes]:
    """Definition files with `count` events, up to `EVENTS_IN_A_FEED` each, by their paths."""
    firsts = range(0, count, EVENTS_IN_A_FEED)
    return dict(
        _make_file(seed, number, min(EVENTS_IN_A_FEED, count - first))
        for number, first in enumerate(firsts)
    )


def _make_file(seed: int, number: int, count: int) -> tuple[str, bytes]:
    maker = _Maker(Random(f"{seed}/{number}"), era_of(number))
    document = {
        "name": f"Corpus {number}",
        "time_zone": "Asia/Karachi",
        "events": {f"e{place}": maker.event() for place in range(count)},
    }
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    return f"events/corpus-{number}.yaml", text.encode()


def era_of(number: int) -> Window:
    """The years of the corpus's feed of this number."""
    return _ERAS[number % len(_ERAS)]


@cache
def make_part(seed: int, number: int) -> tuple[Calendar, Window]:
    """The corpus's feed of this number, which is full, and the years its events are in."""
    files = dict([_make_file(seed, number, EVENTS_IN_A_FEED)])
    (calendar,) = read_definitions(files).calendars
    return calendar, era_of(number)


def make_corpus(seed: int, count: int) -> list[tuple[Calendar, Window]]:
    """The calendars of the corpus, each with the years its events are in."""
    calendars = read_definitions(make_definitions(seed, count)).calendars
    return [(one, era_of(int(one.slug.removeprefix("corpus-")))) for one in calendars]


def main() -> int:
    """Make a corpus, look at it with every client, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.ical.corpus")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    began = time.monotonic()
    corpus = make_corpus(wanted.seed, wanted.events)
    found = [each for calendar, era in corpus for each in differences(calendar, era)]
    occurrences = sum(len(seen_by_calfeed(calendar, era)) for calendar, era in corpus)
    events = [event for calendar, _ in corpus for event in calendar.events]
    series = sum(event.repeat is not None for event in events)
    passed = {name: sum(is_misread(name, event) for event in events) for name in CLIENTS}
    print(
        *found,
        f"{len(events):,} events ({series:,} of them series) in {len(corpus)} feeds and "
        f"{len({event.time_zone for event in events})} zones, {occurrences:,} occurrences: "
        f"{len(found)} differences, passed over {passed}, in {time.monotonic() - began:.0f} s",
        sep="\n",
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
