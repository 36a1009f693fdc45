"""Processor time that it takes to make what is not looked up, at 20,000 events.

Everything is made in this process, with one request at a time. So nothing is waited for, and how
busy the machine is matters little.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median

import icalendar
from werkzeug.test import Client

from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.web.api.app import make_api
from calfeed.web.app import make_flask
from calfeed.web.published.snapshot import Snapshot, load_snapshot
from calfeed.web.published.state import State

CALENDARS = 20
EVENTS = 20_000
ROUNDS = 5

_NOW = datetime(2027, 6, 15, 9, tzinfo=UTC)
_FIRST = date(2025, 1, 1)
_DAYS = 1_825
_SERIES = 50  # one event of so many recurs, every week and without an end
_BASE = "https://calendar.example.org"
_MONTH = "start=2027-07-01&end=2027-08-01"

PAGES = {
    "home": "/",
    "home, a search": "/?q=budget",
    "a calendar's agenda": "/calendars/calendar-3/",
    "its month": "/calendars/calendar-3/?view=month",
    "its year": "/calendars/calendar-3/?view=year",
    "an event's page": "/calendars/calendar-3/event-7/",
    "`occurrences.json` of a month": f"/calendars/calendar-3/occurrences.json?{_MONTH}",
}
"""What Flask makes when it is asked for, and where."""

OCCURRENCES = "/v1/occurrences?from=2027-07-01&to=2027-08-01"
"""What the API is asked for: a month of all calendars."""


@dataclass(frozen=True)
class Made:
    """Seconds of processor time: the first time after a publish, and the median of later ones."""

    first: float
    later: float


@dataclass(frozen=True)
class Figures:
    """What was measured, by what is made. `shapes` are of all calendars, each made once.

    `by_icalendar` is jCal as icalendar makes it of the same feeds, `loading` what a web process
    does to take up a publish of everything.
    """

    answers: Mapping[str, Made]
    shapes: Mapping[str, float]
    by_icalendar: float
    loading: float


def measure() -> Figures:
    """Publish 20,000 events, and make everything there is of them."""
    with _published() as database:
        state = State(database, _BASE, lambda: _NOW)
        loading = _spend(state.refresh)
        pages = Client(make_flask(state, _BASE))
        api = Client(make_api(state, database, _BASE, rate="1000000/second"))
        asked = {
            "a search": lambda: state.snapshot.search("budget hall"),
            "the API, occurrences of a month": lambda: _get(api, OCCURRENCES),
            **{name: _asks(pages, path) for name, path in PAGES.items()},
        }
        for path in PAGES.values():
            _get(pages, path)  # templates are compiled once in a process
        state.snapshot = load_snapshot(database, _BASE, _NOW)
        answers = {name: _measure(ask) for name, ask in asked.items()}
        shapes = {
            "jCal": _spend(lambda: _make(state.snapshot, ".jcal")),
            "JSON": _spend(lambda: _make(state.snapshot, ".json")),
            "CSV": _spend(lambda: _make(state.snapshot, ".csv")),
            "Atom": _spend(lambda: _make(state.snapshot, ".atom")),
            "feeds of a category": _spend(lambda: _choose(state.snapshot)),
        }
        some = next(iter(state.snapshot.calendars.values())).response.plain[1][0]
        by_icalendar = _spend(lambda: icalendar.Calendar.from_ical(some).to_jcal()) * CALENDARS
    return Figures(answers, shapes, by_icalendar, loading)


def _measure(ask: Callable[[], object]) -> Made:
    first = _spend(ask)
    return Made(first, median(_spend(ask) for _ in range(ROUNDS)))


def _spend(ask: Callable[[], object]) -> float:
    began = time.process_time()
    ask()
    return time.process_time() - began


def _asks(client: Client, path: str) -> Callable[[], object]:
    return lambda: _get(client, path)


def _get(client: Client, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path} was answered with {response.status}")


def _make(snapshot: Snapshot, ending: str) -> None:
    for path in snapshot.other_formats:
        if path.endswith(ending):
            snapshot.find(path, "")


def _choose(snapshot: Snapshot) -> None:
    for path in snapshot.sources:
        snapshot.find(path, "category=kind-3")


@contextmanager
def _published() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="calfeed-bench-") as folder:
        database = Database(f"sqlite:///{folder}/calfeed.sqlite3")
        migrate(database)
        publish(database, read_definitions(_make_files()), _NOW, _BASE)
        yield database
        database.close()


def _make_files() -> dict[str, bytes]:
    files = {}
    for calendar in range(CALENDARS):
        lines = [f"name: {{en: Calendar {calendar}, ur: کیلنڈر}}", "time_zone: Asia/Karachi"]
        lines += ["reminders: [1 week, 1 day]", "events:"]
        for number in range(EVENTS // CALENDARS):
            day = _FIRST + timedelta(days=(number * 7 + calendar) % _DAYS)
            start = f'"{day} {8 + number % 10:02}:30"' if number % 3 else str(day)
            words = "the budget" if number % 97 == 0 else "all that there is"
            lines += [
                f"  event-{number}:",
                f"    summary: {{en: Session {number} about {words}, ur: اجلاس {number}}}",
                f"    start: {start}",
                "    description: Some words about it that are neither long nor short.",
                f"    location: Hall {number % 7}",
                f"    categories: [kind-{number % 5}]",
            ]
            if number % _SERIES == 1:
                lines.append("    repeat: {rule: FREQ=WEEKLY}")
        files[f"events/calendar-{calendar}.yaml"] = ("\n".join(lines) + "\n").encode()
    return files
