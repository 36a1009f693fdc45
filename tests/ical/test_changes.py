"""The changes from one revision of an event to another, and of its occurrences."""

from __future__ import annotations

from datetime import UTC, datetime

import icalendar
import pytest

from calfeed.ical.comparison.changes import (
    EventChange,
    Kind,
    compare_revisions,
    drops_occurrences,
    extend_history,
)
from calfeed.ical.vevent import render_event
from calfeed.ical.wording.change_text import describe_change
from calfeed.model.events import Event
from calfeed.model.revision import ComparableRevision, Revision
from tests.ical.defining import define_event

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
SERIES = """
start: 2027-03-01 09:00
duration: 1 hour
repeat:
  rule: {rule}
{more}
"""
RULE = "FREQ=WEEKLY;COUNT=6"


def series(*more: str, rule: str = RULE, also: str = "") -> Event:
    lines = "".join(f"  {line}\n" for line in more)
    return define_event(SERIES.format(rule=rule, more=lines) + also)


def change(day: str, what: str) -> str:
    return f"changes: {{{day} 09:00: {{{what}}}}}"


def compare(before: Event, after: Event) -> EventChange:
    revisions = [
        Revision(event=event, sequence=number, created=NOW, modified=NOW)
        for number, event in enumerate((before, after))
    ]
    return compare_revisions(*(ComparableRevision(revision) for revision in revisions))


LATER = change("2027-03-15", "start: 2027-03-16 11:00")
LONGER = change("2027-03-15", "end: 2027-03-15 12:00")
PLACE = change("2027-03-15", "location: Room 4")
OFF = change("2027-03-15", "status: cancelled")


@pytest.mark.parametrize(
    ("before", "after", "kind", "said"),
    [
        (
            series(),
            series("except: [2027-03-15 09:00]"),
            Kind.CHANGED,
            "cancelled on 15 March 2027, 09:00 to 10:00 PKT",
        ),
        (series(), series(OFF), Kind.CHANGED, "cancelled on 15 March 2027, 09:00 to 10:00 PKT"),
        (
            series("except: [2027-03-15 09:00]"),
            series(),
            Kind.CHANGED,
            "also on 15 March 2027, 09:00 to 10:00 PKT",
        ),
        (series(), series(PLACE), Kind.CHANGED, "changed on 15 March 2027, 09:00 to 10:00 PKT"),
        (
            series(PLACE),
            series(PLACE, also="location: The hall"),
            Kind.CHANGED,
            "changed, 1 March 2027, 09:00 to 10:00 PKT",
        ),
        (
            series(),
            series(LATER),
            Kind.MOVED,
            "moved from 15 March 2027, 09:00 to 10:00 PKT to 16 March 2027, 11:00 to 12:00 PKT",
        ),
        (
            series(LATER),
            series(LATER.replace("11:00", "11:00, location: Room 4")),
            Kind.CHANGED,
            "changed on 16 March 2027, 11:00 to 12:00 PKT",
        ),
        (
            series(LATER),
            series(),
            Kind.MOVED,
            "moved from 16 March 2027, 11:00 to 12:00 PKT to 15 March 2027, 09:00 to 10:00 PKT",
        ),
        (
            series(),
            series(LONGER),
            Kind.MOVED,
            "now ends 15 March 2027, 12:00 PKT instead of 15 March 2027, 10:00 PKT",
        ),
        (
            series(),
            series(LATER, "except: [2027-03-08 09:00]", also="location: The hall"),
            Kind.MOVED,
            "moved, 1 March 2027, 09:00 to 10:00 PKT; "
            "cancelled on 8 March 2027, 09:00 to 10:00 PKT; "
            "moved from 15 March 2027, 09:00 to 10:00 PKT to 16 March 2027, 11:00 to 12:00 PKT",
        ),
        (
            series(),
            series("also: [2027-03-10 09:00]"),
            Kind.CHANGED,
            "also on 10 March 2027, 09:00 to 10:00 PKT",
        ),
        (
            series(),
            series(rule="FREQ=WEEKLY;COUNT=8"),
            Kind.CHANGED,
            "also on 12 April 2027, 09:00 to 10:00 PKT; also on 19 April 2027, 09:00 to 10:00 PKT",
        ),
        (
            series(),
            series(rule="FREQ=WEEKLY"),
            Kind.CHANGED,
            "also on 12 April 2027, 09:00 to 10:00 PKT; also on 19 April 2027, 09:00 to 10:00 PKT;"
            " also on 26 April 2027, 09:00 to 10:00 PKT; others too",
        ),
        (
            series(),
            series(rule="FREQ=WEEKLY;INTERVAL=2;COUNT=3"),
            Kind.CHANGED,
            "cancelled on 8 March 2027, 09:00 to 10:00 PKT; "
            "cancelled on 22 March 2027, 09:00 to 10:00 PKT; "
            "cancelled on 5 April 2027, 09:00 to 10:00 PKT",
        ),
        (
            series(),
            series(rule="FREQ=WEEKLY;INTERVAL=2;COUNT=6"),
            Kind.MOVED,
            "moved from 8 March 2027, 09:00 to 10:00 PKT to 15 March 2027, 09:00 to 10:00 PKT; "
            "others too",
        ),
        (
            series(),
            define_event(SERIES.format(rule=RULE, more="").replace("09:00", "10:00")),
            Kind.MOVED,
            "moved from 1 March 2027, 09:00 to 10:00 PKT to 1 March 2027, 10:00 to 11:00 PKT",
        ),
        (
            define_event("start: 2027-03-01\nend: 2027-03-02"),
            define_event("start: 2027-03-01\nend: 2027-03-04"),
            Kind.MOVED,
            "now ends 4 March 2027 instead of 2 March 2027",
        ),
        (
            define_event("start: 2027-03-01"),
            define_event("start: 2027-03-01 10:00"),
            Kind.MOVED,
            "moved from 1 March 2027 to 1 March 2027, 10:00 PKT",
        ),
    ],
)
def test_a_change_is_told_of_what_it_concerns(
    before: Event, after: Event, kind: Kind, said: str
) -> None:
    found = compare(before, after)
    assert (found.kind, describe_change(found)) == (kind, said)
    assert found.is_newsworthy


