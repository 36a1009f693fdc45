"""Components are written as icalendar writes them, to the byte."""

from __future__ import annotations

from datetime import UTC, datetime

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from calfeed.ical.content_lines import Component

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200).map(str.strip)
lengths = st.integers(60, 230).map(lambda length: "a" * length)


@given(texts | lengths | st.text("ab\\,;^é", max_size=220), texts)
def test_what_is_written_is_what_icalendar_writes(summary: str, title: str) -> None:
    """Also where a line is folded: never within a character, nor within an escaped one."""
    event = icalendar.Event()
    event.add("UID", "it")
    event.add("DTSTART", datetime(2026, 5, 1, 9, tzinfo=UTC))
    event.add("SUMMARY", summary)
    event.add("ATTACH", "https://example.org/a", parameters={"X-TITLE": title})
    alarm = icalendar.Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", summary)
    event.add_component(alarm)

    written = Component("VEVENT")
    written.put("ATTACH", "https://example.org/a", {"X-TITLE": title})
    written.put_text("SUMMARY", summary)
    written.put("DTSTART", "20260501T090000Z")
    written.put("UID", "it")
    part = Component("VALARM")
    part.put_text("DESCRIPTION", summary)
    part.put("ACTION", "DISPLAY")
    written.put_part(part)
    assert written.to_bytes() == event.to_ical()
