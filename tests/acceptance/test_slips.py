"""What receivers were told adds up to what holds, and no slip is among it."""

from __future__ import annotations

from tests.acceptance.slips import try_histories


def test_what_is_told_adds_up_and_no_slip_is_among_it() -> None:
    try_histories(40)
