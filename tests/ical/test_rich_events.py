"""The optional details of an event reach calendar apps, webhooks and pages."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import icalendar
import vobject
from hypothesis import given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream

from calfeed.definitions.reader import read_definitions
from calfeed.ical.feed import Heading, join_feed
from calfeed.ical.vevent import render_event
from calfeed.model.details import Position
from calfeed.model.events import Event
from calfeed.model.revision import Revision
from calfeed.publish.apply import publish
from calfeed.reminders.messages import describe_event
from calfeed.web.app import make_flask
from calfeed.web.published.state import State
from tests.migrated import migrated_sqlite

ROOT = Path(__file__).parents[2]
BASE_URL = "https://calendar.example.org"
WHEN = datetime(2030, 1, 7, 6, tzinfo=UTC)

RICH = r"""
name: Grants
time_zone: Asia/Karachi
events:
  audit:
    summary: Audit
    start: 2030-02-11 10:30
    duration: 1 hour
    format: markdown
    description: |
      Bring the **receipts**; see [the guide, part 2](https://foundation.example/guide?a=1&b=2).
      <script>alert(1)</script>
    image: https://foundation.example/pic,ture;1.PNG?size=2
    conference: {url: "https://meet.example/a;b,c", label: 'Join "room: 1"; آڈٹ'}
    geo: 24.8607, -0.00001
    contact: Reception; room 4, second floor
    organizer: {name: 'Dr. "Bob"; the auditors: آڈٹ', email: audit+1@foundation.example}
    class: private
    priority: 2
    busy: false
    sources:
      - {title: 'Letter "A": 1; 2, ^n', url: "https://foundation.example/l;1,2", date: 2029-11-02}
      - {title: Told on the phone}
"""


def read(text: str) -> Event:
    ((event,),) = (
        each.events for each in read_definitions({"events/grants.yaml": text.encode()}).calendars
    )
    return event


def revision_of(event: Event) -> Revision:
    return Revision(event=event, sequence=0, created=WHEN, modified=WHEN)


def feed_of(event: Event) -> str:
    return join_feed(
        Heading(name="Grants", source="https://calendar.example.org/x.ics"),
        [],
        [render_event(revision_of(event))],
    ).decode()


FEED = feed_of(read(RICH))
LINES = FEED.replace("\r\n ", "").split("\r\n")


def lines_of(name: str, lines: list[str] = LINES) -> list[str]:
    return [line for line in lines if re.match(f"{name}[;:]", line)]


def test_every_value_is_written_as_the_standards_say() -> None:
    assert lines_of("IMAGE") == [
        "IMAGE;DISPLAY=BADGE;FMTTYPE=image/png;VALUE=URI:"
        "https://foundation.example/pic,ture;1.PNG?size=2"
    ]
    assert lines_of("CONFERENCE") == [
        "CONFERENCE;LABEL=\"Join ^'room: 1^'; آڈٹ\";VALUE=URI:https://meet.example/a;b,c"
    ]
    assert lines_of("GEO") == ["GEO:24.8607;-0.00001"]
    assert lines_of("CONTACT") == [r"CONTACT:Reception\; room 4\, second floor"]
    assert lines_of("ORGANIZER") == [
        "ORGANIZER;CN=\"Dr. ^'Bob^'; the auditors: آڈٹ\":mailto:audit+1@foundation.example"
    ]
    assert lines_of("CLASS") == ["CLASS:PRIVATE"]
    assert lines_of("PRIORITY") == ["PRIORITY:2"]


def test_each_source_with_an_address_is_a_link_with_its_title() -> None:
    assert lines_of("LINK") == [
        'LINK;LABEL="Letter ^\'A^\': 1; 2, ^^n";LINKREL="via";VALUE=URI:'
        "https://foundation.example/l;1,2"
    ]


def test_an_event_that_says_none_of_it_has_none_of_it() -> None:
    plain = read("name: X\ntime_zone: UTC\nevents: {a: {summary: S, start: 2030-02-11}}")
    lines = feed_of(plain).split("\r\n")
    names = ("IMAGE", "CONFERENCE", "GEO", "CONTACT", "ORGANIZER", "CLASS", "PRIORITY", "LINK")
    assert [lines_of(name, lines) for name in (*names, "X-ALT-DESC")] == [[]] * 9


def test_an_image_of_a_kind_that_is_not_known_has_no_type() -> None:
    event = read(RICH).model_copy(update={"image": "https://foundation.example/picture"})
    lines = feed_of(event).replace("\r\n ", "").split("\r\n")
    assert lines_of("IMAGE", lines) == [
        "IMAGE;DISPLAY=BADGE;VALUE=URI:https://foundation.example/picture"
    ]


def test_the_description_is_plain_text_and_the_html_tells_the_same() -> None:
    (line,) = lines_of("DESCRIPTION")
    assert line == (
        r"DESCRIPTION:Bring the receipts\; see the guide\, part 2: "
        r"https://foundation.example/guide?a=1&b=2. <script>alert(1)</script>\n\n"
        r"""Join "room: 1"\; آڈٹ: https://meet.example/a\;b\,c\n\n"""
        r"""Source: Letter "A": 1\; 2\, ^n\, 2 November 2029\, https://foundation.example/l\;1\,2"""
        r"\nSource: Told on the phone"
    )
    (line,) = lines_of("X-ALT-DESC")
    head, _, html = line.partition(":")
    assert head == "X-ALT-DESC;FMTTYPE=text/html"
    assert html.startswith(r"<html><body><p>Bring the <strong>receipts</strong>\; see <a href=")
    assert "<script" not in html
    for address in (r"https://meet.example/a\;b\,c", r"https://foundation.example/l\;1\,2"):
        assert f'<a href="{address}" rel="noreferrer">' in html
    assert html.endswith(r"<br>Source: Told on the phone</p></body></html>")


