"""The messages that receivers got add up to the current state, and no slip was announced."""

from __future__ import annotations

from tests.acceptance.slips import try_histories


def test_what_is_told_adds_up_and_no_slip_is_among_it() -> None:
    try_histories(40)
