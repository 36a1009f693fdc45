"""The short form of `python -m tests.acceptance.agreement`."""

from __future__ import annotations

from tests.acceptance.agreement import find_differences, make_sample
from tests.ical.parsers import parsers_required


def test_apps_show_generated_events_and_ring_when_calfeed_says() -> None:
    """Or the definition was refused, or warned of."""
    sample = make_sample(seed=4, count=60)
    assert len(sample.events) > 30
    assert sample.refused
    assert sample.warned
    with parsers_required():
        assert list(find_differences(sample, ["libical", "ical.js"])) == []