@pytest.mark.parametrize("more", [(), (PLACE,), ("except: [2027-03-22 09:00]",)])
def test_was_stands_in_the_occurrence_that_moved_and_nowhere_else(more: tuple[str, ...]) -> None:
    found = compare(series(*more), series(*(one for one in more if one != PLACE), LATER))
    revision = found.after.model_copy(update={"history": extend_history(found, NOW)})
    calendar = icalendar.Calendar.from_ical(
        b"BEGIN:VCALENDAR\r\n" + render_event(revision) + b"END:VCALENDAR\r\n"
    )
    told = {
        str(one.decoded("DTSTART")): str(one.get("DESCRIPTION", ""))
        for one in calendar.walk("VEVENT")
    }
    assert told == {
        "2027-03-01 09:00:00+05:00": "",
        "2027-03-16 11:00:00+05:00": (
            "Was 15 March 2027, 09:00 to 10:00 PKT; moved on 1 February 2027"
        ),
    }


def test_a_date_that_is_extended_has_no_earlier_time() -> None:
    assert extend_history(compare(series(), series(rule="FREQ=WEEKLY;COUNT=8")), NOW) == ()


def test_the_same_again_is_nothing_to_tell() -> None:
    assert not compare(series(LATER), series(LATER)).is_newsworthy


def night(change: str = "") -> Event:
    """An hour at 02:30 each night, also in that in which the clocks of Berlin go back."""
    return define_event(f"""
        start: 2027-10-30 02:30
        duration: 1 hour
        time_zone: Europe/Berlin
        repeat:
          rule: FREQ=DAILY;COUNT=4
          changes: {{2027-10-31 02:30+02:00: {{location: Here, {change}}}}}
    """)


