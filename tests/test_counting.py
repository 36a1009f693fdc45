"""Counts are said in the singular and the plural, wherever they are said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from calfeed.counting import count

PACKAGE = Path(__file__).parents[1] / "calfeed"
BY_HAND = re.compile(r"""\{[^{}]*''? if [^{}]*== 1 else 's'|\bor 's'\}""")


@pytest.mark.parametrize(
    ("number", "word", "said"),
    [
        (0, "event", "0 events"),
        (1, "event", "1 event"),
        (2, "calendar", "2 calendars"),
        (1, "delivery", "1 delivery"),
        (12_000, "delivery", "12,000 deliveries"),
        (3, "day", "3 days"),
    ],
)
def test_a_count_goes_with_its_word(number: int, word: str, said: str) -> None:
    assert count(number, word) == said


def test_no_module_makes_plurals_by_hand() -> None:
    """A span's text is part of what is stored, so it has no separators: that one is its own."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if BY_HAND.search(path.read_text("utf-8"))
    }
    assert found == {"model/dates/durations.py"}
