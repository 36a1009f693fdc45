"""Components are written as icalendar writes them, to the byte."""

from __future__ import annotations

from datetime import UTC, datetime

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from calfeed.ical.lines import write_component

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)
lengths = st.integers(60, 90).map(lambda length: "a" * length)


@given(texts | lengths | st.text("ab\\,;^é", max_size=120), texts)
def test_what_is_written_is_what_icalendar_writes(summary: str, title: str) -> None:
    event = icalendar.Event()
    event.add("UID", "it")
    event.add("DTSTART", datetime(2026, 5, 1, 9, tzinfo=UTC))
    event.add("SUMMARY", summary)
    event.add("ATTACH", "https://example.org/a", parameters={"X-TITLE": title})
    alarm = icalendar.Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", summary)
    event.add_component(alarm)
    assert write_component(event) == event.to_ical()
