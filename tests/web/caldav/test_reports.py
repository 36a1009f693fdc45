"""Reports find events by time and address, and refuse what they do not support."""

from __future__ import annotations

import pytest

from tests.web.caldav.door import DATA, ETAGS, OPEN, SPACES, C, D, Door

ALL = {"fair@example.org.ics", "call@example.org.ics", "weekly@example.org.ics"}
FAIR, CALL, WEEKLY = (f"{name}@example.org.ics" for name in ("fair", "call", "weekly"))


def during(start: str = "", end: str = "") -> str:
    times = f'start="{start}" ' * bool(start) + f'end="{end}"' * bool(end)
    return f'<C:comp-filter name="VEVENT"><C:time-range {times}/></C:comp-filter>'


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("20270101T000000Z", "", ALL),
        ("20270301T000000Z", "", {CALL, WEEKLY}),
        # The ninth of ten Mondays at nine in Berlin; the call there follows it at once.
        ("20270301T080000Z", "20270301T090000Z", {WEEKLY}),
        ("20270301T085959Z", "20270301T090001Z", {WEEKLY, CALL}),
        ("20270301T090000Z", "20270301T090001Z", {CALL}),
        ("20270301T100000Z", "20270308T080000Z", set()),
        ("20270308T090000Z", "", set()),
        ("", "20270104T080000Z", set()),
        ("", "20270104T080001Z", {WEEKLY}),
        ("20270201T120000Z", "20270201T130000Z", {FAIR}),
        ("00010101T000000Z", "99991231T235959Z", ALL),
    ],
)
def test_a_time_range_finds_what_takes_place_in_it(
    shown: Door, start: str, end: str, found: set[str]
) -> None:
    assert shown.query(during(start, end)).names() == found


def test_a_series_without_an_end_is_found_at_any_later_time(door: Door) -> None:
    event = "{summary: S, start: 2027-01-04 09:00, repeat: {rule: FREQ=YEARLY}, uid: s@x.org}"
    door.site.publish({"open": f"name: O\ntime_zone: UTC\nevents: {{s: {event}}}"})
    assert door.query(during("20900101T000000Z")).names() == {"s@x.org.ics"}
    assert door.query(during("20900105T000000Z", "20901231T000000Z")).names() == set()


@pytest.mark.parametrize(
    ("component", "found"),
    [
        ("", ALL),
        ('<C:comp-filter name="VEVENT"/>', ALL),
        ('<C:comp-filter name="VTODO"/>', set()),
        ('<C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter>', ALL),
        ('<C:comp-filter name="VEVENT"><C:is-not-defined/></C:comp-filter>', set()),
    ],
)
def test_a_component_finds_events_and_nothing_else(
    shown: Door, component: str, found: set[str]
) -> None:
    assert shown.query(component).names() == found


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ("<C:text-match>FAIR@</C:text-match>", {FAIR}),
        ('<C:text-match collation="i;octet">FAIR@</C:text-match>', set()),
        ('<C:text-match negate-condition="yes">fair</C:text-match>', {CALL, WEEKLY}),
        ("<C:is-not-defined/>", set()),
        ("", ALL),
    ],
)
def test_an_event_is_found_by_its_uid(shown: Door, match: str, found: set[str]) -> None:
    condition = f'<C:prop-filter name="UID">{match}</C:prop-filter>'
    assert shown.query(f'<C:comp-filter name="VEVENT">{condition}</C:comp-filter>').names() == found


@pytest.mark.parametrize(
    ("component", "condition"),
    [
        ('<C:prop-filter name="VERSION"/>', "supported-filter"),
        (
            '<C:comp-filter name="VEVENT"><C:comp-filter name="VALARM"/></C:comp-filter>',
            "supported-filter",
        ),
        (
            '<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"/></C:comp-filter>',
            "supported-filter",
        ),
        ('<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>', "valid-filter"),
        (
            '<C:comp-filter name="VEVENT"><C:time-range start="2027"/></C:comp-filter>',
            "valid-filter",
        ),
        (during("20270102T000000Z", "20270101T000000Z"), "valid-filter"),
    ],
)
def test_a_filter_that_is_not_supported_is_refused(
    shown: Door, component: str, condition: str
) -> None:
    inner = f'<C:filter><C:comp-filter name="VCALENDAR">{component}</C:comp-filter></C:filter>'
    response = shown.ask(
        "REPORT", OPEN, f"<C:calendar-query {SPACES}>{ETAGS}{inner}</C:calendar-query>"
    )
    assert (response.status_code, f"<C:{condition}/>" in response.text) == (403, True), (
        response.text
    )


def test_events_are_read_together_by_their_addresses(shown: Door) -> None:
    hrefs = [f"{OPEN}{FAIR}", f"https://example.org{OPEN}call%40example.org.ics", f"{OPEN}none.ics"]
    hrefs += ["/dav/calendars/board/x.ics", "//[", ""]
    wanted = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    found = shown.report("C:calendar-multiget", DATA + wanted)
    assert found.names() == {FAIR, CALL}
    assert set(found.statuses.values()) == {"404"}
    assert len(found.statuses) == 4
    for href in found.properties:
        stored = shown.ask("GET", href)
        assert found.text(href, f"{D}getetag") == stored.headers["ETag"]
        # An XML parser reads each line's end as one character (XML 1.0, 2.11).
        assert found.text(href, f"{C}calendar-data") == stored.text.replace("\r\n", "\n")


def test_an_answer_is_compressed_for_whoever_takes_it(shown: Door) -> None:
    body = f"<D:sync-collection {SPACES}><D:sync-token/>{DATA}</D:sync-collection>"
    plain = shown.ask("REPORT", OPEN, body)
    packed = shown.ask("REPORT", OPEN, body, {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data)
    assert "Content-Encoding" not in plain.headers
