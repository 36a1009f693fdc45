"""A command says so where the time cannot be right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calfeed.cli.definitions.publishing import _describe_clock

NOW = datetime(2030, 6, 14, 9, tzinfo=UTC)


def test_a_clock_that_is_behind_what_a_worker_noted_is_reported() -> None:
    (line,) = _describe_clock(NOW, NOW + timedelta(days=300))
    assert line.startswith("the machine's clock says 2030-06-14 09:00 UTC, but a worker recorded ")


def test_clocks_that_agree_or_a_long_rest_are_not_reported() -> None:
    for last in (None, NOW, NOW + timedelta(seconds=50), NOW - timedelta(days=300)):
        assert _describe_clock(NOW, last) == []
