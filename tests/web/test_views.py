"""What a reader can ask of the pages: words, categories, months, another zone, another site."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest

from calfeed.web.months import step_month
from tests.web.published import BASE, Published, make_site

DESK = """
name: {en: Desk, ur: ڈیسک}
time_zone: Asia/Karachi
color: crimson
reminders: [1 week]
events:
  audit: {summary: {en: Café audit, ur: آڈٹ}, start: 2026-12-01, categories: [money]}
  fair:
    summary: Fair
    description: Where people meet.
    start: 2026-12-30
    end: 2027-01-02
    categories: [people, money]
  call: {summary: Call, start: 2026-12-07 00:30, duration: 1 hour, categories: [people]}
  over: {summary: Over, start: 2026-01-05, status: tentative}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    yield site
    site.database.close()


def titles(page: str) -> list[str]:
    """The titles in a page's agenda, in its order."""
    return re.findall(r'class="title"[^>]*><bdi[^>]*>([^<]*)', page)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("fair", ["Fair"]),
        ("PEOPLE", ["Call", "Fair"]),
        ("meet fair", ["Fair"]),
        ("cafe", ["Café audit"]),
        ("آڈٹ", ["Café audit"]),
        ("over", ["Over"]),
        ("money nobody", []),
    ],
)
def test_a_search_finds_what_has_every_word_in_any_language(
    site: Published, words: str, found: list[str]
) -> None:
    answer = site.client.get("/", query_string={"q": words})
    assert titles(answer.text) == found
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("Nothing is called" in answer.text) is (not found)


def test_a_search_is_text_and_not_markup(site: Published) -> None:
    page = site.client.get("/", query_string={"q": '"><script>x'}).text
    assert "<script>x" not in page


def test_a_category_filters_the_page_and_the_feed_it_offers(site: Published) -> None:
    page = site.get("/calendars/desk/?category=people").text
    assert titles(page) == ["Call", "Fair"]
    assert f'value="{BASE}/calendars/desk.ics?category=people"' in page
    assert "webcal://example.org/calendars/desk.ics?category=people" in page
    assert 'href="/subscribe/desk/?category=people"' in page
    assert 'href="/embed/desk/?category=people"' in page
    assert site.get("/calendars/desk/?category=nobody").status_code == 404


def test_a_readers_language_is_that_of_the_feed_where_it_is_written(site: Published) -> None:
    assert f'value="{BASE}/calendars/desk.ics?lang=ur"' in site.get("/subscribe/desk/?lang=ur").text
    assert f'value="{BASE}/calendars/desk.ics"' in site.get("/subscribe/desk/?lang=ps").text
    assert f'value="{BASE}/calendars/desk.ics"' in site.get("/subscribe/desk/?lang=en").text


def test_a_month_shows_each_day_of_what_lasts_and_days_of_the_events_own_zone(
    site: Published,
) -> None:
    page = site.get("/calendars/desk/?view=month&month=2026-12").text
    cells = re.findall(r'<td class="inside[^"]*"><span class="number">(\d+)</span>(.*?)</td>', page)
    assert len(cells) == 31
    assert [day for day, content in cells if "Fair" in content] == ["30", "31"]
    assert [day for day, content in cells if "Call" in content] == ["7"], "00:30 in Karachi"
    assert "month=2026-11" in page
    assert "month=2027-01" in page
    january = site.get("/calendars/desk/?view=month&month=2027-01").text
    assert january.count(">Fair<") == 2


def test_a_year_marks_the_days_on_which_something_happens(site: Published) -> None:
    page = site.get("/calendars/desk/?view=year&year=2026").text
    assert page.count('<table class="small">') == 12
    marked = re.findall(r'<a href="([^"]*)" title="([^"]*)">(\d+)<', page)
    assert ("/calendars/desk/audit/", "Café audit", "1") in marked
    assert len(marked) == 5


@pytest.mark.parametrize(
    "query",
    ["view=month&month=2026-13", "view=month&month=x", "view=year&year=1", "view=year&year=99999"],
)
def test_there_is_no_month_or_year_beyond_reason(site: Published, query: str) -> None:
    assert site.get(f"/calendars/desk/?{query}").status_code == 404


@pytest.mark.parametrize(
    ("query", "links"),
    [
        ("view=month&month=1900-01", ["next"]),
        ("view=month&month=2199-12", ["prev"]),
        ("view=year&year=1900", ["next"]),
        ("view=year&year=2199", ["prev"]),
        ("view=year&year=2026", ["prev", "next"]),
    ],
)
def test_at_the_ends_of_what_there_is_no_link_leads_on(
    site: Published, query: str, links: list[str]
) -> None:
    page = site.get(f"/calendars/desk/?{query}").text
    assert re.findall('data-step="([a-z]*)"', page) == links


@pytest.mark.parametrize("view", ["month", "year"])
def test_today_and_what_is_cancelled_are_told_to_who_does_not_see_them(
    site: Published, view: str
) -> None:
    site.publish({"desk": DESK.replace("2026-01-05, status: tentative", "2026-11-23")})
    page = site.get(f"/calendars/desk/?view={view}").text
    cells = re.findall(r'<td[^>]* aria-current="date">.*?>(\d+)<', page)
    assert cells == ["23"]
    cancelled = DESK.replace("2026-01-05, status: tentative", "2026-11-05, status: cancelled")
    site.now += timedelta(hours=1)
    site.publish({"desk": cancelled})
    assert "(cancelled)" in site.get("/calendars/desk/?view=month").text


def test_the_months_beside_a_month_are_a_month_away() -> None:
    assert step_month(date(2026, 12, 1), 1) == date(2027, 1, 1)
    assert step_month(date(2027, 1, 1), -1) == date(2026, 12, 1)


