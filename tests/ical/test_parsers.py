"""libical, ical.js and sabre/vobject, and faults of theirs that comparisons allow for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.ical.clients import Window, render_feed, seen_by_calfeed
from tests.ical.corpus import MAIN
from tests.ical.defining import define
from tests.ical.parsers import PARSERS, Alarm, Feed, Occurrence, parsers_required, read_feeds


def feed_of(event: str, head: str = "") -> Feed:
    return Feed(render_feed(define(event, head=head)), *MAIN.instants())


def starts_seen(parser: str, event: str, window: Window = MAIN) -> set[date]:
    """What starts in the window, by one parser."""
    with parsers_required():
        (reading,) = read_feeds(parser, [Feed(render_feed(define(event)), *window.instants())])
    return {start for _, start in window.of((one.uid, one.start) for one in reading.occurrences)}


def starts_seen_by_calfeed(event: str) -> set[date]:
    return {start for _, start in seen_by_calfeed(define(event), MAIN)}


@pytest.mark.parametrize("parser", PARSERS)
def test_a_parser_reads_starts_ends_and_alarms_of_each_feed_of_a_batch(parser: str) -> None:
    feeds = [
        feed_of("it: {summary: It, start: 2026-05-01, reminders: [1 day]}"),
        feed_of(
            """
            it:
              summary: It
              time_zone: America/New_York
              start: 2026-10-30 10:00
              duration: 90 minutes
              reminders: [2 hours]
              repeat:
                rule: FREQ=WEEKLY;COUNT=3
                except: [2026-11-06 10:00]
                changes: {2026-11-13 10:00: {start: 2026-11-14 11:00}}
            """
        ),
    ]
    with parsers_required():
        all_day, series = read_feeds(parser, feeds)
    assert (all_day.errors, series.errors) == ([], [])
    ((uid, start, end),) = all_day.occurrences
    assert (start, end) == (date(2026, 5, 1), date(2026, 5, 2))
    the_day_before = datetime(2026, 4, 30, 4, tzinfo=UTC)
    assert all_day.alarms == {Alarm(uid, start, the_day_before)}
    first, moved = (
        datetime(2026, *parts, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
        for parts in ((10, 30, 10), (11, 14, 11))
    )
    ninety = timedelta(minutes=90)
    assert series.occurrences == {
        Occurrence(uid, first, first + ninety),
        Occurrence(uid, moved, moved + ninety),
    }
    hours = timedelta(hours=2)
    assert series.alarms == {
        Alarm(uid, first, first - hours),
        Alarm(uid, moved, moved - hours),
    }


@pytest.mark.parametrize("parser", PARSERS)
def test_a_parser_says_so_of_what_it_cannot_read(parser: str) -> None:
    with parsers_required():
        broken, sound = read_feeds(
            parser,
            [
                Feed(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nno line\r\n", *MAIN.instants()),
                feed_of("it: {summary: It, start: 2026-05-01}"),
            ],
        )
    assert broken.errors
    assert len(sound.occurrences) == 1


# Each fault has to be there still: where it is gone, so may be the allowance in misreading.py.


@pytest.mark.parametrize("parser", PARSERS)
def test_a_skipped_wall_time_still_puts_an_occurrence_an_hour_off(parser: str) -> None:
    """For ical.js it is the skipped one, for libical and sabre the next one."""
    event = (
        "it: {summary: It, time_zone: America/Anchorage, start: 2026-03-07 02:30,"
        " repeat: {rule: FREQ=DAILY;COUNT=3}}"
    )
    assert len(starts_seen(parser, event) ^ starts_seen_by_calfeed(event)) == 2


@pytest.mark.parametrize(
    ("parser", "start", "rule"),
    [
        ("libical", "2025-12-30", "FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=TU;INTERVAL=3"),
        ("libical", "2024-01-04", "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,TH;WKST=FR"),
        ("ical.js", "2026-05-18", "FREQ=YEARLY;BYDAY=20MO,-3MO;COUNT=3"),
        ("ical.js", "2026-05-05", "FREQ=YEARLY;BYMONTH=5,9;BYDAY=TU;BYSETPOS=1,-1;COUNT=3"),
        ("sabre", "2026-05-04", "FREQ=YEARLY;BYYEARDAY=124;COUNT=3"),
    ],
)
def test_a_rule_is_still_misread(parser: str, start: str, rule: str) -> None:
    event = f"it: {{summary: It, start: {start}, repeat: {{rule: '{rule}'}}}}"
    assert starts_seen(parser, event) != starts_seen_by_calfeed(event)
