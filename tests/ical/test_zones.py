"""A VTIMEZONE agrees with zoneinfo, for every reader."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zoneinfo
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import dateutil.tz
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream
from ical.timezone import IcsTimezoneInfo
from icalendar import Timezone

from calfeed.errors import InvalidInputError
from calfeed.ical.zones.tzrules import HORIZON
from calfeed.ical.zones.vtimezones import is_utc, render_vtimezone

pytestmark = pytest.mark.slow

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
ZONES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"})
TRICKY = [
    "Africa/Cairo",  # the day after the last Thursday of October is sometimes in November
    "Africa/Casablanca",
    "Africa/Windhoek",  # negative shift, given up in 2017
    "America/New_York",
    "America/Nuuk",  # the day before the last Sunday
    "America/Santiago",  # the day after the first Saturday
    "America/Sao_Paulo",
    "Antarctica/Troll",  # two hours
    "Asia/Gaza",  # irregular until 2086
    "Asia/Jerusalem",  # the day after the fourth Thursday
    "Asia/Karachi",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # half an hour
    "Europe/Dublin",  # negative shift
    "Europe/London",
    "Pacific/Apia",  # a day left out
    "Pacific/Chatham",
]


def read_component(text: bytes) -> Timezone:
    component = Timezone.from_ical(text.decode())
    assert isinstance(component, Timezone)
    return component


class Period(NamedTuple):
    """What a VTIMEZONE says from an instant on; `wall` is the first local time only it has."""

    instant: datetime
    wall: datetime
    offset: timedelta
    name: str


class Reader:
    """A VTIMEZONE as RFC 5545 wants it read, by nothing but its text and dateutil's rules.

    A local time that comes twice is the first, one that is skipped has the offset before the gap
    (3.3.5): the same as zoneinfo with fold 0.
    """

    def __init__(self, text: bytes, last: int) -> None:
        periods = set()
        for part in read_component(text).subcomponents:
            before, after = part.TZOFFSETFROM, part.TZOFFSETTO
            start = part.DTSTART.replace(tzinfo=timezone(before))
            onsets = [start]
            if "RRULE" in part:
                rule_text = part["RRULE"].to_ical()
                assert isinstance(rule_text, bytes)
                rule = rrulestr(rule_text.decode(), dtstart=start)
                onsets = list(takewhile(lambda onset: onset.year <= last + 1, rule))
                assert onsets[0] == start, "DTSTART is the rule's first instance"
            for onset in onsets:
                wall = onset.replace(tzinfo=None) + max(timedelta(), after - before)
                periods.add(Period(onset.astimezone(UTC), wall, after, str(part["TZNAME"])))
        self.periods = sorted(periods)
        self._instants = [period.instant for period in self.periods]
        self._walls = [period.wall for period in self.periods]

    def at_instant(self, instant: datetime) -> tuple[timedelta, str]:
        period = self.periods[self._index(bisect_right(self._instants, instant))]
        return period.offset, period.name

    def at_wall(self, wall: datetime) -> tuple[timedelta, str]:
        period = self.periods[self._index(bisect_right(self._walls, wall))]
        return period.offset, period.name

    def _index(self, count: int) -> int:
        assert count, "nothing is in force at a time in use"
        return count - 1


def says(moment: datetime) -> tuple[timedelta | None, str | None]:
    return moment.utcoffset(), moment.tzname()


def wall(*parts: int) -> datetime:
    # A wall time; and a type checker cannot count what is unpacked.
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 (a wall time)


@cache
def zone_data(time_zone: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, time_zone)
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", time_zone).read_bytes()


DISTINCT = sorted({zone_data(time_zone): time_zone for time_zone in ZONES}.values())
"""One name for each set of names that are links to the same data."""


def test_every_zone_is_right_at_every_moment_and_wall_time_from_2000_to_2040() -> None:
    begin, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
    for time_zone in DISTINCT:
        zone = ZoneInfo(time_zone)
        reader = Reader(render_vtimezone(time_zone, 2000, 2040), 2040)
        # Steps that no change and its taking back fit into.
        samples = [begin + 5 * count * DAY for count in range((end - begin) // (5 * DAY))]
        walls = []
        for before, after in pairwise(reader.periods):
            samples += [after.instant - SECOND, after.instant, after.instant + SECOND]
            edges = [after.instant.replace(tzinfo=None) + p.offset for p in (before, after)]
            walls += [edge + shift for edge in edges for shift in (-SECOND, 0 * SECOND, SECOND)]
        for sample in samples:
            if begin <= sample < end:
                assert reader.at_instant(sample) == says(sample.astimezone(zone)), (
                    time_zone,
                    sample,
                )
        for local in walls:
            if 2000 <= local.year <= 2040:
                assert reader.at_wall(local) == says(local.replace(tzinfo=zone)), (time_zone, local)


@settings(max_examples=150)
@given(
    time_zone=st.sampled_from(TRICKY) | st.sampled_from(ZONES),
    first=st.integers(1850, 2200),
    length=st.none() | st.integers(0, 60),
    data=st.data(),
)
def test_any_range_of_years_is_right_within_it(
    time_zone: str, first: int, length: int | None, data: st.DataObject
) -> None:
    last = None if length is None else first + length
    reach = first + 300 if last is None else last
    text = render_vtimezone(time_zone, first, last)
    reader, zone = Reader(text, reach), ZoneInfo(time_zone)
    in_range = st.datetimes(wall(first, 1, 1), wall(reach, 12, 31, 23, 59, 59))
    samples = data.draw(st.lists(in_range, min_size=1, max_size=20))
    edges = [p.wall for p in reader.periods if first <= (p.wall - DAY).year <= p.wall.year <= reach]
    samples += [edge - shift for edge in edges[:60] for shift in (SECOND, 0 * SECOND)]
    samples += [wall(first, 1, 1), wall(reach, 12, 31, 23, 59, 59)]
    for sample in samples:
        assert reader.at_wall(sample) == says(sample.replace(tzinfo=zone)), sample


@pytest.mark.parametrize("time_zone", TRICKY)
def test_endless_rules_are_right_for_a_whole_cycle_of_the_calendar(time_zone: str) -> None:
    reader, zone = Reader(render_vtimezone(time_zone, 2026, None), 2426), ZoneInfo(time_zone)
    for year in range(2026, 2426):
        for month in range(1, 13):
            sample = datetime(year, month, 1, 12, tzinfo=UTC)
            for moment in (sample, sample + 7 * DAY, sample + 14 * DAY, sample + 24 * DAY):
                assert reader.at_instant(moment) == says(moment.astimezone(zone)), moment


def test_dateutil_reads_zones_as_zoneinfo_does() -> None:
    """The tricky ones and every fourth; all of them are read above, by `Reader`."""
    for time_zone in {*TRICKY, *DISTINCT[::4]}:
        text = render_vtimezone(time_zone, 2005, 2032).decode()
        read = dateutil.tz.tzical(io.StringIO(text)).get(time_zone)
        zone = ZoneInfo(time_zone)
        for year in (2005, 2012, 2019, 2026, 2032):
            for month in (1, 4, 7, 11):
                sample = wall(year, month, 15, 12)
                assert says(sample.replace(tzinfo=read)) == says(sample.replace(tzinfo=zone)), (
                    time_zone,
                    sample,
                )


@pytest.mark.parametrize("time_zone", TRICKY)
def test_icalendar_reads_what_zoneinfo_says(time_zone: str) -> None:
    zone = ZoneInfo(time_zone)
    read = read_component(render_vtimezone(time_zone, 2010, 2030)).to_tz(lookup_tzid=False)
    for day in range(0, 365 * 20, 5):
        sample = wall(2010, 1, 1, 12) + day * DAY
        offsets = [sample.replace(tzinfo=tzinfo).utcoffset() for tzinfo in (read, zone)]
        assert offsets[0] == offsets[1], sample


@pytest.mark.parametrize("time_zone", TRICKY)
def test_home_assistant_reads_what_zoneinfo_says(time_zone: str) -> None:
    text = b"BEGIN:VCALENDAR\r\nPRODID:x\r\nVERSION:2.0\r\n%bEND:VCALENDAR\r\n"
    zone, rendered = ZoneInfo(time_zone), render_vtimezone(time_zone, 2100, None)
    (read,) = IcsCalendarStream.calendar_from_ics((text % rendered).decode()).timezones
    assert read.tz_id == time_zone
    assert len(read.standard) + len(read.daylight) == rendered.count(b"DTSTART")
    if b"RRULE" not in rendered:
        return  # it knows observances by their rules only
    for day in range(0, 365 * 10, 5):
        sample = wall(2100, 1, 1, 12) + day * DAY
        offset = IcsTimezoneInfo.from_timezone(read).utcoffset(sample)
        assert offset == sample.replace(tzinfo=zone).utcoffset(), sample


@pytest.mark.parametrize("years", [(1945, 2040), (2026, None)])
def test_every_line_is_short_every_rule_has_byday_and_no_dates_are_listed(
    years: tuple[int, int | None],
) -> None:
    for time_zone in TRICKY:
        text = render_vtimezone(time_zone, *years)
        assert text.endswith(b"END:VTIMEZONE\r\n")
        assert text.count(b"\n") == text.count(b"\r\n")
        assert all(len(line) <= 75 for line in text.split(b"\r\n"))
        unfolded = text.replace(b"\r\n ", b"")
        assert all(b"BYDAY=" in rule for rule in re.findall(rb"RRULE:.*", unfolded))
        assert b"RDATE" not in unfolded


def test_the_larger_offset_is_daylight_time_in_every_zone() -> None:
    for time_zone in DISTINCT:
        parts = read_component(render_vtimezone(time_zone, 2100, None)).subcomponents
        daylight = [part.TZOFFSETTO for part in parts if part.name == "DAYLIGHT"]
        standard = [part.TZOFFSETTO for part in parts if part.name == "STANDARD"]
        assert standard, time_zone
        assert bool(daylight) == (len({*daylight, *standard}) > 1), time_zone
        assert all(offset > max(standard) for offset in daylight), time_zone


def test_a_zone_is_told_in_the_rules_of_today_where_only_today_is_in_use() -> None:
    assert render_vtimezone("America/New_York", 2024, None).decode().split() == [
        "BEGIN:VTIMEZONE",
        "TZID:America/New_York",
        "BEGIN:DAYLIGHT",
        "DTSTART:20070311T020000",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
        "TZNAME:EDT",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20071104T020000",
        "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "TZNAME:EST",
        "TZOFFSETFROM:-0400",
        "TZOFFSETTO:-0500",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def test_a_zone_without_changes_in_use_is_one_observance_from_1970_or_before() -> None:
    for first, start in ((2026, "19700101T000000"), (1955, "19540101T000000")):
        assert render_vtimezone("Asia/Tokyo", first, None).decode().split() == [
            "BEGIN:VTIMEZONE",
            "TZID:Asia/Tokyo",
            "BEGIN:STANDARD",
            f"DTSTART:{start}",
            "TZNAME:JST",
            "TZOFFSETFROM:+0900",
            "TZOFFSETTO:+0900",
            "END:STANDARD",
            "END:VTIMEZONE",
        ]


def test_a_change_in_the_first_second_of_the_first_year_counts() -> None:
    text = render_vtimezone("Africa/Maputo", 1909, 1910)
    assert Reader(text, 1910).at_wall(wall(1909, 1, 1)) == (timedelta(hours=2), "CAT")


def test_a_link_keeps_the_name_it_was_given_and_says_the_same() -> None:
    old, new = (render_vtimezone(name, 1940, None) for name in ("Asia/Calcutta", "Asia/Kolkata"))
    assert b"\r\nTZID:Asia/Calcutta\r\n" in old
    assert old.replace(b"Calcutta", b"Kolkata") == new


def test_the_first_and_the_last_possible_year_can_be_asked_for() -> None:
    assert b"DTSTART:00010101T000000\r\n" in render_vtimezone("Asia/Karachi", 1, 9999)
    assert render_vtimezone("Asia/Karachi", 9999, 9999)


def test_offsets_with_seconds_of_old_local_times_are_kept() -> None:
    assert b"TZOFFSETTO:-045602" in render_vtimezone("America/New_York", 1870, 1890)


def test_rules_last_beyond_the_years_that_are_looked_at() -> None:
    text = render_vtimezone("America/New_York", HORIZON + 30, HORIZON + 40)
    assert text == render_vtimezone("America/New_York", 2024, None)


def test_bytes_are_the_same_in_every_process() -> None:
    program = (
        "import sys; from calfeed.ical.zones.vtimezones import render_vtimezone as render;"
        "[sys.stdout.buffer.write(render(zone, 1950, None)) for zone in sys.argv[1:]]"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, *TRICKY],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": time_zone},
            check=True,
            capture_output=True,
        ).stdout
        for seed, time_zone in (("1", "Asia/Karachi"), ("2", "America/New_York"))
    }
    assert outputs == {b"".join(render_vtimezone(zone, 1950, None) for zone in TRICKY)}


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/GMT+0", "Zulu"])
def test_the_names_of_utc_are_known(name: str) -> None:
    assert is_utc(name)


@pytest.mark.parametrize("name", ["Europe/London", "Africa/Abidjan", "Etc/GMT+5", "Asia/Karachi"])
def test_zones_that_only_resemble_utc_are_not_utc(name: str) -> None:
    assert not is_utc(name)


@pytest.mark.parametrize("name", ["", "Asia", "Asia/Nowhere", "../../etc/passwd", "/etc", "A\0B"])
def test_an_unknown_zone_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(InvalidInputError, match="Asia/Karachi"):
        render_vtimezone(name, 2026, None)


@pytest.mark.parametrize("years", [(2026, 2025), (0, 2025), (2026, 10000), (2026, 0)])
def test_years_out_of_order_or_range_are_refused(years: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="years"):
        render_vtimezone("Asia/Karachi", *years)