def test_a_changed_occurrence_has_a_description_in_markdown_of_its_own() -> None:
    event = read(
        "name: X\ntime_zone: UTC\nevents: {a: {summary: S, start: 2030-02-11, format: markdown, "
        "description: '*All*', repeat: {rule: FREQ=DAILY;COUNT=3, changes: {2030-02-12: "
        "{description: '**One**'}}}}}"
    )
    lines = feed_of(event).split("\r\n")
    assert lines_of("DESCRIPTION", lines) == ["DESCRIPTION:All", "DESCRIPTION:One"]
    assert "<strong>One</strong>" in lines_of("X-ALT-DESC", lines)[1]


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_position_has_no_exponent_and_reads_back(latitude: float, longitude: float) -> None:
    there = Position(latitude=round(latitude, 6), longitude=round(longitude, 6))
    event = read(RICH).model_copy(update={"geo": there})
    component: Any = icalendar.Event.from_ical(render_event(revision_of(event)))
    (line,) = lines_of("GEO", feed_of(event).split("\r\n"))
    assert re.fullmatch(r"GEO:-?\d+(\.\d+)?;-?\d+(\.\d+)?", line)
    assert (component["GEO"].latitude, component["GEO"].longitude) == (
        there.latitude,
        there.longitude,
    )


# What real clients make of it


def test_icalendar_reads_every_value_back() -> None:
    (event,) = icalendar.Calendar.from_ical(FEED).walk("VEVENT")
    assert event["LINK"] == "https://foundation.example/l;1,2"
    assert event["LINK"].params["LABEL"] == 'Letter "A": 1; 2, ^n'
    assert event["CONFERENCE"] == "https://meet.example/a;b,c"
    assert event["CONFERENCE"].params["LABEL"] == 'Join "room: 1"; آڈٹ'
    assert event["ORGANIZER"].params["CN"] == 'Dr. "Bob"; the auditors: آڈٹ'
    assert event["IMAGE"] == "https://foundation.example/pic,ture;1.PNG?size=2"
    assert event["CONTACT"] == "Reception; room 4, second floor"
    assert event["CLASS"] == "PRIVATE"


def test_home_assistants_parser_reads_it() -> None:
    (event,) = IcsCalendarStream.calendar_from_ics(FEED).events
    assert event.geo is not None
    assert (event.geo.lat, event.geo.lng) == (24.8607, -0.00001)
    assert event.organizer is not None
    assert str(event.organizer.uri) == "mailto:audit+1@foundation.example"
    assert event.priority == 2
    assert str(event.classification).lower().endswith("private")
    assert event.contacts == ["Reception; room 4, second floor"]


