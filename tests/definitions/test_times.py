"""Moments are read as they are written, and errors explain texts that are not moments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.definitions.formats.times import parse_clock, parse_day, parse_moment
from calfeed.definitions.formats.zone_names import check_zone
from calfeed.model.dates.durations import Duration

NEW_YORK = ZoneInfo("America/New_York")


def test_a_date_stays_a_date() -> None:
    assert parse_moment("2024-09-27").in_zone(NEW_YORK) == date(2024, 9, 27)
    assert parse_day(" 2024-09-27 ") == date(2024, 9, 27)


@pytest.mark.parametrize(
    "text",
    [
        "2024-09-27 10:30",
        "2024-09-27T10:30",
        "2024-09-27 10:30:00",
        "2024-09-27 14:30Z",
        "2024-09-27T14:30:00+00:00",
        "2024-09-27 19:30 +0500",
        "2024-09-27 10:30-04:00",
    ],
)
def test_every_way_to_write_a_moment_means_the_same_instant(text: str) -> None:
    moment = parse_moment(text).in_zone(NEW_YORK)
    assert isinstance(moment, datetime)
    assert moment == datetime(2024, 9, 27, 14, 30, tzinfo=UTC)
    assert moment.tzinfo is NEW_YORK
    assert moment.hour == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2024-09-31", '"2024-09-31" is not a date (September has 30 days)'),
        ("2023-02-29", "(February 2023 has 28 days)"),
        ("2024-00-10", "the month comes second"),
        ("2024-13-10", "the month comes second"),
        ("2024-09-00", "September has 30 days"),
        ("1899-12-31", "from 1900 to 2200"),
        ("2201-01-01", "from 1900 to 2200"),
        ("27.09.2024", "write 2024-09-27"),
        ("2024-9-7", "write 2024-09-07"),
        ("2024-09-27 9:30", "write 2024-09-27 09:30"),
        ("2024-09-27 24:00", "write 2024-09-28 00:00"),
        ("2024-09-27 10:60", "no such time of day"),
        ("2024-09-27 10:30+15:00", "from -12:00 to +14:00"),
        ("2024-09-27 10:30.5", 'has "5" next to the date; write 2024-09-27 10:30'),
        ("tomorrow", "is relative to the day"),
        ("", "is not a date or time"),
    ],
)
def test_what_is_no_moment_is_explained(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_moment(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2030-06-14 10:00–12:00", "2030-06-14 10:00", "2030-06-14 12:00"),
        ("2030-06-14 20:00–01:00", "2030-06-14 20:00", "2030-06-15 01:00"),
        ("2030-06-14 22:00 — 02:00", "2030-06-14 22:00", "2030-06-15 02:00"),
        ("2030-06-14 22:00 to 02:00", "2030-06-14 22:00", "2030-06-15 02:00"),
        ("31 December 2030, 22:00〜02:00", "2030-12-31 22:00", "2031-01-01 02:00"),
    ],
)
def test_a_dash_between_two_times_is_a_range_which_may_end_on_the_next_day(
    text: str, first: str, last: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(f'write "start: {first}" and "end: {last}"')):
        parse_moment(text)


@pytest.mark.parametrize("sign", ["-", "\N{MINUS SIGN}", "\N{HYPHEN}", "\N{NON-BREAKING HYPHEN}"])
def test_an_offset_has_a_hyphen_or_a_minus_sign_of_any_script(sign: str) -> None:
    assert parse_moment(f"2030–06–14 10:00{sign}05:00").offset == timedelta(hours=-5)


def test_a_wall_time_that_the_clocks_skip_names_the_change_and_the_time_after_it() -> None:
    with pytest.raises(ValueError, match="does not exist in America/New_York") as caught:
        parse_moment("2025-03-09 02:30").in_zone(NEW_YORK)
    assert "forward from 02:00 to 03:00; write 2025-03-09 03:30" in str(caught.value)


def test_a_wall_time_that_comes_twice_names_both_offsets() -> None:
    with pytest.raises(ValueError, match="is ambiguous") as caught:
        parse_moment("2025-11-02 01:30").in_zone(NEW_YORK)
    assert "2025-11-02 01:30-04:00 for the first" in str(caught.value)
    assert "2025-11-02 01:30-05:00 for the second" in str(caught.value)


def test_an_offset_tells_which_of_two_is_meant() -> None:
    first = parse_moment("2025-11-02 01:30-04:00").in_zone(NEW_YORK)
    second = parse_moment("2025-11-02 01:30-05:00").in_zone(NEW_YORK)
    assert isinstance(first, datetime)
    assert isinstance(second, datetime)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
    assert (first.fold, second.fold) == (0, 1)


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - a wall time
        max_value=datetime(2199, 1, 1),  # noqa: DTZ001 - a wall time
    ),
    st.sampled_from(["America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "Asia/Kabul"]),
)
def test_a_wall_time_is_read_exactly_where_the_zone_has_it_once(wall: datetime, name: str) -> None:
    wall = wall.replace(second=0, microsecond=0)
    zone = ZoneInfo(name)
    readings = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {each for each in readings if each.astimezone(zone).replace(tzinfo=None) == wall}
    try:
        moment = parse_moment(wall.isoformat(" ", "minutes")).in_zone(zone)
    except ValueError:
        assert len(real) != 1
    else:
        assert isinstance(moment, datetime)
        assert {moment.astimezone(UTC)} == real


@pytest.mark.parametrize("name", ["Asia/Karachi", "UTC", "Asia/Calcutta", "Etc/GMT+5"])
def test_zones_of_the_database_are_taken_as_they_are(name: str) -> None:
    assert check_zone(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Asia/Karatchi", "did you mean Asia/Karachi?"),
        ("karachi", "did you mean Asia/Karachi?"),
        ("New York", "did you mean America/New_York?"),
        ("UTC+03:00", "is a fixed offset"),
        ("+05:00", "is a fixed offset"),
        ("posix/Asia/Karachi", "is not an IANA time zone"),
        ("Factory", "is not an IANA time zone"),
        ("../../etc/passwd", "is not an IANA time zone"),
        ("/etc/localtime", "is not an IANA time zone"),
        ("Asia", "is not an IANA time zone"),
        ("", "is not an IANA time zone"),
        ("\0", "is not an IANA time zone"),
        ("x" * 5000, "is not an IANA time zone"),
    ],
)
def test_what_is_no_zone_is_explained(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        check_zone(name)


def test_a_time_of_day_is_hours_and_minutes() -> None:
    assert parse_clock("09:00") == time(9)
    assert parse_clock("9 am") == time(9)
    for text in ("9:00", "9", "24:00", "09:61"):
        with pytest.raises(ValueError, match=r"09:00|no such time"):
            parse_clock(text)


def test_a_span_after_a_day_is_counted_on_the_calendar() -> None:
    assert Duration(months=1, days=1).after_day(date(2024, 1, 31)) == date(2024, 3, 1)
