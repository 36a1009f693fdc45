"""`calfeed import` as a user runs it: a file, a URL, a refusal, and what is then published."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.acceptance.site import Site, split_feed
from tests.definitions.imports import ics

ICS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//EN\r\nX-WR-CALNAME:Grants\r\n"
    "X-WR-TIMEZONE:Asia/Karachi\r\nBEGIN:VEVENT\r\nUID:20300628-report@foundation.example\r\n"
    "DTSTAMP:20290101T000000Z\r\nSUMMARY:Report is due\r\nDTSTART:20300628T120000Z\r\n"
    "ATTENDEE:mailto:desk@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
DEFINITION = """\
name: Grants
time_zone: Asia/Karachi
events:
  report-is-due:
    summary: Report is due
    start: 2030-06-28 17:00
    uid: 20300628-report@foundation.example
"""
TOLD = '"Report is due" (2030-06-28): ATTENDEE: calfeed keeps no attendees\n'


@pytest.fixture
def file(site: Site) -> Path:
    path = site.folder / "grants.ics"
    path.write_bytes(ICS.encode())
    return path


@pytest.fixture
def library() -> Iterator[str]:
    """The address of a server with calendars, well and badly served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Library)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Library(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, _, rest = urlsplit(self.path).path.strip("/").partition("/")
        body = gzip.compress(ICS.encode())
        if kind == "moved":
            left = int(rest)
            self.send_response(302)
            self.send_header("Location", f"/moved/{left - 1}" if left > 1 else "/grants.ics#top")
            body = b""
        elif kind == "large":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            body = gzip.compress(b"x" * (20 * 1024 * 1024 + 1))
        elif kind == "page":
            self.send_response(200)
            body = b"<!doctype html><title>Sign in</title>"
        elif kind == "grants.ics":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
        else:
            self.send_response(404)
            body = b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """What is asked for is asked by the test."""


def test_a_definition_is_printed_and_what_is_not_kept_is_told_beside_it(
    site: Site, file: Path
) -> None:
    done = site.run("import", str(file))
    assert (done.returncode, done.stdout) == (0, f"# Imported from grants.ics\n{DEFINITION}")
    assert done.stderr == TOLD


def test_what_is_imported_by_slug_is_published_under_its_own_uid(site: Site, file: Path) -> None:
    done = site.do("import", str(file), "--slug", "grants")
    assert "grants.yaml: 1 event" in done
    site.do("check")
    site.do("publish")
    with site.serving():
        _, vevents, _ = split_feed(site.get("/calendars/grants.ics")[0])
    assert list(vevents) == ["20300628-report@foundation.example"]
    (vevent,) = vevents.values()
    assert b"DTSTART;TZID=Asia/Karachi:20300628T170000\r\n" in vevent


def test_a_file_that_is_there_is_not_replaced(site: Site, file: Path) -> None:
    site.do("import", str(file), "--output", "made.yaml")
    made = site.folder / "made.yaml"
    assert made.read_text("utf-8") == f"# Imported from grants.ics\n{DEFINITION}"
    for words in (["--output", "made.yaml"], ["--slug", "grants"]):
        site.run("import", str(file), *words)
        made.write_text("mine", "utf-8")
        done = site.run("import", str(file), *words)
        assert done.returncode == 1
        assert "exists already" in done.stderr
    assert made.read_text("utf-8") == "mine"


def test_a_calendar_with_the_uids_of_another_is_not_written(site: Site, file: Path) -> None:
    """No publish would be possible afterwards."""
    site.do("import", str(file), "--slug", "grants")
    done = site.run("import", str(file), "--slug", "again")
    assert (done.returncode, done.stdout) == (1, "")
    assert "events/grants.yaml: 1 of its events, such as 20300628-report@" in done.stderr
    assert not (site.folder / "events" / "again.yaml").exists()
    site.do("import", str(file), "--output", "compare.yaml")
    site.do("check")


def test_a_large_calendar_becomes_a_folder_and_is_published(site: Site) -> None:
    events = [
        f"UID:{number}@example.org\nSUMMARY:T {number}\nDTSTART:20{30 + number % 2}0104T100000Z\n"
        f"DESCRIPTION:{'long ' * 600}\nATTENDEE:mailto:a@example.org\n"
        for number in range(1_800)
    ]
    (site.folder / "large.ics").write_bytes(ics(*events))
    done = site.run("import", "large.ics")
    assert (done.returncode, done.stdout) == (1, "")
    assert "give --slug to make a folder" in done.stderr
    done = site.run("import", "large.ics", "--slug", "large")
    assert done.returncode == 0
    assert done.stdout == "events/large: 1,800 events in 5 files\n"
    assert "ATTENDEE: calfeed keeps no attendees (1,800 events, first" in done.stderr
    assert done.stderr.count("\n") == 2
    site.do("check")


def test_every_single_remark_is_there_for_those_who_ask(site: Site) -> None:
    events = [f"UID:{n}\nSUMMARY:T\nDTSTART:20300104T100000Z\nX-A:1\n" for n in range(5)]
    (site.folder / "a.ics").write_bytes(ics(*events))
    assert site.run("import", "a.ics").stderr.count("\n") == 1
    assert site.run("import", "a.ics", "--verbose").stderr.count("\n") == 5


def test_times_without_a_zone_are_asked_for_and_answered(site: Site) -> None:
    (site.folder / "a.ics").write_bytes(ics("UID:1\nSUMMARY:T\nDTSTART:20300104T100000\n"))
    done = site.run("import", "a.ics")
    assert (done.returncode, done.stdout) == (1, "")
    assert "--time-zone" in done.stderr
    assert "time_zone: Asia/Karachi\n" in site.do("import", "a.ics", "--time-zone", "Asia/Karachi")
    wrong = site.run("import", "a.ics", "--time-zone", "Karachi")
    assert (wrong.returncode, "did you mean Asia/Karachi?" in wrong.stderr) == (1, True)


def test_programs_get_all_of_it_as_json(site: Site, file: Path) -> None:
    assert site.ask("import", str(file)) == {
        "file": None,
        "definition": f"# Imported from grants.ics\n{DEFINITION}",
        "files": ["grants.yaml"],
        "events": 1,
        "not_kept": [
            {
                "event": '"Report is due" (2030-06-28)',
                "property": "ATTENDEE",
                "reason": "calfeed keeps no attendees",
                "value": "",
            }
        ],
    }


@pytest.mark.parametrize("path", ["grants.ics?token=hidden", "moved/1", "moved/3"])
def test_a_url_is_fetched_past_three_redirects_and_its_secrets_stay_out_of_the_definition(
    site: Site, library: str, path: str
) -> None:
    done = site.run("import", f"{library}/{path}")
    assert (done.returncode, done.stderr) == (0, TOLD)
    assert done.stdout == f"# Imported from 127.0.0.1\n{DEFINITION}"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("moved/4", "there are more than 3 redirects"),
        ("nothing?token=hidden", "127.0.0.1 responds with 404, not 200"),
        ("page?token=hidden", "this is not iCalendar: it begins with"),
        ("large", "the file is larger than 20,971,520 bytes"),
    ],
)
def test_what_cannot_be_fetched_is_one_clear_line_without_the_secret(
    site: Site, library: str, path: str, words: str
) -> None:
    done = site.run("import", f"{library}/{path}")
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_a_private_address_is_refused_unless_the_operator_allows_it(
    site: Site, library: str
) -> None:
    site.environment["CALFEED_ALLOW_PRIVATE_ENDPOINTS"] = "0"
    for url in (f"{library}/grants.ics", "http://localhost/grants.ics", "webcal://[::1]/a.ics"):
        done = site.run("import", url)
        assert done.returncode == 1
        assert "CALFEED_ALLOW_PRIVATE_ENDPOINTS allows" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing.ics"], 1, "missing.ics cannot be read: no such file or directory"),
        (["."], 1, "cannot be read: is a directory"),
        (["calfeed.ics", "--slug", "No Slug"], 1, 'write "no-slug"'),
        (["ftp://example.org/a.ics"], 1, "must begin with https:// or http://"),
        (["a.ics", "--slug", "a", "--output", "b"], 2, "--slug or --output"),
        ([], 2, "Missing argument"),
    ],
)
def test_mistakes_are_told_in_words(site: Site, words: list[str], code: int, message: str) -> None:
    done = site.run("import", *words)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
