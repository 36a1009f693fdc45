"""The retry policy, as a function of the outcome of an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.reminders.retry import (
    MAX_RETRY_AFTER,
    SCHEDULE,
    Delivered,
    Disable,
    GiveUp,
    Outcome,
    RetryAt,
    decide,
)

NOW = datetime(2025, 6, 29, 12, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def outcome(
    status: int | None = None, error: str | None = None, retry_after: str | None = None
) -> Outcome:
    return Outcome("key", status, error, 12, retry_after, "", NOW)


def wait_after(came: Outcome, attempts: int = 1, jitter: float = 0.5) -> timedelta:
    decision = decide(came, attempts, NOW, None, jitter)
    assert isinstance(decision, RetryAt)
    return decision.at - NOW


def test_the_schedule_is_ten_attempts_over_about_75_hours() -> None:
    assert len(SCHEDULE) == 10
    assert timedelta(hours=75) < sum(SCHEDULE, timedelta(0)) < timedelta(hours=76)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert decide(outcome(status), 1, NOW, None, 0.5) == Delivered()


def test_a_message_that_arrives_when_it_no_longer_matters_is_delivered_all_the_same() -> None:
    assert decide(outcome(200), 10, NOW, NOW - DAY, 0.5) == Delivered()


@pytest.mark.parametrize("attempts", [1, 10])
def test_410_disables_the_endpoint(attempts: int) -> None:
    assert decide(outcome(410), attempts, NOW, NOW, 0.5) == Disable()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 408, 429, 500, 502, 503, None])
def test_every_other_answer_and_none_is_tried_again(status: int | None) -> None:
    error = "the connection broke" if status is None else None
    assert wait_after(outcome(status, error)) == timedelta(seconds=5)


@pytest.mark.parametrize("attempts", range(1, 10))
def test_each_wait_is_the_schedule_s_within_a_fifth(attempts: int) -> None:
    scheduled = SCHEDULE[attempts]
    assert wait_after(outcome(500), attempts, 0.0) == scheduled * 0.8
    assert wait_after(outcome(500), attempts, 0.5) == scheduled
    assert scheduled < wait_after(outcome(500), attempts, 0.999) < scheduled * 1.2


def test_after_the_last_attempt_it_is_given_up_with_what_went_wrong() -> None:
    decision = decide(outcome(error="no connection"), 10, NOW, None, 0.5)
    assert decision == GiveUp("no connection; that was the last of 10 attempts")


def test_it_is_given_up_once_the_next_attempt_would_come_too_late() -> None:
    at = NOW + timedelta(seconds=5)
    assert decide(outcome(500), 1, NOW, at + timedelta(seconds=1), 0.5) == RetryAt(at)
    decision = decide(outcome(500), 1, NOW, at, 0.5)
    assert isinstance(decision, GiveUp)
    assert "500" in decision.reason
    assert "would expire" in decision.reason


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("60", timedelta(seconds=60)),
        (" 60 ", timedelta(seconds=60)),
        ("3600", timedelta(hours=1)),
        (format_datetime(NOW + timedelta(hours=3), usegmt=True), timedelta(hours=3)),
        ("Sun, 29 Jun 2025 13:00:00 -0000", timedelta(hours=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("86401", DAY),
        ("9" * 5000, DAY),
        # Never sooner than the schedule has it, and nonsense is as if it were not there.
        ("0", timedelta(seconds=5)),
        ("Sun, 29 Jun 2025 11:00:00 GMT", timedelta(seconds=5)),
        ("soon", timedelta(seconds=5)),
        ("Sun, 29 Jun 99999999999999999999 13:00:00 GMT", timedelta(seconds=5)),
        ("-1", timedelta(seconds=5)),
        ("١٢", timedelta(seconds=5)),
        ("", timedelta(seconds=5)),
    ],
)
def test_retry_after_is_heeded_within_bounds(status: int, text: str, wait: timedelta) -> None:
    assert wait_after(outcome(status, retry_after=text)) == wait


@given(st.text(max_size=60))
def test_no_retry_after_can_break_the_policy(text: str) -> None:
    wait = wait_after(outcome(429, retry_after=text))
    assert timedelta(seconds=5) <= wait <= MAX_RETRY_AFTER


def test_retry_after_means_nothing_with_other_answers() -> None:
    assert wait_after(outcome(500, retry_after="3600")) == timedelta(seconds=5)
