"""Pages for people, health for operators, errors for both."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import quote, unquote

import icalendar
import pytest
from sqlalchemy import text

from calfeed.store.database import Database
from calfeed.web.app import make_app
from tests.web.published import BASE, Published

DESK = """
name: {en: "Desk <b>& Co</b>", ur: ڈیسک}
description: What the desk keeps an eye on.
time_zone: Asia/Karachi
events:
  stay:
    summary: {en: "The stay <script>alert(1)</script> ends", ur: قیام ختم}
    start: 2027-06-30
    kind: deadline
    location: Islamabad & Peshawar
    url: https://elsewhere.example/page
    categories: [stay]
    sources: [{title: The notice, url: "https://elsewhere.example/n", date: 2024-07-12}]
    reminders: [1 week]
  hearing:
    summary: A hearing
    start: 2027-02-01 10:00
    status: cancelled
  past:
    summary: What was
    start: 2024-01-01
  monthly:
    summary: Monthly briefing
    start: 2026-01-05 09:00
    time_zone: America/New_York
    repeat: {rule: FREQ=MONTHLY;COUNT=14}
"""
PAGES = [
    "/",
    "/calendars/desk/",
    "/calendars/desk/stay/",
    "/calendars/desk/monthly/",
    "/subscribe/",
    "/subscribe/desk/",
    "/embed/desk/",
]


class Loads(HTMLParser):
    """What a browser loads or runs of a page by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("type") == "application/ld+json":
            return  # data, which no browser runs
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "object"):
            self.loaded.append(values.get("src") or values.get("data") or f"<{tag}>")
        if tag == "link" and values.get("rel") not in ("alternate", "canonical"):
            self.loaded.append(values.get("href") or "")
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        self.inline += [tag] if tag == "style" else []


@pytest.fixture
def site(database: Database) -> Published:
    site = Published(database)
    site.publish({"desk": DESK})
    return site


def test_the_home_page_lists_calendars_what_comes_and_how_to_subscribe(site: Published) -> None:
    page = site.get("/").text
    for part in (
        "Desk &lt;b&gt;&amp; Co&lt;/b&gt;",
        "What the desk keeps an eye on.",
        'href="/calendars/desk/"',
        'href="/calendars/desk/stay/"',
        "Monthly briefing",
        f"{BASE}/calendars.ics",
        "webcal://example.org/calendars.ics",
    ):
        assert part in page
    assert "What was" not in page


def test_a_calendar_page_has_what_comes_what_is_past_and_its_feed(site: Published) -> None:
    page = site.get("/calendars/desk/").text
    assert page.index("The stay") < page.index("What was")
    assert 'datetime="2027-06-30"' in page
    assert "June 2027" in page
    assert f'value="{BASE}/calendars/desk.ics"' in page
    assert "cancelled" in page
    links = re.findall(r'href="(https://calendar\.google[^"]+|https://outlook[^"]+)"', page)
    assert len(links) == 3
    assert all("example.org/calendars/desk.ics" in unquote(link) for link in links)


def test_an_event_page_tells_all_there_is_to_know(site: Published) -> None:
    site.publish({"desk": DESK.replace("2027-06-30", "2027-08-31\n    note: extended")})
    page = site.get("/calendars/desk/stay/").text
    for part in (
        "The stay &lt;script&gt;alert(1)&lt;/script&gt; ends",
        '<time datetime="2027-08-31">Tuesday, 31 August 2027</time>',
        "in 281 days",
        "by the end of Tuesday, 31 August 2027 in Karachi",
        "On the clock of Karachi (UTC+05:00)",
        "deadline",
        "Islamabad &amp; Peshawar",
        "https://elsewhere.example/page",
        "The notice",
        "12 July 2024",
        "1 week before",
        "Tuesday, 24 August 2027, 09:00",
        "<del>Wednesday, 30 June 2027</del>",
        "set on 23 November 2026",
        "extended",
        'dir="rtl"',
        "قیام ختم",
        'href="/calendars/desk/stay.ics"',
    ):
        assert part in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/calendars/desk/?view=month",
        "/calendars/desk/?view=year&lang=ur",
        "/calendars/nothing/",
    ],
)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(
    site: Published, path: str
) -> None:
    answer = site.get(path, Accept="text/html")
    loads = Loads()
    loads.feed(answer.text)
    assert loads.loaded
    own = ("/static/", "/apple-touch-icon.png", "/manifest.webmanifest")
    assert all(address.startswith(own) for address in loads.loaded)
    assert loads.inline == []
    for address in loads.loaded:
        assert site.client.get(address, buffered=True).status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers


def test_every_link_of_our_own_leads_somewhere(site: Published) -> None:
    seen: set[str] = set()
    todo = ["/"]
    while todo:
        path = todo.pop()
        seen.add(path)
        answer = site.client.get(path, buffered=True)
        assert answer.status_code == 200, path
        if answer.mimetype == "text/html":
            links = re.findall(r'(?:href|src)="(/[^"#?]*)', answer.text)
            todo += [link for link in set(links) if link not in seen]
    assert set(PAGES) <= seen


