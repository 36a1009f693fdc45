"""Options of pages: search words, categories, months, another time zone, embedding."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest

from calfeed.web.pages.lists.months import step_month
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


def marks(page: str) -> list[str]:
    """The words of the marks in a page, in its order."""
    return re.findall(r'class="mark [^>]*><svg.*?</svg>(?:<span[^>]*>)?\(?([^<)]*)', page)


def days(page: str) -> list[tuple[str, str, str]]:
    """The days of a year on which something is: where they lead, what they say, the number."""
    found = re.findall(
        r'<a[^>]* href="([^"]*)" title="([^"]*)"><span class="number">(\d+)<', unescape(page)
    )
    return [(link, title, number) for link, title, number in found]


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
    cells = re.findall(r'<td id="d2026-12-(\d\d)"(.*?)</td>', page)
    assert len(cells) == 31
    assert [day for day, content in cells if "Fair" in content] == ["30", "31"]
    assert [day for day, content in cells if "Call" in content] == ["07"], "00:30 in Karachi"
    assert "month=2026-11" in page
    assert "month=2027-01" in page
    january = site.get("/calendars/desk/?view=month&month=2027-01").text
    assert january.count(">Fair<") == 2


def test_a_year_marks_the_days_on_which_something_happens(site: Published) -> None:
    page = site.get("/calendars/desk/?view=year&year=2026").text
    assert page.count('<table class="small">') == 12
    assert ("/calendars/desk/audit/", "Café audit", "1") in days(page)
    assert len(days(page)) == 5


def test_a_day_of_a_year_with_several_dates_leads_to_the_list_of_that_day(
    site: Published,
) -> None:
    others = "".join(f"  more-{n}: {{summary: More {n}, start: 2026-12-30}}\n" for n in range(5))
    site.publish({"desk": DESK + others})
    (day,) = [one for one in days(site.get("/calendars/desk/?view=year").text) if one[2] == "30"]
    assert day[0] == "/calendars/desk/?month=2026-12&view=month#d2026-12-30"
    names = {"Fair", *(f"More {n}" for n in range(5))}
    *first, more = day[1].split(" · ")
    assert (len(names & set(first)), more) == (4, "2 more")
    page = site.get(day[0].partition("#")[0]).text
    listed = page.partition('<td id="d2026-12-30"')[2].partition("</td>")[0]
    assert set(re.findall(r"<bdi[^>]*>([^<]*)", listed)) == names


def test_a_year_marks_a_cancelled_day_from_others(site: Published) -> None:
    site.now += timedelta(hours=1)
    site.publish({"desk": DESK.replace("summary: Call,", "summary: Call, status: cancelled,")})
    page = site.get("/calendars/desk/?view=year&year=2026").text
    (call,) = re.findall(r'<a class="is-cancelled" href="/calendars/desk/call/".*?</a>', page)
    assert marks(call) == ["cancelled"]
    assert page.count('class="is-cancelled"') == 1
    assert marks(page.partition('class="marks legend"')[2]) == ["cancelled", "tentative"]


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
    assert re.findall('rel="(prev|next) nofollow"', page) == links


@pytest.mark.parametrize("view", ["month", "year"])
def test_today_is_the_readers_day(site: Published, view: str) -> None:
    """12:00 UTC, which is the day after on Kiritimati."""
    site.publish({"desk": DESK.replace("2026-01-05, status: tentative", "2026-11-23")})
    for zone, day in (("", "23"), ("&zone=Pacific/Kiritimati", "24")):
        page = site.get(f"/calendars/desk/?view={view}{zone}").text
        assert re.findall(r'aria-current="date">(?:<[^>]*>|[^<\d])*(\d+)<', page) == [day]


@pytest.mark.parametrize("time", ["23:00", "23:30", "23:59"])
@pytest.mark.parametrize("kind", ["event", "deadline"])
def test_what_is_late_in_the_evening_is_on_one_day(site: Published, time: str, kind: str) -> None:
    late = f"  late: {{summary: Late, start: 2026-12-15 {time}, kind: {kind}}}\n"
    site.publish({"desk": DESK + late})
    page = site.get("/calendars/desk/?view=month&month=2026-12").text
    cells = re.findall(r'<td id="d2026-12-(\d\d)"(.*?)</td>', page)
    assert [day for day, content in cells if "Late" in content] == ["15"]
    assert f'<span class="clock">{time}</span>' in page


def test_a_month_is_drawn_by_the_server_and_loads_what_every_page_does(site: Published) -> None:
    month, agenda = site.get("/calendars/desk/?view=month"), site.get("/calendars/desk/")
    loaded = r'(?:src|rel="stylesheet" href)="([^"]*)"'
    assert re.findall(loaded, month.text) == re.findall(loaded, agenda.text)
    name = "Content-Security-Policy"
    assert month.headers[name] == agenda.headers[name]


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
    assert "by the end of Tuesday, 1 December 2026 in Karachi" in page
    assert "In Tokyo (UTC+09:00): by Wednesday, 2 December 2026, 04:00" in page
    assert "by the end of 1 December 2026 in Karachi" in site.get("/calendars/desk/").text


def test_the_page_of_what_recurs_is_about_the_next_time_for_programs_too(site: Published) -> None:
    weekly = "  weekly: {summary: W, start: 2026-09-21 10:30, repeat: {rule: FREQ=WEEKLY}}\n"
    site.publish({"desk": DESK + weekly})
    page = site.get("/calendars/desk/weekly/").text
    shown = '<time datetime="2026-11-30T10:30:00+05:00">Monday, 30 November 2026, 10:30</time>'
    assert shown in page


def test_the_page_of_a_far_date_says_when_its_reminders_go_out(site: Published) -> None:
    """Further off than reminders are planned."""
    site.publish({"desk": DESK.replace("start: 2026-12-01", "start: 2030-12-11")})
    page = unescape(site.get("/calendars/desk/audit/").text)
    assert "Wednesday, 4 December 2030, 09:00" in page
    assert "None is still to go out" not in page
    assert "None is still to go out" in site.get("/calendars/desk/over/").text


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


def test_each_mark_is_a_shape_and_a_word_in_every_list_and_on_the_events_page(
    site: Published,
) -> None:
    site.now += timedelta(hours=1)
    changed = DESK.replace("summary: Fair", "summary: Fair\n    kind: deadline")
    changed = changed.replace("summary: Call,", "summary: Call, status: cancelled,")
    site.publish({"desk": changed.replace("start: 2026-12-01", "start: 2026-12-02")})
    agenda = site.get("/calendars/desk/").text.partition('id="coming"')[2]
    assert marks(agenda) == ["moved", "cancelled", "deadline", "tentative"]
    assert marks(site.get("/calendars/desk/?lang=ur").text.partition('id="coming"')[2]) == [
        *("تبدیل شدہ", "منسوخ", "آخری تاریخ", "غیر حتمی")
    ]
    shapes = re.findall(r'class="mark \w+"><svg [^>]*><path d="([^"]*)"', agenda)
    assert len(set(shapes)) == 4
    assert marks(site.get("/embed/desk/").text) == ["moved", "cancelled", "deadline"]
    assert marks(site.get("/?q=over").text) == ["tentative"]
    assert "in 14 days" not in agenda, "nobody waits for what is cancelled"
    for event, mark in (("fair", "deadline"), ("call", "cancelled"), ("over", "tentative")):
        assert marks(site.get(f"/calendars/desk/{event}/").text) == [mark]
    assert '<a class="mark moved" href="#history">' in site.get("/calendars/desk/audit/").text


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


def test_each_page_has_a_title_of_its_own(site: Published) -> None:
    """So that tabs, bookmarks and a screen reader tell views of one calendar apart."""
    desk = "/calendars/desk/"
    paths = ["/", "/?q=call", "/?from=2026-12-02", "/?q=call&from=2026-12-02"]
    paths += [desk, f"{desk}?from=2026-12-02", f"{desk}?until=2026-12-02"]
    paths += [f"{desk}?category=money", f"{desk}?view=month&month=2026-12&category=money"]
    paths += [f"{desk}?view=month&month={month}" for month in ("2026-12", "2027-01")]
    paths += [f"{desk}?view=year&year={year}" for year in (2026, 2027)]
    paths += [f"{desk}call/", f"{desk}fair/"]
    paths += ["/subscribe/", "/subscribe/desk/"]
    for lang in ("en", "ur"):
        found: dict[str, str] = {}
        for path in paths:
            page = site.get(path + ("&" if "?" in path else "?") + f"lang={lang}").text
            title = re.search(r"<title>(.*)</title>", page)
            assert title
            assert title[1] not in found, (path, found)
            found[title[1]] = path