def test_vobject_reads_it_and_writes_it_again() -> None:
    event = vobject.readOne(FEED).vevent
    assert event.organizer.value == "mailto:audit+1@foundation.example"
    assert event.contact.value == "Reception; room 4, second floor"
    again = vobject.readOne(event.serialize())
    assert again.link.params["LABEL"] == event.link.params["LABEL"]


def test_khal_imports_and_shows_it(tmp_path: Path) -> None:
    folder = tmp_path / "calendar"
    folder.mkdir()
    (tmp_path / "feed.ics").write_text(FEED, "utf-8")
    (tmp_path / "config").write_text(
        f"[calendars]\n[[one]]\npath = {folder}\n[locale]\nlocal_timezone = UTC\n"
        "default_timezone = UTC\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "timeformat = %H:%M\ndatetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        f"[sqlite]\npath = {tmp_path / 'khal.db'}\n"
    )

    def khal(*words: str) -> str:
        command = [
            str(Path(sys.executable).parent / "khal"),
            "-c",
            str(tmp_path / "config"),
            *words,
        ]
        environment = {"HOME": str(tmp_path), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    khal("import", "--batch", "-a", "one", str(tmp_path / "feed.ics"))
    listed = khal("list", "--format", "{title}|{organizer}|{description}", "2030-02-11", "1d")
    assert 'Audit|Dr. "Bob"; the auditors: آڈٹ' in listed
    assert "the guide, part 2: https://foundation.example/guide?a=1&b=2" in listed


# Machines and pages


def test_messages_say_what_the_page_for_receivers_lists() -> None:
    said = describe_event(revision_of(read(RICH)))
    receiving = (ROOT / "docs" / "receiving.md").read_text("utf-8")
    section = receiving.split("Some events have more:\n")[1].split("\n### ")[0]
    listed = [row.split("`")[1] for row in section.splitlines() if row.startswith("| `")]
    assert {key: said[key] for key in listed} == {
        "image": "https://foundation.example/pic,ture;1.PNG?size=2",
        "conference": {"url": "https://meet.example/a;b,c", "label": 'Join "room: 1"; آڈٹ'},
        "geo": {"latitude": 24.8607, "longitude": -1e-05},
        "organizer": {
            "name": 'Dr. "Bob"; the auditors: آڈٹ',
            "email": "audit+1@foundation.example",
        },
        "contact": "Reception; room 4, second floor",
        "class": "private",
        "priority": 2,
        "busy": False,
    }
    assert said["description"].startswith("Bring the receipts; see the guide, part 2: https://")


def show_page(text: str, folder: Path) -> str:
    """The event's page as a browser gets it."""
    database = migrated_sqlite(folder)
    publish(database, read_definitions({"events/grants.yaml": text.encode()}), WHEN, BASE_URL)
    state = State(database, BASE_URL, lambda: WHEN)
    state.refresh()
    page = make_flask(state, BASE_URL).test_client().get("/calendars/grants/audit/").text
    database.close()
    return page


def test_the_page_shows_it_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = show_page(RICH, tmp_path)
    for shown in (
        '<a href="https://foundation.example/pic,ture;1.PNG?size=2" rel="noreferrer">',
        '<a href="https://meet.example/a;b,c" rel="noreferrer">'
        "<bdi>Join &#34;room: 1&#34;; آڈٹ</bdi></a>",
        '<a href="mailto:audit+1@foundation.example">'
        "<bdi>Dr. &#34;Bob&#34;; the auditors: آڈٹ</bdi></a>",
        "Reception; room 4, second floor",
        "24.8607, -0.00001",
        "Bring the <strong>receipts</strong>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ):
        assert shown in page
    assert "<img" not in page
    assert not re.search(r'src="(https?:)?//', page)


def test_a_plain_description_is_shown_as_it_is_written(tmp_path: Path) -> None:
    page = show_page(RICH.replace("format: markdown", "format: plain"), tmp_path)
    assert "Bring the **receipts**; see [the guide, part 2](https://foundation.example/" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
