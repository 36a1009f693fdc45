"""When an endpoint wants its messages."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from calfeed.reminders.option_values import Digest, QuietHours
from calfeed.reminders.options import OPTIONS, Options

NIGHT = QuietHours(begin=time(22), end=time(7))
IN_NEW_YORK = "America/New_York"


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2025-06-01 21:59", None),
        ("2025-06-01 22:00", "2025-06-02 07:00"),
        ("2025-06-02 06:59", "2025-06-02 07:00"),
        ("2025-06-02 07:00", None),
        # The clocks go forward on 9 March 2025 and back on 2 November.
        ("2025-03-08 23:00", "2025-03-09 07:00"),
        ("2025-11-01 23:00", "2025-11-02 07:00"),
    ],
)
def test_quiet_hours_are_on_the_wall_clock_over_midnight(moment: str, end: str | None) -> None:
    options = Options(time_zone=IN_NEW_YORK, quiet=NIGHT)
    expected = at(end, IN_NEW_YORK) if end else None
    found = options.quiet_until(at(moment, IN_NEW_YORK))
    assert found == expected
    assert found is None or found.tzinfo is UTC


def test_quiet_hours_within_a_day_end_the_same_day() -> None:
    options = Options(quiet=QuietHours(begin=time(12), end=time(14)))
    assert options.quiet_until(at("2025-06-01 13:00")) == at("2025-06-01 14:00")
    assert options.quiet_until(at("2025-06-01 23:00")) is None


def test_quiet_hours_that_end_in_an_hour_that_comes_twice_end_each_time() -> None:
    options = Options(time_zone=IN_NEW_YORK, quiet=QuietHours(begin=time(0, 30), end=time(1, 30)))
    first = options.quiet_until(datetime(2025, 11, 2, 5, 10, tzinfo=UTC))  # 01:10 EDT
    second = options.quiet_until(datetime(2025, 11, 2, 6, 10, tzinfo=UTC))  # 01:10 EST
    assert first == datetime(2025, 11, 2, 5, 30, tzinfo=UTC)
    assert second == datetime(2025, 11, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("digest", "moment", "expected"),
    [
        (Digest(at=time(9)), "2025-06-01 08:59", "2025-06-01 09:00"),
        (Digest(at=time(9)), "2025-06-01 09:00", "2025-06-02 09:00"),
        (Digest(at=time(9), weekday=0), "2025-06-01 12:00", "2025-06-02 09:00"),  # a Sunday
        (Digest(at=time(9), weekday=0), "2025-06-02 09:00", "2025-06-09 09:00"),
        (Digest(at=time(9), weekday=6), "2025-06-02 09:00", "2025-06-08 09:00"),
        # It goes on being 09:00 when the clocks change.
        (Digest(at=time(9)), "2025-03-08 09:30", "2025-03-09 09:00"),
    ],
)
def test_a_digest_is_sent_every_day_or_on_one_day_of_the_week(
    digest: Digest, moment: str, expected: str
) -> None:
    options = Options(time_zone=IN_NEW_YORK, digest=digest)
    assert options.digest_after(at(moment, IN_NEW_YORK)) == at(expected, IN_NEW_YORK)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-06-01 22:59", "2025-06-02 07:00"),
        # The one of yesterday is still to come.
        ("2025-06-02 06:30", "2025-06-02 07:00"),
        ("2025-06-02 07:00", "2025-06-03 07:00"),
    ],
)
def test_a_digest_waits_for_the_quiet_hours_to_end(moment: str, expected: str) -> None:
    options = Options(quiet=NIGHT, digest=Digest(at=time(23)))
    assert options.digest_after(at(moment)) == at(expected)


@given(
    zone=st.sampled_from(sorted(zone for zone in available_timezones() if "/" in zone)),
    moment=st.datetimes(
        datetime(2000, 1, 1),  # noqa: DTZ001 - Hypothesis puts the zone to it
        datetime(2037, 1, 1),  # noqa: DTZ001 - as above
        timezones=st.just(UTC),
    ),
    hours=st.lists(st.times(), min_size=3, max_size=3, unique=True),
    weekday=st.sampled_from([None, *range(7)]),
)
def test_what_is_to_come_lies_ahead_and_outside_the_quiet_hours_in_every_zone(
    zone: str, moment: datetime, hours: list[time], weekday: int | None
) -> None:
    begin, end, digest_at = hours
    options = Options(
        time_zone=zone,
        quiet=QuietHours(begin=begin, end=end),
        digest=Digest(at=digest_at, weekday=weekday),
    )
    quiet = options.quiet_until(moment)
    # A day and what clocks can be put by.
    assert quiet is None or moment < quiet <= moment + timedelta(days=2)
    digest = options.digest_after(moment)
    assert digest is not None
    assert moment < digest <= moment + timedelta(days=9 if weekday is not None else 3)


def test_without_wishes_nothing_is_quiet_or_gathered() -> None:
    assert Options().quiet_until(at("2025-06-01 03:00")) is None
    assert Options().digest_after(at("2025-06-01 03:00")) is None


def test_hours_without_length_or_with_an_offset_are_refused() -> None:
    with pytest.raises(ValidationError, match="at the same time"):
        QuietHours(begin=time(7), end=time(7))
    with pytest.raises(ValidationError, match="must have no offset"):
        Options.model_validate_json('{"digest": {"at": "09:00+05:00"}}')


def test_every_option_without_a_default_can_be_removed() -> None:
    """By a flag of `endpoint update`, whose help is `removal`."""
    optional = {name for name, field in Options.model_fields.items() if field.default is None}
    assert {name for name, option in OPTIONS.items() if option.removal} == optional