def test_a_move_to_the_second_of_two_equal_wall_times_is_told() -> None:
    found = compare(night(), night("start: 2027-10-31 02:30+01:00"))
    assert found.kind is Kind.MOVED
    assert describe_change(found) == (
        "moved from 31 October 2027, 02:30 CEST to 02:30 CET to 31 October 2027, 02:30 to 03:30 CET"
    )
    first, second = (f"start: 2027-10-31 02:30{offset}" for offset in ("+02:00", "+01:00"))
    assert compare(night(first), night(second)).kind is Kind.MOVED


def test_a_longer_hour_where_the_clocks_go_back_ends_later() -> None:
    found = compare(night(), night("end: 2027-10-31 03:00"))
    assert describe_change(found) == (
        "now ends 31 October 2027, 03:00 CET instead of 31 October 2027, 02:30 CET"
    )


@pytest.mark.parametrize(
    "keys",
    [
        "start: 2027-03-04",
        "start: 2027-03-04\nend: 2027-03-06\nkind: deadline",
        "start: 2027-06",
        "start: 2027-06-03..2027-06-05",
        "start: 2027-03-01\nrepeat: {rule: FREQ=DAILY}",
    ],
)
@pytest.mark.parametrize("zones", [("Asia/Karachi", "Europe/London"), ("UTC", "Pacific/Auckland")])
def test_days_do_not_move_when_the_time_zone_changes(keys: str, zones: tuple[str, str]) -> None:
    old, new = (define_event(f"{keys}\ntime_zone: {zone}") for zone in zones)
    assert old.times == new.times
    for before, after in ((old, new), (new, old)):
        found = compare(before, after)
        assert (found.kind, found.occurrences) == (Kind.CHANGED, ())
        assert extend_history(found, NOW) == ()


def test_only_the_excepted_day_is_told_when_the_time_zone_changes_too() -> None:
    keys = "start: 2027-03-01\nrepeat: {rule: FREQ=DAILY, except: [%s]}\ntime_zone: %s"
    found = compare(
        define_event(keys % ("2027-03-09", "Asia/Karachi")),
        define_event(keys % ("2027-03-09, 2027-03-08", "Europe/London")),
    )
    assert found.kind is Kind.CHANGED
    assert [(each.after.id, each.dropped) for each in found.occurrences] == [("20270308", True)]


LONDON = """
start: 2027-01-04 10:00
duration: 1 hour
time_zone: {zone}
repeat: {{rule: FREQ=WEEKLY{more}}}
"""


@pytest.mark.parametrize("more", ["", ", except: [2027-01-11 10:00, 2027-04-05 10:00]"])
def test_a_series_whose_zone_moves_half_its_dates_has_moved_from_the_first_of_these(
    more: str,
) -> None:
    zones = ("GMT", "Europe/London")
    found = compare(*(define_event(LONDON.format(zone=zone, more=more)) for zone in zones))
    assert (found.kind, describe_change(found)) == (
        Kind.MOVED,
        "moved from 29 March 2027, 10:00 to 11:00 GMT to 29 March 2027, 10:00 to 11:00 BST; "
        "others too",
    )
    assert [move.start.isoformat() for move in extend_history(found, NOW)] == [
        "2027-03-29T10:00:00+00:00"
    ]


def test_a_series_in_a_zone_with_the_same_hours_has_not_moved() -> None:
    zones = ("Asia/Karachi", "Asia/Tashkent")
    found = compare(*(define_event(LONDON.format(zone=zone, more="")) for zone in zones))
    assert (found.kind, found.occurrences) == (Kind.CHANGED, ())


def recurring(start: str, rule: str = "FREQ=WEEKLY", *more: str, also: str = "") -> Event:
    lines = "".join(f"  {line}\n" for line in more)
    return define_event(
        f"start: {start} 10:00\nduration: 1 hour\nrepeat:\n  rule: {rule}\n{lines}" + also
    )


