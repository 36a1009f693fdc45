"""Text comes back from a feed as it was written."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from calfeed.ical.feed import Heading, render_header
from calfeed.ical.vevent import render_event
from calfeed.model.events import Event
from calfeed.model.revision import Revision

NOW = datetime(2026, 11, 23, tzinfo=UTC)
lines = st.text(st.sampled_from("aNn\\;,:\"'ñ會 🙂")).map(lambda text: f"x{text}x")


def render(text: str) -> bytes:
    event = Event(
        calendar="desk",
        slug="it",
        uid="1",
        summary={"en": text},
        description={"en": f"{text}\n{text}"},
        location={"en": text},
        contact=text,
        categories=(text,),
        start=date(2027, 1, 1),
        end=date(2027, 1, 2),
        time_zone="UTC",
        language="en",
    )
    return render_event(Revision(event=event, sequence=0, created=NOW, modified=NOW))


def unescape(text: str) -> str:
    """RFC 5545's own rule, as no library's."""
    found, rest = "", iter(text)
    for character in rest:
        if character == "\\":
            character = next(rest)
            character = "\n" if character in "nN" else character
        found += character
    return found


def test_a_backslash_and_an_n_are_not_a_line_break() -> None:
    assert b"SUMMARY;LANGUAGE=en:C:\\\\New\r\n" in render("C:\\New")


@given(lines)
def test_every_text_comes_back(text: str) -> None:
    unfolded = render(text).decode().replace("\r\n ", "")
    found = {
        line.split(":", 1)[0].split(";")[0]: line.split(":", 1)[1]
        for line in unfolded.split("\r\n")
        if ":" in line
    }
    for name in ("SUMMARY", "LOCATION", "CONTACT", "CATEGORIES"):
        assert unescape(found[name]) == text, name
    assert unescape(found["DESCRIPTION"]) == f"{text}\n{text}"


@given(lines)
def test_a_calendars_name_and_description_come_back(text: str) -> None:
    header = render_header(Heading(name=text, source=None, description=text))
    unfolded = header.decode().replace("\r\n ", "")
    assert all(
        unescape(line.split(":", 1)[1]) == text
        for line in unfolded.split("\r\n")
        if line.startswith(("NAME", "X-WR-CALNAME", "DESCRIPTION", "X-WR-CALDESC"))
    )
