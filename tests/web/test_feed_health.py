"""Requests for feeds are counted, without any data about the clients."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from calfeed.errors import StoreError
from calfeed.settings import Settings
from calfeed.store.access.tokens import add_token
from calfeed.store.database import Database
from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.reports.polls import RETENTION, load_polls
from calfeed.store.tables import metadata
from calfeed.web.console.routes import PREFIX, make_console
from calfeed.web.published import state
from calfeed.web.serving.client_families import name_family
from calfeed.web.serving.poll_counter import PollCounter
from tests.delivery.office import wait_until
from tests.web.published import NOW, Published
from tests.web.test_console import TOKEN, Visitor

DESK = """
name: Desk
time_zone: Asia/Karachi
events:
  stay:
    summary: The stay ends
    start: 2027-06-30
    categories: [deadline]
"""
PRIVATE = DESK.replace("name:", "visibility: private\nname:", 1)
FEED = "/calendars/desk.ics"
APPLE = "iOS/18.0 (22A3354) dataaccessd/1.0"
SECRET = "a-token-of-one-reader"
PECULIAR = "Wunderkammer-4711/0.3 (of somebody's own)"


@pytest.fixture
def site(database: Database) -> Published:
    site = Published(database)
    site.publish({"desk": DESK})
    return site


def read(site: Published, days: int = 1) -> list[PollCounts]:
    """What the database has, after what was counted was added to it."""
    site.state.save_polls()
    with site.database.read() as connection:
        return load_polls(connection, site.now, days)


def keep_token(site: Published) -> None:
    """Publish a private calendar, `inner`, and let `SECRET` read it."""
    site.publish({"desk": DESK, "inner": PRIVATE})
    with site.database.write() as connection:
        add_token(connection, SECRET, "inner", "", site.now)
    site.state.refresh()


def open_page(site: Published, **query: str) -> str:
    """The console's page about feeds, as somebody signed in sees it."""
    settings = Settings(admin_token=SecretStr(TOKEN))
    console = make_console(site.database, settings, lambda: site.now)
    visitor = Visitor(Client(DispatcherMiddleware(NotFound(), {PREFIX: console.wsgi_app})))
    visitor.sign_in()
    return visitor.open("/feeds", **query)


def test_bodies_304_and_bytes_are_counted_by_feed_and_family(site: Published) -> None:
    first = site.get(FEED, User_Agent=APPLE)
    packed = site.get(FEED, User_Agent=APPLE, Accept_Encoding="gzip")
    for _ in range(3):
        site.get(FEED, User_Agent=APPLE, If_None_Match=first.headers["ETag"])
    other = site.get("/calendars.ics", User_Agent="vdirsyncer/0.19")
    assert read(site) == [
        PollCounts("/calendars.ics", "vdirsyncer", 1, 0, len(other.data)),
        PollCounts(FEED, "Apple Calendar", 2, 3, len(first.data) + len(packed.data)),
    ]


def test_choices_and_other_shapes_count_under_their_path(site: Published) -> None:
    site.get(f"{FEED}?category=deadline&lang=en")
    site.get(f"{FEED}?alarms=0")
    site.get("/calendars/desk.json")
    site.get("/changes.atom")
    counted = {(one.feed, one.sent) for one in read(site)}
    assert counted == {(FEED, 2), ("/calendars/desk.json", 1), ("/changes.atom", 1)}


def test_pages_downloads_errors_and_head_are_not_counted(site: Published) -> None:
    for path in ("/", "/calendars/desk/", "/calendars/desk/stay.ics", f"{FEED}?category=none"):
        site.get(path)
    site.get("/calendars/none.ics")
    site.client.head(FEED)
    site.client.post(FEED)
    assert read(site) == []


def test_a_private_feed_counts_under_its_calendar_without_its_token(site: Published) -> None:
    keep_token(site)
    path = f"/private/{SECRET}/inner.ics"
    first = site.get(path, User_Agent="Thunderbird/128.0")
    again = site.get(path, User_Agent="Thunderbird/128.0", If_None_Match=first.headers["ETag"])
    site.client.head(path)
    site.get("/private/no-such-token/inner.ics")
    assert (first.status_code, again.status_code) == (200, 304)
    assert read(site) == [PollCounts("/private/…/inner.ics", "Thunderbird", 1, 1, len(first.data))]


def test_no_table_has_an_address_a_user_agent_or_a_token(site: Published) -> None:
    keep_token(site)
    for path in (FEED, "/calendars/desk.json", f"/private/{SECRET}/inner.ics"):
        site.client.get(
            path,
            headers={"User-Agent": PECULIAR, "X-Forwarded-For": "203.0.113.77"},
            environ_base={"REMOTE_ADDR": "198.51.100.42"},
        )
    assert len(read(site)) == 3
    with site.database.read() as connection:
        every = [str(connection.execute(select(table)).all()) for table in metadata.sorted_tables]
    text = "\n".join(every)
    assert "Other programs" in text
    for part in ("198.51.100.42", "203.0.113.77", "Wunderkammer", "4711", SECRET):
        assert part not in text


def test_a_running_process_adds_its_counts_by_itself(
    site: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "_SAVE_POLLS_SECONDS", 0.0)
    site.get(FEED, User_Agent=APPLE)

    def look() -> list[PollCounts]:
        with site.database.read() as connection:
            return load_polls(connection, site.now, 1)

    site.state.watch()
    try:
        wait_until(lambda: [one.sent for one in look()] == [1])
    finally:
        site.state.stop()