COMING = "2027-02-08"
"""The first Monday after `NOW`, which is a Monday too."""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (recurring("2026-11-02"), recurring(COMING)),
        (recurring("2027-02-01"), recurring(COMING)),
        (recurring("2026-11-02", "FREQ=WEEKLY;COUNT=20"), recurring(COMING, "FREQ=WEEKLY;COUNT=6")),
        (
            recurring("2026-11-02", "FREQ=WEEKLY", "except: [2027-01-04 10:00]"),
            recurring(COMING),
        ),
        (
            recurring(
                "2026-11-02",
                "FREQ=WEEKLY",
                "changes: {2027-01-04 10:00: {start: 2027-01-05 10:00},"
                " 2027-02-15 10:00: {start: 2027-02-16 10:00}}",
            ),
            recurring(
                COMING, "FREQ=WEEKLY", "changes: {2027-02-15 10:00: {start: 2027-02-16 10:00}}"
            ),
        ),
    ],
)
def test_a_series_whose_past_dates_are_tidied_away_has_not_moved(
    before: Event, after: Event
) -> None:
    found = compare(before, after)
    assert (found.kind, found.occurrences) == (Kind.CHANGED, ())
    assert extend_history(found, NOW) == ()
    assert not drops_occurrences(found)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            recurring("2026-11-02"),
            recurring("2027-02-15"),
            "cancelled on 8 February 2027, 10:00 to 11:00 PKT",
        ),
        (
            recurring(COMING, "FREQ=WEEKLY;COUNT=2"),
            define_event(f"start: {COMING} 10:00\nduration: 1 hour"),
            "cancelled on 15 February 2027, 10:00 to 11:00 PKT",
        ),
        (
            recurring(COMING),
            define_event("start: 2027-03-01 10:00\nduration: 1 hour"),
            "cancelled on 8 February 2027, 10:00 to 11:00 PKT; "
            "cancelled on 15 February 2027, 10:00 to 11:00 PKT; "
            "cancelled on 22 February 2027, 10:00 to 11:00 PKT; others too",
        ),
    ],
)
def test_the_dates_that_a_series_loses_or_gains_are_named(
    before: Event, after: Event, said: str
) -> None:
    found, back = compare(before, after), compare(after, before)
    assert (found.kind, describe_change(found)) == (Kind.CHANGED, said)
    assert (back.kind, describe_change(back)) == (
        Kind.CHANGED,
        said.replace("cancelled", "also"),
    )
    assert all(each.dropped for each in found.occurrences)
    assert drops_occurrences(found)
    assert not drops_occurrences(back)
    assert extend_history(found, NOW) == extend_history(back, NOW) == ()


def test_a_tidied_series_names_the_date_that_moved() -> None:
    own = "changes: {2027-02-15 10:00: {start: 2027-02-16 10:00}}"
    found = compare(recurring("2026-11-02"), recurring(COMING, "FREQ=WEEKLY", own))
    assert (found.kind, describe_change(found)) == (
        Kind.MOVED,
        "moved from 15 February 2027, 10:00 to 11:00 PKT to 16 February 2027, 10:00 to 11:00 PKT",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (recurring(COMING, "FREQ=WEEKLY;COUNT=4"), recurring("2027-02-15", "FREQ=WEEKLY;COUNT=4")),
        (recurring("2026-02-02", "FREQ=WEEKLY;COUNT=4"), recurring(COMING)),
        (
            recurring(COMING),
            define_event("start: 2027-02-15 10:00\nduration: 2 hours\nrepeat: {rule: FREQ=WEEKLY}"),
        ),
        (recurring(COMING, "FREQ=WEEKLY;INTERVAL=2"), recurring("2027-02-15")),
        (
            define_event("start: 2027-01-04 10:00\nduration: 1 hour"),
            define_event("start: 2027-03-01 10:00\nduration: 1 hour"),
        ),
    ],
)
def test_a_series_with_other_times_has_moved_as_a_whole(before: Event, after: Event) -> None:
    found = compare(before, after)
    assert (found.kind, found.occurrences) == (Kind.MOVED, ())


def test_a_corrected_start_of_a_series_stays_a_correction() -> None:
    after = recurring("2027-02-15", also="correction: 2027-02-08\n")
    assert compare(recurring(COMING), after).kind is Kind.CORRECTED