def test_a_page_without_its_last_slash_leads_to_it_whatever_host_is_given(site: Published) -> None:
    answer = site.get("/calendars/desk/stay?lang=ur", Host="evil.example")
    assert answer.status_code == 308
    assert answer.headers["Location"] == "/calendars/desk/stay/?lang=ur"
    assert "evil.example" not in answer.text


NUMBERS = ["9" * 5000, "-1", "0001", "9999", "99999", "1e9", "٢٠٢٧", "²", "nan", " 1", "0" * 5000]
DAYS = ["0001-01-01", "9999-12-31", "2027-02-30", "2027-W01-1", "-2027-01-01", "9" * 5000, ""]


def test_no_number_and_no_day_in_an_address_is_a_fault_of_the_server(site: Published) -> None:
    for given in map(quote, NUMBERS):
        paths = [f"{feed}?past={given}" for feed in ("/calendars.ics", "/calendars/desk.ics")]
        paths += [f"/?view={view}&{view}={given}" for view in ("month", "year")]
        paths += [f"/?view=month&month={given}-01", f"/calendars/desk/?view=year&year={given}"]
        for path in paths:
            assert site.get(path).status_code in (200, 400, 404), path
    for start in DAYS:
        for end in ["2027-01-31", *DAYS]:
            for first, last in ((start, end), (end, start)):
                path = f"/calendars/desk/occurrences.json?start={first}&end={last}"
                assert site.get(path).status_code in (200, 400), path


def test_an_event_is_a_download_with_a_name_of_its_own(site: Published) -> None:
    answer = site.get("/calendars/desk/stay.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="desk-stay.ics"'
    (event,) = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert str(event["SUMMARY"]).startswith("The stay")
    etag = answer.headers["ETag"]
    assert site.get("/calendars/desk/stay.ics", If_None_Match=etag).status_code == 304


def test_a_recurring_event_brings_its_time_zone(site: Published) -> None:
    data = site.get("/calendars/desk/monthly.ics").data
    calendar = icalendar.Calendar.from_ical(data)
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["America/New_York"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/calendars/nothing/",
        "/calendars/nothing.ics",
        "/calendars/desk/nothing/",
        "/calendars/desk/nothing.ics",
        "/calendars/desk/stay.ics/",
        "/static/../app.py",
        "/static/nothing.css",
        "/calendars/<script>/",
    ],
)
def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(
    site: Published, path: str
) -> None:
    page = site.get(path, Accept="text/html,*/*;q=0.8")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert 'href="/calendars/desk/"' in page.text
    assert "<script>/" not in page.text
    problem = site.get(path, Accept="application/json")
    assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")
    assert json.loads(problem.data)["status"] == 404
    assert json.loads(problem.data)["title"] == "Not Found"


def test_without_a_publish_there_is_a_page_that_says_so(database: Database) -> None:
    site = Published(database)
    site.state.refresh()
    assert "Nothing is published yet" in site.get("/").text
    assert site.get("/healthz").status_code == 200


def test_health_without_and_readiness_with_the_database(
    site: Published, database: Database
) -> None:
    assert site.get("/readyz").text == "ok\n"
    feed = site.get("/calendars/desk.ics").data
    with database.write() as connection:
        for table in ("events", "publishes"):
            connection.execute(text(f"ALTER TABLE {table} RENAME TO gone_{table}"))
    try:
        assert site.get("/healthz").text == "ok\n"
        assert site.get("/calendars/desk.ics").data == feed
        assert site.get("/calendars/desk/stay/").status_code == 200
    finally:
        with database.write() as connection:
            for table in ("events", "publishes"):
                connection.execute(text(f"ALTER TABLE gone_{table} RENAME TO {table}"))


def test_without_its_database_a_process_is_not_ready_and_serves_what_it_has(
    site: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = site.get("/calendars/desk.ics").data
    nowhere = Database("postgresql://nobody:hunter2@127.0.0.1:1/nothing")
    monkeypatch.setattr(site.state, "database", nowhere)
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert "hunter2" not in answer.text
    assert site.get("/healthz").status_code == 200
    assert site.get("/calendars/desk.ics").data == feed
    assert site.get("/").status_code == 200


def test_the_whole_application_sees_a_publish_by_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the thread that asks the database, as each process of the web server has it."""
    from werkzeug.test import Client

    from calfeed.web.published.state import State as Watched
    from tests.delivery.office import wait_until

    states: list[Watched] = []

    def keep(state: Watched) -> None:
        states.append(state)
        watch(state)

    watch = Watched.watch
    monkeypatch.setattr(Watched, "watch", keep)
    client = Client(make_app(database, BASE))
    try:
        assert client.get("/calendars/desk.ics").status_code == 404
        Published(database).publish({"desk": DESK})
        wait_until(lambda: client.get("/calendars/desk.ics").status_code == 200)
    finally:
        states[0].stop()