def test_every_process_adds_to_the_same_sums_day_by_day(site: Published) -> None:
    other = Published(site.database)
    other.state.refresh()
    for each in (site, other):
        each.get(FEED, User_Agent=APPLE)
        each.state.save_polls()
    for _ in range(2):
        site.now += timedelta(days=1)
        site.get(FEED, User_Agent=APPLE)
        site.state.save_polls()
    assert [[one.sent for one in read(site, days)] for days in (1, 2, 3)] == [[1], [2], [4]]


def test_days_of_more_than_a_year_ago_are_forgotten(site: Published) -> None:
    site.get(FEED)
    assert len(read(site)) == 1
    site.now += RETENTION + timedelta(days=1)
    site.get("/calendars.ics")
    assert [one.feed for one in read(site, 1000)] == ["/calendars.ics"]


def test_while_the_database_is_away_counts_wait_and_are_then_added(
    site: Published, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = Published(Database(f"sqlite:///{tmp_path_factory.mktemp('away') / 'empty.sqlite3'}"))
    for size in (None, 100):
        away.state.poll_counter.count(FEED, APPLE, size)
        with pytest.raises(StoreError):
            away.state.save_polls()
    away.state.poll_counter.count(FEED, APPLE, 11)
    assert away.state.poll_counter.take() == [PollCounts(FEED, "Apple Calendar", 2, 1, 111)]
    away.database.close()


def test_threads_that_count_at_once_lose_nothing() -> None:
    counter, taken = PollCounter(), list[PollCounts]()
    agents = [APPLE, "curl/8", *(f"program/{number}" for number in range(1100))]

    def count() -> None:
        for agent in agents:
            counter.count(FEED, agent, 10)
            counter.count(FEED, agent, None)

    counting = [threading.Thread(target=count) for _ in range(4)]
    for one in counting:
        one.start()
    while any(one.is_alive() for one in counting):
        taken += counter.take()
    taken += counter.take()
    whole = 4 * len(agents)
    sums = [sum(numbers) for numbers in zip(*((o.sent, o.unchanged) for o in taken), strict=True)]
    assert sums == [whole, whole]
    assert sum(one.bytes for one in taken) == 10 * whole
    assert {one.family for one in taken} == {"Apple Calendar", "Other programs"}


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        (APPLE, "Apple Calendar"),
        ("macOS/15.1 (24B83) dataaccessd/1.0", "Apple Calendar"),
        ("Mac+OS+X/10.15.7 (19H2) CalendarAgent/930.5.1", "Apple Calendar"),
        ("Google-Calendar-Importer", "Google Calendar"),
        ("Microsoft.Exchange/15.20 (Windows NT 10.0; Win64; x64)", "Outlook and Exchange"),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)", "Outlook and Exchange"),
        ("Mozilla/5.0 (X11; rv:128.0) Gecko/20100101 Thunderbird/128.5.2", "Thunderbird"),
        ("ICSx5/2.2.3 (ktor; okhttp) Android/14", "Android apps"),
        ("Evolution/3.52.1", "GNOME and KDE"),
        ("vdirsyncer/0.19.2", "vdirsyncer"),
        ("Nextcloud Webcal Crawler", "Calendar servers"),
        ("Feedly/1.0 (+http://feedly.com/fetcher.html)", "Feed readers"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", "Crawlers"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0", "Browsers"),
        ("curl/8.5.0", "Other programs"),
        ("  ", "No name given"),
        ("", "No name given"),
    ],
)
def test_a_program_is_known_by_what_it_says_of_itself(agent: str, family: str) -> None:
    assert name_family(agent) == family


def test_the_console_shows_polls_shares_and_sizes_of_a_span(site: Published) -> None:
    etag = site.get(FEED, User_Agent=APPLE).headers["ETag"]
    for _ in range(2):
        site.get(FEED, User_Agent=APPLE, If_None_Match=etag)
    site.get("/calendars.ics", User_Agent=PECULIAR)
    site.state.save_polls()
    page = open_page(site, days="1")
    assert '<a href="/console/feeds?days=1" aria-current="true">Today</a>' in page
    assert "<dt>Polls</dt><dd>4</dd>" in page
    assert "<dt>Unchanged (304)</dt><dd>50%</dd>" in page
    assert 'row">Apple Calendar</th><td>3</td><td>75%</td><td>67%</td>' in page
    assert page.index(FEED) < page.index("/calendars.ics")
    assert "Apple Calendar 100%" in page
    assert "Wunderkammer" not in page
    site.now = NOW + timedelta(days=6)
    assert "No feed was requested" in open_page(site, days="1")
    for span in ("7", "30", "no-number"):
        assert FEED in open_page(site, days=span)
    site.now = NOW + timedelta(days=7)
    assert "No feed was requested" in open_page(site)


def test_the_console_shows_the_feeds_that_are_asked_for_most(site: Published) -> None:
    for number in range(103):
        site.state.poll_counter.count(f"/calendars/c{number}.ics", "", None)
    site.state.poll_counter.count("/calendars/c77.ics", "", 100)
    site.state.save_polls()
    page = open_page(site)
    assert page.count('class="row"') == 100
    assert page.index("/calendars/c77.ics") < page.index("/calendars/c0.ics")
    assert "and 3 more" in page