def test_occurrences_are_those_of_the_window_that_is_asked_for(site: Published) -> None:
    path = "/calendars/desk/occurrences.json"
    found = site.get(f"{path}?start=2026-12-01T00:00:00Z&end=2026-12-08T00:00:00Z&lang=ur").json
    assert found is not None
    assert [one["title"] for one in found] == ["آڈٹ", "Call"]
    assert found[0]["url"] == "/calendars/desk/audit/?lang=ur"
    assert (found[0]["allDay"], found[0]["start"]) == (True, "2026-12-01")
    assert found[1]["start"] == "2026-12-07T00:30:00+05:00"
    assert found[1]["color"] == "#dc143c"
    day = site.get(f"{path}?start=2026-12-01&end=2026-12-07").json
    assert day is not None
    assert [one["title"] for one in day] == ["Café audit"], "the end is no part of it"
    assert len(json.loads(site.get(path).text)) == 4, "without a window: about now"
    for query in ("start=x&end=y", "start=1990-01-01&end=2030-01-01", "start=2026-01-01"):
        assert site.get(f"{path}?{query}").status_code == 400


def test_a_time_is_told_in_any_zone_without_a_script(site: Published) -> None:
    page = site.get("/calendars/desk/call/?zone=America/New_York").text
    told = unescape(re.sub(r"<[^>]*>", "", page))
    assert "Monday, 7 December 2026, 00:30 – 01:30" in told
    assert "In New York (UTC-05:00): Sunday, 6 December 2026, 14:30 – 15:30" in told
    assert site.get("/calendars/desk/call/?zone=Mars/Olympus").status_code == 400


def test_a_whole_day_is_the_same_day_everywhere_save_for_a_deadline(site: Published) -> None:
    page = site.get("/calendars/desk/audit/?zone=Asia/Tokyo").text
    assert 'class="yours"' not in page
    assert 'name="zone"' not in page
    site.publish({"desk": DESK.replace("start: 2026-12-01,", "start: 2026-12-01, kind: deadline,")})
    page = unescape(site.get("/calendars/desk/audit/?zone=Asia/Tokyo").text)
    assert "04:00 – Wednesday, 2 December 2026, 04:00" in page


def test_the_page_of_what_recurs_is_about_the_next_time_for_programs_too(site: Published) -> None:
    weekly = "  weekly: {summary: W, start: 2026-09-21 10:30, repeat: {rule: FREQ=WEEKLY}}\n"
    site.publish({"desk": DESK + weekly})
    page = site.get("/calendars/desk/weekly/").text
    shown = '<time datetime="2026-11-30T10:30:00+05:00">Monday, 30 November 2026, 10:30</time>'
    assert shown in page


def test_an_event_offers_itself_to_calendars_on_the_web(site: Published) -> None:
    page = unescape(site.get("/calendars/desk/call/").text)
    assert "dates=20261206T193000Z%2F20261206T203000Z" in page
    assert "startdt=2026-12-06T19%3A30%3A00Z" in page
    page = unescape(site.get("/calendars/desk/fair/").text)
    assert "dates=20261230%2F20270103" in page
    assert "allday=true" in page


def test_only_the_embed_may_be_framed(site: Published) -> None:
    def framed(path: str) -> str:
        policy = site.get(path).headers["Content-Security-Policy"]
        return policy.partition("frame-ancestors ")[2]

    assert framed("/embed/desk/") == "*"
    for path in ("/", "/calendars/desk/", "/subscribe/desk/", "/calendars/desk/call/", "/none"):
        assert framed(path) == "'none'"
    page = site.get("/embed/desk/").text
    assert titles(page) == ["Café audit", "Call", "Fair"]
    assert '<base target="_blank">' in page
    snippet = f'<iframe src="{BASE}/embed/desk/" title="Desk"'
    assert snippet in unescape(site.get("/calendars/desk/").text)


def test_a_deadline_and_a_cancelled_event_are_called_so(site: Published) -> None:
    changed = DESK.replace("summary: Fair", "summary: Fair\n    kind: deadline").replace(
        "summary: Call,", "summary: Call, status: cancelled,"
    )
    site.now += timedelta(hours=1)
    site.publish({"desk": changed})
    page = site.get("/calendars/desk/").text
    assert page.count(">deadline<") == 1
    assert page.count(">cancelled<") == 1
    assert page.count(">tentative<") == 1
    assert "in 14 days" not in page, "nobody waits for what is cancelled"


def test_of_more_dates_than_a_page_holds_the_first_are_shown_and_the_rest_is_told(
    site: Published,
) -> None:
    series = "  daily: {summary: Daily, start: 2026-11-24, repeat: {rule: FREQ=DAILY}}\n"
    site.publish({"desk": DESK + series})
    page = site.get("/calendars/desk/").text
    assert len(titles(page)) == 61, "60 to come and 1 that is over"
    assert "These are not all" in page


@pytest.mark.parametrize(
    "path", ["/subscribe/board/", "/embed/board/", "/calendars/board/occurrences.json"]
)
def test_a_private_calendar_is_on_none_of_these_pages(site: Published, path: str) -> None:
    board = "name: Board\ntime_zone: UTC\nvisibility: private\nevents:\n"
    site.publish({"desk": DESK, "board": board + "  plot: {summary: Plot, start: 2026-12-01}\n"})
    assert site.get(path).status_code == 404
    assert titles(site.get("/?q=plot").text) == []


@pytest.mark.parametrize("first", ["calendars", "subscribe", "embed"])
def test_a_renamed_calendars_pages_lead_to_its_new_name(site: Published, first: str) -> None:
    site.publish({"calendars": DESK + "formerly: [desk]\n"})
    answer = site.get(f"/{first}/desk/?lang=ur")
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"/{first}/calendars/?lang=ur"
