"""Nothing can be written, in a way that leaves clients usable; hostile bodies are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from calfeed.ical.occurrences import Occurrence, expand
from calfeed.web.caldav import filters
from calfeed.web.serving.request_bodies import MAX_REPORT_BYTES
from tests.web.caldav.door import OPEN, SPACES, Door, read

WRITING = ("PUT", "DELETE", "POST", "PATCH", "MKCALENDAR", "MKCOL", "COPY", "MOVE")
EVENT = f"{OPEN}fair@example.org.ics"

LOL = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
ASKED = '<D:propfind xmlns:D="DAV:">&{};</D:propfind>'
HOSTILE = {
    "a bomb of entities": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LOL}]>{ASKED.format("l9")}',
    "a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + ASKED.format("e"),
    "a document type": '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><D:propfind xmlns:D="DAV:"/>',
    "no XML": "BEGIN:VCALENDAR",
    "an unfinished element": '<D:propfind xmlns:D="DAV:">',
    "an undeclared prefix": "<D:propfind/>",
    "another element": "<x/>",
    "an unknown encoding": '<?xml version="1.0" encoding="none"?><x/>',
    "too many properties": f"<D:propfind {SPACES}><D:prop>"
    + "".join(f"<D:p{number}/>" for number in range(1000))
    + "</D:prop></D:propfind>",
}


@pytest.mark.parametrize("method", [*WRITING, "LOCK", "UNLOCK", "ACL"])
@pytest.mark.parametrize("path", [EVENT, OPEN, f"{OPEN}new.ics", "/dav/calendars/new/"])
def test_writing_is_refused_for_want_of_a_privilege(shown: Door, method: str, path: str) -> None:
    response = shown.ask(method, path, "BEGIN:VCALENDAR")
    assert response.status_code == 403
    assert "<D:need-privileges><D:resource>" in response.text
    assert f"<D:href>{path}</D:href>" in response.text
    assert "<D:privilege><D:write/></D:privilege>" in response.text


def test_a_change_of_properties_is_refused_one_by_one(shown: Door) -> None:
    body = (
        f"<D:propertyupdate {SPACES}><D:set><D:prop><A:calendar-color>#ff0000</A:calendar-color>"
        "</D:prop></D:set><D:remove><D:prop><D:displayname/></D:prop></D:remove></D:propertyupdate>"
    )
    answer = read(shown.ask("PROPPATCH", OPEN, body))
    names = {"{http://apple.com/ns/ical/}calendar-color", "{DAV:}displayname"}
    assert answer.missing == {OPEN: names}
    assert "403 Forbidden" in answer.response.text


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_body_that_is_no_request_is_refused(shown: Door, method: str, case: str) -> None:
    response = shown.ask(method, OPEN, HOSTILE[case], {"Depth": "1"})
    assert response.status_code in (400, 403), response.text
    assert "root:" not in response.text


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT"])
def test_deep_and_long_bodies_are_bounded(shown: Door, method: str) -> None:
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    assert shown.ask(method, OPEN, deep, {"Depth": "1"}).status_code in (400, 403)
    long = b" " * (MAX_REPORT_BYTES + 1)
    assert shown.ask(method, OPEN, long, {"Depth": "1"}).status_code == 413


def test_other_reports_are_refused(shown: Door) -> None:
    bodies = ("C:free-busy-query", "D:expand-property", "D:principal-property-search")
    for name in bodies:
        for path in (OPEN, "/dav/principal/", "/dav/calendars/", EVENT):
            response = shown.ask("REPORT", path, f"<{name} {SPACES}/>")
            assert (response.status_code, "<D:supported-report/>" in response.text) == (403, True)


def test_a_name_of_the_clients_own_comes_back_harmless(shown: Door) -> None:
    uri = "http://x/&quot;&lt;&amp;"
    found = shown.find(OPEN, f'<D:prop><x:y xmlns:x="{uri}"/><z xmlns=""/></D:prop>')
    assert found.missing == {OPEN: {'{http://x/"<&}y', "z"}}


def test_a_small_request_gets_no_huge_answer(shown: Door) -> None:
    """Names are repeated for each event, and events for each address: both are bounded."""
    long = "".join(f"<D:{'p' * 1000}{number}/>" for number in range(100))
    body = f"<D:propfind {SPACES}><D:prop>{long}</D:prop></D:propfind>"
    assert shown.ask("PROPFIND", OPEN, body, {"Depth": "1"}).status_code == 400
    hrefs = "".join(f"<D:href>http://{number}{EVENT}</D:href>" for number in range(100))
    answer = shown.ask(
        "REPORT", OPEN, f"<C:calendar-multiget {SPACES}>{hrefs}</C:calendar-multiget>"
    )
    assert answer.text.count("<D:response>") == 1


def test_a_small_request_causes_no_long_work(shown: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A series is not expanded before it begins nor after it ends, and filters are few."""
    calls: list[object] = []

    def count(*args: Any) -> Iterator[Occurrence]:
        calls.append(args)
        return expand(*args)

    monkeypatch.setattr(filters, "expand", count)
    for times in ('end="20260101T000000Z"', 'start="20280101T000000Z"', 'end="99991231T000000Z"'):
        shown.query(f'<C:comp-filter name="VEVENT"><C:time-range {times}/></C:comp-filter>')
    assert len(calls) <= 3
    many = '<C:comp-filter name="VEVENT"/>' * 50
    wanted = f'<C:comp-filter name="VCALENDAR">{many}</C:comp-filter>'
    body = f"<C:calendar-query {SPACES}><C:filter>{wanted}</C:filter></C:calendar-query>"
    response = shown.ask("REPORT", OPEN, body)
    assert (response.status_code, "supported-filter" in response.text) == (403, True)
