"""What is imported publishes to an equivalent feed, whoever wrote the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import icalendar
import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calfeed.errors import DefinitionError, InvalidInputError
from calfeed.importing.ics import import_calendar
from calfeed.importing.writing import write_definition
from tests.definitions.imports import occurrences, read, render, told

pytestmark = pytest.mark.slow

# Round trips.

ZONES = ["UTC", "Asia/Karachi", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]
LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn"))
# icalendar writes a backslash before an N as a line break.
LINE = (
    st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(lambda t: t and "\\" not in t)
)
LINES = st.lists(LINE | st.just(""), min_size=1, max_size=4).map("\n".join).map(str.strip)
URL = st.sampled_from(["https://example.org/a,b;c?d=e%20f#g", "http://xn--bcher-kva.example/"])
RULES = [
    "FREQ=DAILY;COUNT=9",
    "FREQ=WEEKLY;INTERVAL=2",
    "FREQ=WEEKLY;UNTIL=20301231",
    "FREQ=MONTHLY;COUNT=7",
    "FREQ=YEARLY",
]


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """One event, as a definition has it."""
    day = draw(st.dates(date(2029, 1, 1), date(2030, 11, 30)))
    clock = draw(st.none() | st.times().map(lambda each: f"{each:%H:%M}"))

    def moment(day: date) -> str:
        return f"{day}" if clock is None else f"{day} {clock}"

    entry: dict[str, Any] = {"summary": draw(LINE), "start": moment(day)}
    if draw(st.booleans()) and clock is None:
        entry["end"] = f"{day + timedelta(days=draw(st.integers(0, 9)))}"
    elif draw(st.booleans()):
        entry["duration"] = draw(st.sampled_from(["45 minutes", "25 hours"])) if clock else "3 days"
    optional: Mapping[str, st.SearchStrategy[Any]] = {
        "time_zone": st.sampled_from(ZONES),
        "status": st.sampled_from(["tentative", "confirmed", "cancelled"]),
        "description": LINES.filter(bool),
        "location": LINE,
        "url": URL,
        "categories": st.lists(LINE.map(lambda t: " ".join(t.split())), min_size=1, max_size=3),
        "reminders": st.lists(
            st.sampled_from(["1 week", "2 days", "90 minutes", "0 minutes", "36 hours"])
            | st.sampled_from([{"before": "1 day", "at": "18:30"}, {"before": "31 days"}]),
            max_size=3,
        ),
        "class": st.sampled_from(["private", "confidential"]),
        "priority": st.integers(1, 9).map(str),
        "geo": st.just("24.8607, 67.0011"),
        "contact": LINE,
        "organizer": st.just({"name": "The Desk", "email": "desk@example.org"}),
        "uid": st.uuids().map(str),
    }
    for key, strategy in optional.items():
        if draw(st.booleans()):
            entry[key] = draw(strategy)
    if draw(st.booleans()):
        entry["repeat"] = draw(repeats(day, moment))
        if entry.get("status") == "cancelled":
            # An occurrence that is cancelled like all the others is not written again.
            entry["repeat"].pop("changes", None)
    return entry


@st.composite
def repeats(draw: st.DrawFn, day: date, moment: Callable[[date], str]) -> dict[str, Any]:
    rule = draw(st.sampled_from(RULES))
    start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (a wall time)
    days = [one.date() for one in islice(rrulestr(rule, dtstart=start), 7)]
    repeat: dict[str, Any] = {"rule": rule}
    taken = draw(st.lists(st.sampled_from(days), unique=True, max_size=4))
    if taken[2:]:
        repeat["except"] = [moment(one) for one in taken[2:]]
    if draw(st.booleans()):
        repeat["also"] = [moment(day + timedelta(days=3650))]
    changes = {}
    for one in taken[:2]:
        changes[moment(one)] = draw(
            st.sampled_from([{"start": moment(one + timedelta(days=400))}, {"status": "cancelled"}])
            | st.fixed_dictionaries({"summary": LINE.map("Changed: ".__add__)})
        )
    if changes:
        repeat["changes"] = changes
    return repeat


CALL = {"summary": "Call", "start": "2029-01-02 00:00", "time_zone": "UTC"}


@pytest.mark.parametrize(
    "others",
    [
        {},
        # A feed with a series in UTC does not name the calendar's zone.
        {
            "series": {**CALL, "repeat": {"rule": "FREQ=WEEKLY;COUNT=3"}},
            "local": {"summary": "Local", "start": "2029-01-03 10:00"},
        },
    ],
)
def test_an_event_in_utc_stays_in_utc_in_a_calendar_of_another_zone(others: dict[str, Any]) -> None:
    definition = {"name": "Desk", "time_zone": "Asia/Karachi", "events": {"call": CALL, **others}}
    feed, vevents = render(read(write_definition(definition, "generated")))
    _, again = render(read(import_calendar(feed, "desk", "desk").definition))
    assert again == vevents


@settings(max_examples=100)
@given(
    st.lists(events(), min_size=1, max_size=3),
    st.fixed_dictionaries(
        {"name": LINE, "time_zone": st.sampled_from(ZONES)},
        optional={
            "description": LINES.filter(bool),
            "language": st.sampled_from(["ur", "fa-AF", "en"]),
            "color": st.sampled_from(["seagreen", "aqua"]),
        },
    ),
)
def test_what_calfeed_publishes_comes_back_and_publishes_to_the_same_bytes(
    entries: list[dict[str, Any]], head: dict[str, Any]
) -> None:
    """Not one byte of a VEVENT differs, so no UID, time, text or alarm does."""
    definition = {**head, "events": {f"e{number}": each for number, each in enumerate(entries)}}
    try:
        calendar = read(write_definition(definition, "generated"))
    except DefinitionError:
        assume(False)  # a time that does not exist, a UID twice
    feed, vevents = render(calendar)
    made = import_calendar(feed, "desk", "desk")
    again, vevents_again = render(read(made.definition))
    assert vevents_again == vevents
    assert (
        again.partition(b"BEGIN:V")[2].partition(b"BEGIN:V")[0]
        == (feed.partition(b"BEGIN:V")[2].partition(b"BEGIN:V")[0])
    )
    assert made.losses == ()
    assert import_calendar(feed, "desk", "desk") == made


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=200))
def test_a_text_comes_through_character_by_character(summary: str, description: str) -> None:
    """White space around it and control characters aside, and then it is said."""
    event = icalendar.Event()
    event.add("SUMMARY", summary.replace("\\", "/"))
    event.add("DESCRIPTION", description.replace("\\", "/"))
    event.add("DTSTART", date(2030, 1, 1))
    try:
        lines = event.to_ical().decode("utf-8", "surrogatepass").encode()
    except UnicodeEncodeError:
        assume(False)
    made = import_calendar(lines, "desk", "desk")
    (got,) = read(made.definition).events
    if not any(prop == "DESCRIPTION" for prop, _ in told(made)):
        wanted = description.replace("\\", "/").replace("\r\n", "\n").replace("\r", "\n")
        assert (got.description or {"en": ""})["en"] == wanted.strip()


# The files of others.


def files_of_others() -> list[Path]:
    found: list[Path] = []
    for package in ("icalendar", "recurring_ical_events"):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        found += sorted(Path(spec.origin).parent.rglob("*.ics"))
    return found


_TIME = re.compile("DT|DUR|R(RULE|DATE|ECURR)|EX(DATE|RULE)|TZID|SEQ|UID|VEVENT|STATUS|METHOD")
_SAME_TIME = re.compile(
    "white space|written out|calfeed makes one|no time zone|is read as|defines|Untitled"
)


@pytest.mark.filterwarnings("ignore::icalendar.error.GloballyUniqueTZIDGuessed")
def test_files_of_others_are_imported_or_refused_and_then_take_place_at_the_same_times() -> None:
    """Whatever is in a file, the definition is accepted, or one says why there is none.

    What is said to be read otherwise than it is written is not compared, nor is a file that is too
    bad for the reader it is compared with.
    """
    compared, different = 0, []
    for file in files_of_others():
        data = file.read_bytes()
        try:
            made = import_calendar(data, "desk", file.name)
        except InvalidInputError:
            continue
        calendar = read(made.definition)
        assert calendar.events
        if any(
            _TIME.match(loss.property)
            # UNTIL before DTSTART: an event takes place at its DTSTART all the same (3.8.5.3).
            and not (_SAME_TIME.search(loss.reason) and "before the start" not in loss.value)
            for loss in made.losses
        ):
            continue
        starts = [event.instant(event.start) for event in calendar.events]
        first = min(starts) - timedelta(days=3)
        last = min(max(starts), first + timedelta(days=300)) + timedelta(days=100)
        home = calendar.events[0].zone
        try:
            wanted = occurrences(data, first, last, home)
        except Exception:  # the file is too bad for what it is compared with
            continue
        compared += 1
        if occurrences(render(calendar)[0], first, last, home) != wanted:
            different.append(file.name)
    assert compared
    assert different == []


@settings(max_examples=40)
@given(st.data())
def test_a_damaged_file_never_crashes(data: st.DataObject) -> None:
    file = data.draw(
        st.sampled_from([each for each in files_of_others() if each.stat().st_size < 9_000])
    )
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, max(len(content) - 1, 0)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"", b";", b":", b"\r\n", b"9", b"Z", b'"', b"\xff", b"-", b"T", b","])
        )
    with suppress(InvalidInputError):
        read(import_calendar(bytes(content), "desk", "desk").definition)
