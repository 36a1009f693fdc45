"""Options as people write them."""

from __future__ import annotations

from datetime import time

import pytest

from calfeed.errors import InvalidInputError
from calfeed.reminders.option_values import (
    Digest,
    QuietHours,
    parse_digest,
    parse_quiet,
    show_digest,
    show_quiet,
)
from calfeed.reminders.options import Options


@pytest.mark.parametrize("text", ["22:00-07:00", "00:00-23:59", "09:30-12:00"])
def test_quiet_hours_are_shown_as_they_are_written(text: str) -> None:
    assert show_quiet(parse_quiet(text)) == text


@pytest.mark.parametrize("text", ["daily@09:00", "monday@23:59", "sunday@00:00"])
def test_a_digests_time_is_shown_as_it_is_written(text: str) -> None:
    assert show_digest(parse_digest(text)) == text


def test_options_mean_what_they_say() -> None:
    assert parse_quiet(" 22:00 - 07:00 ") == QuietHours(begin=time(22), end=time(7))
    assert parse_digest("Wednesday@09:00") == Digest(at=time(9), weekday=2)
    assert parse_digest("daily@09:00").weekday is None


@pytest.mark.parametrize("text", ["", "22:00", "22-07", "22:00-22:00", "24:00-07:00", "a-b"])
def test_what_are_no_quiet_hours_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInputError, match="22:00-07:00"):
        parse_quiet(text)


@pytest.mark.parametrize("text", ["", "09:00", "daily", "daily@9", "someday@09:00", "@09:00"])
def test_what_is_no_time_of_a_digest_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInputError, match="daily@09:00"):
        parse_digest(text)


def test_a_day_that_is_misspelt_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInputError, match="did you mean tuesday"):
        parse_digest("tusday@09:00")


def test_only_what_is_asked_for_is_described() -> None:
    assert Options().describe() == []
    options = Options(rate=60, time_zone="Asia/Karachi", quiet=parse_quiet("22:00-07:00"))
    assert options.describe() == [
        ("rate", "at most 60 messages per minute"),
        ("quiet", "22:00-07:00 (Asia/Karachi)"),
    ]
