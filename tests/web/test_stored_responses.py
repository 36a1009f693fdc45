"""Feeds over HTTP: validators, compression, methods; the same for every request."""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from calfeed.store.database import Database
from calfeed.web.published.responses import build_response
from tests.patience import PATIENCE
from tests.web.published import NOW, Published

DESK = """
name: Desk
time_zone: Asia/Karachi
events:
  stay:
    summary: The stay ends
    start: 2027-06-30
"""
FEED, ALL = "/calendars/desk.ics", "/calendars.ics"


@pytest.fixture
def site(database: Database) -> Published:
    site = Published(database)
    site.publish({"desk": DESK})
    return site


@pytest.mark.parametrize("path", [FEED, ALL])
def test_a_feed_says_what_it_is_and_how_to_ask_again(site: Published, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["ETag"].startswith('"')
    assert parsedate_to_datetime(answer.headers["Last-Modified"]) == NOW
    assert len(answer.data) == answer.content_length
    assert answer.data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"SUMMARY;LANGUAGE=en:The stay ends" in answer.data


def test_who_has_the_bytes_gets_304_without_them(site: Published) -> None:
    etag = site.get(FEED).headers["ETag"]
    for wanted in (etag, f"W/{etag}", f'"x", {etag}', f'W/"x",W/{etag} , "y"', "*"):
        answer = site.get(FEED, If_None_Match=wanted)
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "Cache-Control" in answer.headers
        assert "Content-Type" not in answer.headers
    for wanted in ('"x"', "", etag.strip('"'), f'"{etag}"'):
        assert site.get(FEED, If_None_Match=wanted).status_code == 200


def test_if_none_match_goes_before_if_modified_since(site: Published) -> None:
    first = site.get(FEED)
    modified = first.headers["Last-Modified"]
    assert site.get(FEED, If_Modified_Since=modified).status_code == 304
    earlier = format_datetime(NOW - timedelta(days=1), usegmt=True)
    assert site.get(FEED, If_Modified_Since=earlier).status_code == 200
    both = {"If_None_Match": '"x"', "If_Modified_Since": modified}
    assert site.get(FEED, **both).status_code == 200


def test_gzip_is_for_those_who_ask_and_has_an_etag_of_its_own(site: Published) -> None:
    plain = site.get(FEED)
    packed = site.get(FEED, Accept_Encoding="gzip, deflate, br")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.content_length == len(packed.data)
    assert packed.headers["ETag"] != plain.headers["ETag"]
    again = site.get(FEED, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert again.status_code == 304
    # RFC 9110, 15.4.5: a cache may go on using only what has this very ETag.
    assert again.headers["ETag"] == packed.headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("br, gzip; q=0.0", False),
        ("*;q=0, gzip", True),
        ("gzip;q=0, *", False),
        ("br, *;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip, identity;q=0.5", True),
        ("gzip;q=0.5, *", False),
        ("identity;q=0, gzip;q=0.1", True),
        ("gzip;q=0.", False),
        ("gzip;q=x", False),
        ("gzip;q=2", False),
        (";q=0, ,", False),
        ("notgzip", False),
    ],
)
def test_gzip_is_chosen_as_accept_encoding_says(
    site: Published, accepted: str, packed: bool
) -> None:
    answer = site.get(FEED, Accept_Encoding=accepted)
    assert ("Content-Encoding" in answer.headers) is packed


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_head_has_the_headers_of_get_and_no_body(site: Published, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    got, head = site.client.get(FEED, headers=headers), site.client.head(FEED, headers=headers)
    assert head.data == b""
    assert head.status_code == 200
    assert dict(head.headers) == dict(got.headers)
    etag = got.headers["ETag"]
    assert site.client.head(FEED, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [FEED, ALL, "/", "/calendars/desk/stay.ics"])
def test_nothing_is_written_to_a_feed(site: Published, method: str, path: str) -> None:
    answer = site.client.open(path, method=method)
    assert answer.status_code == 405
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))


def test_equal_arguments_give_equal_bytes_and_validators() -> None:
    at = datetime(2025, 6, 1, 12, 0, 0, 500, tzinfo=UTC)
    assert build_response(b"text" * 100, "text/plain", at) == build_response(
        b"text" * 100, "text/plain", at
    )
    other = build_response(b"text" * 101, "text/plain", at)
    assert build_response(b"text" * 100, "text/plain", at).etags.isdisjoint(other.etags)


def test_a_new_publish_is_seen_and_an_unchanged_calendar_keeps_its_answer(
    site: Published,
) -> None:
    site.publish({"desk": DESK, "other": DESK})
    before = {path: site.get(path) for path in (FEED, "/calendars/other.ics", ALL)}
    site.now += timedelta(hours=1)
    site.publish({"desk": DESK.replace("2027-06-30", "2027-08-31"), "other": DESK})
    after = {path: site.get(path) for path in before}
    same = {path: after[path].headers["ETag"] == before[path].headers["ETag"] for path in before}
    assert same == {FEED: False, "/calendars/other.ics": True, ALL: False}
    other = "/calendars/other.ics"
    assert after[other].headers["Last-Modified"] == before[other].headers["Last-Modified"]
    assert b"20270831" in after[FEED].data
    assert site.get(FEED, If_None_Match=before[FEED].headers["ETag"]).status_code == 200


def test_a_request_sees_one_state_or_the_other_and_never_a_part(site: Published) -> None:
    """Readers ask all the while, as one state after the other is published."""
    bodies = {site.get(ALL).data}
    stop, seen, wrong = threading.Event(), set[bytes](), list[int]()

    def read() -> None:
        while not stop.is_set():
            answer = site.get(ALL)
            seen.add(answer.data)
            if answer.status_code != 200 or answer.content_length != len(answer.data):
                wrong.append(answer.status_code)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for month in range(1, 7):
            site.now += timedelta(hours=1)
            site.publish({"desk": DESK.replace("2027-06-30", f"2027-0{month}-01")})
            bodies.add(site.get(ALL).data)
    finally:
        stop.set()
        for reader in readers:
            reader.join(PATIENCE)
    assert wrong == []
    assert seen <= bodies
    assert len(bodies) == 7
