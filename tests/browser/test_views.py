"""The short form of tests.acceptance.views."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.acceptance.views import compare, serve_events


def test_months_and_years_show_each_event_on_the_readers_days(
    chromium: Browser, tmp_path: Path
) -> None:
    with serve_events(tmp_path, seed=5, count=80) as base_url:
        for zone in ("Pacific/Kiritimati", "America/New_York"):
            assert compare(chromium, base_url, zone, ["2027-03"]) == []
