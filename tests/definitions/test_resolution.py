"""Dates that are counted from other events: refusals with their lines, and dates on hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from calfeed.definitions.reader import DefinitionReader, read_definitions
from calfeed.model.dates.dating import Hold
from calfeed.model.dates.uncertainty import Precision, Span
from tests.definitions.counted import (
    count_from,
    problems_of,
    read,
    resolve,
    use_holidays,
    write_calendar,
)


def test_every_problem_of_counted_dates_is_told_at_once_with_its_line() -> None:
    public = write_calendar(
        """
        one: {summary: One, start: 1 day after three}
        two: {summary: Two, start: 1 day after one}
        three: {summary: Three, start: 1 day after two}
        after-cycle: {summary: A, start: 1 day after three}
        own: {summary: Own, start: 1 day before own}
        weekly: {summary: W, start: 2030-06-03, repeat: {rule: FREQ=WEEKLY}}
        from-weekly: {summary: F, start: 1 day after weekly}
        typo: {summary: T, start: 1 day after weakly}
        other: {summary: O, start: 1 day after secrets/ruling}
        nowhere: {summary: N, start: 1 day after secret/ruling}
        elsewhere: {summary: E, start: 1 day after ruling}
        unruled: {summary: U, start: 2 working days after plain}
        plain: {summary: P, start: 2030-06-03}
        """
    )
    secrets = write_calendar(
        """
        ruling: {summary: R, start: 2030-06-03}
        inner: {summary: I, start: 1 day after desk/plain}
        """,
        "visibility: private",
    )
    found = problems_of({"desk": public, "secrets": secrets})
    assert [problem.removeprefix("events/desk.yaml:") for problem in found] == [
        "4:23: events.one.start: is counted from itself: desk/one ← desk/three ← desk/two ← "
        "desk/one (desk/one in events/desk.yaml, line 4; desk/three in events/desk.yaml, line 6; "
        "desk/two in events/desk.yaml, line 5); give one of them a date of its own",
        "8:23: events.own.start: is counted from itself: desk/own ← desk/own (desk/own in "
        "events/desk.yaml, line 8); give one of them a date of its own",
        '10:29: events.from-weekly.start: counts from "desk/weekly", which recurs: write the date, '
        "or define that occurrence as an event of its own",
        '11:22: events.typo.start: counts from "weakly", but there is no such event in this '
        'calendar; did you mean "weekly"?',
        '12:23: events.other.start: counts from "secrets/ruling" in a private calendar, which a '
        "public date would reveal; write the date, or make this calendar private",
        '13:25: events.nowhere.start: counts from "secret/ruling", but there is no calendar '
        '"secret"; did you mean "secrets"?',
        '14:27: events.elsewhere.start: counts from "ruling", but there is no such event in this '
        'calendar; did you mean "secrets/ruling"?',
        "15:25: events.unruled.start: counts working days, but nothing says which days are: add "
        "`working_days` to the calendar, such as {holidays: [PK]}, or a file working_days.yaml for "
        "all calendars",
    ]


@pytest.mark.parametrize("event", ["undated", "held", "waiting", "cancelled"])
def test_a_private_event_without_a_date_is_no_cause_of_a_public_one_either(event: str) -> None:
    secrets = write_calendar(
        """
        undated: {summary: Secret, start: postponed}
        held: {summary: Secret, start: postponed from 2030-06-12}
        waiting: {summary: Secret, start: 1 day after undated}
        cancelled: {summary: Secret, start: 2030-06-12, status: cancelled}
        """,
        "visibility: private",
    )
    public = write_calendar(f"it: {{summary: It, start: 1 day after secrets/{event}}}")
    (problem,) = problems_of({"desk": public, "secrets": secrets})
    assert problem.startswith(
        f'events/desk.yaml:4:21: events.it.start: counts from "secrets/{event}" in a private'
    )


@pytest.mark.parametrize(
    ("keys", "problem"),
    {
        "start: 2030-06-03, at: '17:00'": "at: is only for a date that is counted from another",
        "start: 2030-06, at: '17:00'": "at: is only for a date that is counted",
        "start: 2030-06-03, roll: next": "roll: is only for a date that is counted",
        "start: 2030-06, roll: next": "roll: is only for a date that is counted",
        "start: postponed, roll: next": "roll: is only for a date that is counted",
        "start: 2030-06, end: 2030-07-03": "end: cannot be combined with such a start; remove it "
        "until",
        "start: 2030-06, duration: 2 days": "duration: cannot be combined with such a start",
        "start: postponed, end: 2030-07-03": "end: cannot be combined with such a start",
        "start: postponed, duration: 2 days": "duration: cannot be combined with such a start",
        "start: 1 day after a, end: 2030-07-03": "end: cannot be combined with such a start; "
        "write a duration",
        "start: 1 day after a, repeat: {rule: FREQ=WEEKLY}": "repeat: needs a start that is a day "
        "or a time",
        "start: 2030-06, repeat: {rule: FREQ=WEEKLY}": "repeat: needs a start that is a day",
        "start: postponed, repeat: {rule: FREQ=WEEKLY}": "repeat: needs a start that is a day",
        "start: 1 day after a, roll: next": "start: counts working days, but nothing says which",
        "start: 1 day after a, roll: sideways": 'roll: "sideways" is not valid here; write',
        "start: 1 day after a, duration: 2 hours": "duration: an all-day event lasts whole days",
        "start: 1 day after a, at: noon": 'at: "noon"',
        "start: 2030-06-03, reminders: [3 working days]": "reminders: counts working days, but "
        "nothing says",
        "start: 2030-06-03, done: lost": "done: must be met, waived or a day",
        "start: 2030-06-03, done: met, repeat: {rule: FREQ=WEEKLY}": "done: would end the "
        "reminders of all occurrences",
        "start: 2030-06-03, embargo: soon": 'embargo: "soon"',
        "start: 2030-06-03, correction: {was: soon}": 'correction.was: "soon"',
    }.items(),
    ids=str,
)
def test_a_key_that_its_start_does_not_allow_is_refused_at_its_place(
    keys: str, problem: str
) -> None:
    file = write_calendar(
        f"a: {{summary: A, start: 2030-06-01}}\nit: {{summary: It, {keys}}}\n"
        "last: {summary: L, start: 1 day after nothing}"
    )
    first, last = sorted(problems_of({"desk": file}))
    assert first.startswith("events/desk.yaml:5:")
    assert f"events.it.{problem}" in first
    assert last.startswith("events/desk.yaml:6:22: events.last.start: counts from")


@pytest.mark.parametrize(
    ("head", "problem"),
    {
        "working_days: {holidays: [PX]}": '3:27: working_days.holidays.0: "PX" is not a country',
        "working_days: {holidays: [GB-XYZ]}": 'holidays.0: "GB-XYZ" is not a part of GB; its',
        "working_days: {weekend: [someday]}": "working_days.weekend.0: ",
        "working_days: {weekend: [monday, tuesday, wednesday, thursday, friday, saturday, "
        "sunday]}": "working_days.weekend: ",
        "working_days: {closed: [2030-01-02], open: [2030-01-02]}": "2030-01-02 is both closed and "
        "open; keep one",
        "working_days: {closed: [June]}": "working_days.closed.0",
    }.items(),
    ids=str,
)
def test_working_days_that_cannot_be_are_refused(head: str, problem: str) -> None:
    (found,) = problems_of({"desk": write_calendar("it: {summary: It, start: 2030-06-01}", head)})
    assert problem in found


def test_days_run_from_the_local_day_of_the_cause_and_keep_the_time_of_the_dependent() -> None:
    files = {
        "court": write_calendar(
            "hearing: {summary: H, start: 2030-06-12 23:30, duration: 1 hour}",
            time_zone="America/New_York",
        ),
        "desk": write_calendar(
            """
            it: {summary: It, start: 3 days after court/hearing, at: "17:00", duration: 2 hours}
            day: {summary: Day, start: the day after court/hearing}
            """.replace("the day", "one day"),
            time_zone="Asia/Karachi",
        ),
    }
    _, desk = read(files).calendars
    day, event = desk.events
    assert day.start == date(2030, 6, 13)
    assert isinstance(event.start, datetime)
    assert isinstance(event.end, datetime)
    assert event.start.astimezone(UTC) == datetime(2030, 6, 15, 12, tzinfo=UTC)
    assert event.end.astimezone(UTC) == datetime(2030, 6, 15, 14, tzinfo=UTC)


def test_a_vague_cause_gives_the_days_that_its_two_ends_give() -> None:
    event = count_from("2030-06", "14 days after", keys='at: "17:00"')
    assert event.span == Span(date(2030, 6, 15), date(2030, 7, 14), Precision.RANGE)
    short = count_from("2030-06-03..2030-06-07", "3 working days before", use_holidays("PK"))
    assert short.span == Span(date(2030, 5, 29), date(2030, 6, 4), Precision.RANGE)
    # All of these days have the same Monday before them, so the date is certain.
    monday = count_from("2030-06-04..2030-06-07", "monday before", keys='at: "17:00"')
    assert monday.precision is None
    assert monday.start.isoformat() == "2030-06-03T17:00:00+01:00"
    # Of a day whose time is open the day is certain.
    assert count_from("2030-06-15 time to be confirmed", "1 day after").start == date(2030, 6, 16)


@pytest.mark.parametrize("day", range(3, 10))
def test_a_weekday_before_or_after_is_never_the_day_itself(day: int) -> None:
    start = date(2030, 6, day)
    before = count_from(f"{start}", "monday before").start
    after = count_from(f"{start}", "the monday after").start
    assert (before, after) == (
        date(2030, 5, 27) if day == 3 else date(2030, 6, 3),
        date(2030, 6, 10),
    )


def test_what_is_counted_from_an_event_without_a_date_waits_for_it() -> None:
    defined = read(
        {
            "desk": write_calendar(
                """
                gone: {summary: Gone, start: 2030-06-12, status: cancelled}
                held: {summary: Held, start: postponed from 2030-06-12}
                lost: {summary: Lost, start: postponed}
                after-gone: {summary: A, start: 1 day after gone}
                after-held: {summary: B, start: 1 day after held}
                after-lost: {summary: C, start: 1 day after lost}
                last: {summary: D, start: 1 day after after-gone}
                """
            )
        }
    )
    (desk,) = defined.calendars
    assert [event.slug for event in desk.events] == ["gone", "held"]
    waiting = {
        each.draft.slug: (each.on_hold.why, each.on_hold.cause and each.on_hold.cause.slug)
        for each in defined.undated
    }
    assert waiting == {
        "lost": (Hold.POSTPONED, None),
        "after-gone": (Hold.WAITING, "gone"),
        "after-held": (Hold.WAITING, "held"),
        "after-lost": (Hold.WAITING, "lost"),
        "last": (Hold.WAITING, "after-gone"),
    }
    # None of these causes has a date that stands, so none is given.
    for each in defined.undated:
        cause = each.on_hold.cause
        assert cause is None or (cause.earliest, cause.latest) == (None, None), each.draft.slug


def test_calendars_that_were_not_read_again_are_read_if_a_date_is_counted_from_them() -> None:
    first = {
        "events/court.yaml": write_calendar("ruling: {summary: R, start: 2030-06-12}"),
        "events/desk.yaml": write_calendar("it: {summary: It, start: 2030-07-01}"),
        "events/other.yaml": write_calendar("it: {summary: It, start: 2030-07-01}"),
    }
    known = read_definitions(first).known
    assert set(known) == {"court", "desk", "other"}
    second = {
        **first,
        "events/desk.yaml": write_calendar("it: {summary: It, start: 3 days after court/ruling}"),
    }
    reader = DefinitionReader(code="", known=known)
    defined = reader.read(second)
    assert defined.unchanged == {"other"}
    assert [calendar.events[0].start for calendar in defined.calendars] == [
        *(date(2030, 6, 12), date(2030, 6, 15))
    ]
    # A calendar that counts from another one is never skipped: the other may change alone.
    assert set(defined.known) == {"court", "other"}


def test_a_calendar_with_an_event_that_has_no_date_yet_is_read_and_warned_of_each_time() -> None:
    files = {
        "events/desk.yaml": write_calendar("it: {summary: It, start: postponed}"),
        "events/other.yaml": write_calendar("it: {summary: It, start: 2030-07-01}"),
    }
    assert set(read_definitions(files).known) == {"other"}


def test_a_reader_that_reads_again_gives_the_dates_and_warnings_of_one_that_reads_first() -> None:
    def write(day: str) -> dict[str, bytes]:
        return {
            "events/court.yaml": write_calendar(f"ruling: {{summary: R, start: {day}}}"),
            "events/desk.yaml": write_calendar(
                """
                it: {summary: It, start: 3 days after court/ruling}
                held: {summary: Held, start: postponed from 2030-06-12 09:00-11:00}
                """
            ),
        }

    reader = DefinitionReader(code="")
    for day in ("2030-06-12", "2030-06-13", "2030-06", "postponed", "2030-06-12"):
        again, first = reader.read(write(day)), read_definitions(write(day))
        assert again.calendars == first.calendars
        assert again.warnings == first.warnings
        assert len(first.warnings) == 1
        assert [each.on_hold for each in again.undated] == [each.on_hold for each in first.undated]


def test_a_date_beyond_the_years_that_are_known_is_refused() -> None:
    events = "a: {summary: A, start: 2199-06-01}\nit: {summary: It, start: 2 years after a}"
    (problem,) = problems_of({"desk": write_calendar(events)})
    assert "gives 2201-06-01, but years go from 1900 to 2200" in problem


def test_a_cause_may_be_written_in_any_file_and_order() -> None:
    events = resolve(
        """
        c: {summary: C, start: 1 week after b}
        b: {summary: B, start: 1 week after the a}
        a: {summary: A, start: 2030-06-03}
        """
    )
    assert [events[name].start.isoformat() for name in "abc"] == [
        *("2030-06-03", "2030-06-10", "2030-06-17")
    ]
