"""A short form of `twins`: nobody learns of what is private, or under embargo before its time."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.twins import run


def test_two_sites_that_differ_in_what_is_not_public_are_the_same_to_everybody(
    tmp_path: Path,
) -> None:
    compared = run(tmp_path, publishes=2, seed=1)
    for status in (200, 304, 404):
        assert compared[f"answers {status}"] > 20
    assert compared["exported files"] > 20
