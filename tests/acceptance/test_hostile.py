"""No file brings `calfeed import` to a traceback, to a halt, or to more memory than it may take.

`python -m tests.acceptance.hostile` tries all kinds, and files that are given to it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.hostile import try_kind


@pytest.mark.parametrize(
    "kind",
    ["rules", "years", "90 zones", "a zone of 4,800 observances", "odd zones", "broken UTF-8"],
)
def test_a_hostile_file_is_imported_or_refused(tmp_path: Path, kind: str) -> None:
    outcome, faults = try_kind(kind, 1, tmp_path)
    assert faults == []
    assert outcome.code in (0, 1)
