"""Whatever is accepted becomes a feed that clients take; what is not is refused with reasons.

`python -m benchmarks.fuzz` tries many more examples than these.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
import vobject
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError, Problem
from calfeed.ical.occurrences import expand, last_end
from calfeed.model.events import Calendar, Event
from calfeed.model.values import text_in
from tests.ical.clients import check_lines, render_feed

pytestmark = pytest.mark.slow

Document = dict[str, Any]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
_DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

_ZONES = st.sampled_from(
    [
        *["UTC", "Asia/Karachi", "Asia/Kabul", "America/New_York", "Europe/London", "Asia/Gaza"],
        *["Africa/Casablanca", "Australia/Lord_Howe", "Europe/Dublin", "Pacific/Apia"],
        *["Atlantic/Reykjavik", "America/Sao_Paulo", "Etc/GMT+12", "Pacific/Kiritimati"],
    ]
)
_JUNK = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["-1", "2026-02-30", "25:00", "FREQ=", "1e3", "no", "[", "2026-01-01 24:00"]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
_PIECES = st.sampled_from(
    ["نړیواله ورځ", "خطاب؛ شام", "会議", "👩🏽‍💻", "a, b; c", "\\", "\\n", '"', ": ", "=", "x" * 74]
)
_LINES = st.one_of(
    st.lists(_PIECES, min_size=1, max_size=9).map("".join),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=90),
)
_TEXTS = st.one_of(
    _LINES,
    st.lists(_LINES, min_size=1, max_size=3).map("\n".join),
    st.dictionaries(st.sampled_from(["en", "ur", "ps", "fa-AF", "EN"]), _LINES, max_size=3),
    st.text(min_size=1, max_size=20),
)
_TITLES = st.one_of(_LINES, st.dictionaries(st.sampled_from(["en", "ur"]), _LINES, min_size=1))
_URLS = st.one_of(
    st.sampled_from(["https://example.org/a?b=c,d;e", "http://[::1]/", "https://example.org/خطاب"]),
    st.text(max_size=12).map("https://example.org/".__add__),
)
_SPANS = st.one_of(
    st.builds(
        "{} {}".format,
        st.integers(0, 40),
        st.sampled_from(["minutes", "hours", "days", "weeks", "months", "years"]),
    ),
    st.just("1 hour 30 minutes"),
)
_DATES = st.one_of(
    st.dates(date(2023, 1, 1), date(2028, 12, 31)), st.dates(date(1899, 12, 1), date(2201, 1, 31))
)
_CLOCKS = st.one_of(
    st.sampled_from(["01:30", "02:00", "02:30", "00:00", "09:30", "23:59:59"]),
    st.times().map(lambda clock: f"{clock:%H:%M}"),
)
_OFFSETS = st.sampled_from(["", "", "", "", "Z", "+05:00", "-04:00", "-05:00", "+14:00"])


@st.composite
def _repeats(draw: st.DrawFn, day: date, clock: str) -> Document:
    """A recurrence set that is often that of an event on this day."""
    nth, weekday = (day.day - 1) // 7 + 1, _DAYS[day.weekday()]
    frequency = draw(st.sampled_from(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    choices = {
        "BYDAY": st.sampled_from([weekday, f"{weekday},MO", f"{nth}{weekday}", f"-1{weekday}"]),
        "BYMONTH": st.sampled_from([str(day.month), f"{day.month},1,7"]),
        "BYMONTHDAY": st.sampled_from([str(day.day), f"{day.day},-1", "31"]),
        "BYYEARDAY": st.just(f"{day:%j},-1"),
        "BYWEEKNO": st.just(str(day.isocalendar().week)),
        "BYSETPOS": st.sampled_from(["1", "-1", "1,-1"]),
        "BYHOUR": st.sampled_from([clock[:2] or "9", "1,2,3", "0"]),
        "BYMINUTE": st.sampled_from([clock[3:5] or "0", "30"]),
        "WKST": st.sampled_from(_DAYS),
        "INTERVAL": st.integers(0, 5),
    }
    parts: Document = {"FREQ": frequency}
    for name in draw(st.lists(st.sampled_from(sorted(choices)), max_size=2, unique=True)):
        parts[name] = draw(choices[name])
    later = [day + timedelta(days=days) for days in (1, 7, 30, 365, 1)]
    moments = [f"{each} {clock}".strip() for each in (*later, day)]
    end = draw(st.sampled_from(["", "COUNT", "UNTIL"]))
    if end == "COUNT":
        parts[end] = draw(st.integers(1, 400))
    elif end == "UNTIL":
        last = day + timedelta(days=draw(st.integers(0, 900)))
        parts[end] = f"{last:%Y%m%d}" + draw(st.sampled_from(["", "T093000", "T063000Z"]))
    repeat: Document = {}
    if draw(st.integers(0, 9)):
        repeat["rule"] = ";".join(f"{name}={value}" for name, value in parts.items())
    some = st.lists(st.sampled_from(moments), max_size=2, unique=True)
    if draw(st.booleans()):
        repeat["except"] = draw(some)
    if draw(st.booleans()):
        repeat["also"] = draw(some)
    if draw(st.booleans()):
        changed = st.one_of(
            st.just({"status": "cancelled"}),
            st.fixed_dictionaries({"start": st.sampled_from(moments)}),
            st.fixed_dictionaries({}, optional={"summary": _TITLES, "duration": _SPANS}),
        )
        repeat["changes"] = draw(st.dictionaries(st.sampled_from(moments), changed, max_size=2))
    return repeat


@st.composite
def _events(draw: st.DrawFn) -> Document:
    day = draw(_DATES)
    clock = draw(st.one_of(st.just(""), _CLOCKS.flatmap(lambda one: _OFFSETS.map(one.__add__))))
    event: Document = {"summary": draw(_TITLES), "start": f"{day} {clock}".strip()}
    event |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "time_zone": _ZONES,
                "status": st.sampled_from(["tentative", "confirmed", "cancelled"]),
                "kind": st.sampled_from(["event", "deadline"]),
                "description": _TEXTS,
                "location": _TEXTS,
                "url": _URLS,
                "categories": st.lists(_LINES, max_size=3),
                "sources": st.lists(
                    st.fixed_dictionaries({"title": _LINES}, optional={"url": _URLS}), max_size=2
                ),
                "reminders": st.lists(
                    st.one_of(_SPANS, st.builds(dict, before=_SPANS, at=st.just("09:00"))),
                    max_size=2,
                ),
                "note": _TEXTS,
                "format": st.sampled_from(["plain", "markdown"]),
                "image": _URLS,
                "conference": st.one_of(_URLS, st.builds(dict, url=_URLS, label=_LINES)),
                "geo": st.sampled_from(["24.8607, 67.0011", "-0.000001, 0", "90,-180", "91, 0"]),
                "organizer": st.builds(dict, name=_LINES, email=st.just("a+b@example.org")),
                "contact": _LINES,
                "class": st.sampled_from(["public", "private", "confidential"]),
                "priority": st.sampled_from(["1", "9"]),
                "uid": st.one_of(_LINES, st.just("a@example.org")),
            },
        )
    )
    length = draw(st.sampled_from(["", "", "end", "duration"]))
    if length == "end":
        last = day + timedelta(days=draw(st.integers(0, 9)))
        event["end"] = f"{last} {clock}".strip()
    elif length == "duration":
        event["duration"] = draw(_SPANS)
    if draw(st.booleans()):
        event["repeat"] = draw(_repeats(day, clock))
    if draw(st.integers(0, 9)) == 0:
        event[draw(st.sampled_from([*event, "colour"]))] = draw(_JUNK)
    return event


DOCUMENTS = st.fixed_dictionaries(
    {
        "name": _TITLES,
        "time_zone": _ZONES,
        "events": st.dictionaries(st.sampled_from(["a", "b-1", "c"]), _events(), max_size=2),
    },
    optional={
        "description": _TEXTS,
        "language": st.sampled_from(["en", "ur", "fa-AF", "?"]),
        "color": st.sampled_from(["seagreen", "red", "#ff0000"]),
        "reminders": st.lists(_SPANS, max_size=2),
    },
)
"""Definitions of a calendar, about as often right as wrong."""


def check_document(document: Document) -> bool:
    """Hold what must be true of any definitions; return whether they were accepted."""
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    try:
        (calendar,) = read_definitions({"events/x.yaml": text.encode()}).calendars
    except DefinitionError as error:
        _check_problems(error.problems, text)
        return False
    _check_feed(calendar)
    for event in calendar.events:
        _check_occurrences(event)
    return True


def _check_problems(problems: tuple[Problem, ...], text: str) -> None:
    assert problems
    lines = text.splitlines()
    for problem in problems:
        assert problem.message
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1


def _check_feed(calendar: Calendar) -> None:
    feed = render_feed(calendar)
    check_lines(feed)
    titles = {event.uid: text_in(event.summary, calendar.language) for event in calendar.events}
    read = icalendar.Calendar.from_ical(feed)
    assert [component.errors for component in read.walk() if component.errors] == []
    components = [each for each in read.walk("VEVENT") if "RECURRENCE-ID" not in each]
    assert {str(one["UID"]): str(one["SUMMARY"]) for one in components} == titles
    events = IcsCalendarStream.calendar_from_ics(feed.decode()).events
    assert {str(one.uid): one.summary for one in events if not one.recurrence_id} == titles
    vcalendar = vobject.readOne(feed.decode())
    vcalendar.validate(raiseException=True)
    vevents = vcalendar.contents.get("vevent", [])
    masters = [one for one in vevents if not hasattr(one, "recurrence_id")]
    assert {one.uid.value: one.summary.value for one in masters} == titles


def _check_occurrences(event: Event) -> None:
    start = event.instant(event.start)
    for begin in (start - timedelta(days=400), start, NOW):
        found = list(expand(event, begin, begin + timedelta(days=50)))
        assert found == sorted(found, key=lambda one: one.begins)
        assert all(one.begins <= one.ends for one in found)
        assert len({one.id for one in found}) == len(found)
    last_end(event)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(DOCUMENTS)
def test_what_is_accepted_makes_a_feed_and_what_is_refused_has_a_place_and_a_reason(
    document: Document,
) -> None:
    check_document(document)
