"""Pages and formats say what is known about a date: no more, and no less."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.web.dated import FIRST, FIRST_DAY, SECOND
from tests.web.published import NOW, Published, make_site

COURT = "/calendars/court/"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    for text, at in ((FIRST, FIRST_DAY), (SECOND, NOW - timedelta(days=3))):
        site.now = at
        site.publish({"court": text})
    site.now = NOW
    yield site
    site.database.close()


def read(site: Published, path: str) -> str:
    """The text of a page as it is read, in one line, without the marks for direction."""
    text = re.sub(r"<(script|head|option).*?</\1>", "", site.get(path).text, flags=re.DOTALL)
    apart = re.sub(r"</?(dt|dd|p|li|h\d)\b[^>]*>", " ", text)
    plain = unescape(re.sub(r"<[^>]+>", "", apart))
    return re.sub(r"[\s\u2066-\u2069]+", " ", plain)


def line_of(site: Published, title: str, path: str = COURT) -> str:
    """The line of an event in a list."""
    lines = re.findall(r'<li class="entry.*?</li>', site.get(path).text, re.DOTALL)
    found: list[str] = [line for line in lines if f">{title}<" in line]
    assert len(found) == 1
    return found[0]


def cells(page: str) -> dict[str, list[str]]:
    """The titles on each day of a month."""
    found = {}
    for day, cell in re.findall(r'<td id="d([\d-]+)"(.*?)</td>', page, re.DOTALL):
        if titles := re.findall(r"<bdi[^>]*>([^<]*)", cell):
            found[day] = titles
    return found


def structured(page: str) -> dict[str, str] | None:
    """The event for search engines in a page, None if there is none."""
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    parsed: dict[str, str] | None = json.loads(found[1]) if found else None
    return parsed


def put_date(site: Published, when: datetime, start: str) -> None:
    """Publish one event with a date in the place of everything."""
    site.now = when
    text = f"name: Desk\ntime_zone: Asia/Karachi\nevents:\n  it: {{summary: It, start: {start}}}\n"
    site.publish({"court": text})


@pytest.mark.parametrize(
    ("event", "when", "far"),
    [
        ("ruling", "June 2027, day not yet known", False),
        ("budget", "third quarter of 2027, day not yet known", False),
        ("hearing", "one of 9 to 11 December 2026", True),
        ("talk", "15 December 2026, time to be confirmed", True),
    ],
)
def test_the_page_of_an_uncertain_date_says_what_is_known_and_invents_no_day(
    site: Published, event: str, when: str, far: bool
) -> None:
    page = site.get(f"{COURT}{event}/").text
    date = re.search(r'<p class="date">(.*?)</p>', page)
    assert date is not None
    assert re.sub("<[^>]*>", "", date[1]) == when
    assert ("countdown" in page) is far
    known = event == "talk"
    assert ("<time datetime=" in date[1]) is known
    assert (structured(page) is not None) is known
    assert ("calendar.google.com" in page) is known
    assert ("outlook.live.com" in page) is known


def test_a_short_range_says_when_it_is_at_the_earliest(site: Published) -> None:
    assert "in 16 days at the earliest" in line_of(site, "Hearing")
    site.now = datetime(2026, 12, 10, 12, tzinfo=UTC)
    assert "earliest" not in line_of(site, "Hearing")
    assert "overdue" not in line_of(site, "Hearing")


def test_an_uncertain_date_is_listed_by_its_latest_day_and_has_no_number(site: Published) -> None:
    page = site.get(COURT).text.partition('id="coming"')[2]
    titles = re.findall(r'class="title"[^>]*><bdi[^>]*>([^<]*)', page)
    ordered = [title for title in titles if title in ("Hearing", "Visit", "Trial", "Ruling")]
    assert ordered == ["Hearing", "Visit", "Trial", "Ruling"]
    line = line_of(site, "Ruling")
    assert "June 2027, day not yet known" in line
    assert 'class="number"' not in line
    assert "datetime=" not in line


def test_an_uncertain_date_is_past_after_its_latest_day_and_overdue_then(site: Published) -> None:
    put_date(site, NOW, "2026-12")
    site.now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    coming, _, past = site.get(COURT).text.partition('id="past"')
    assert (">It<" in coming, ">It<" in past) == (True, False)
    assert "overdue" not in coming
    site.now = datetime(2026, 12, 31, 20, tzinfo=UTC)
    coming, _, past = site.get(COURT).text.partition('id="past"')
    assert (">It<" in coming, ">It<" in past) == (False, True)
    assert "overdue" in past
    assert "overdue" in read(site, f"{COURT}it/")


def test_who_turns_the_pages_meets_an_uncertain_date_once(site: Published) -> None:
    put_date(site, NOW, "2026-12")
    for day, before in (("2026-12-01", False), ("2026-12-31", False), ("2027-01-01", True)):
        assert (">It<" in site.get(f"{COURT}?until={day}").text) is before
        assert (">It<" in site.get(f"{COURT}?from={day}").text) is not before


def test_a_month_has_short_ranges_on_their_days_and_open_ones_above(site: Published) -> None:
    december = site.get(f"{COURT}?view=month&month=2026-12").text
    days = cells(december)
    assert [day for day, titles in days.items() if "Hearing" in titles] == [
        *("2026-12-09", "2026-12-10", "2026-12-11")
    ]
    assert "is-open" in december
    assert "2026-12-18" not in days, "a postponed event is on no day"
    assert "2026-12-20" not in days, "nor is one that waits"
    june = f"{COURT}?view=month&month=2027-06"
    assert cells(site.get(june).text) == {}
    told = read(site, june)
    assert "June 2027, day not yet known: Ruling" in told
    assert "one of 17 June to 14 July 2027: Appeal" in told
    assert "No date in this month" not in told
    july = read(site, f"{COURT}?view=month&month=2027-07")
    assert "Appeal" in july
    assert "Ruling" not in july
    assert "third quarter of 2027, day not yet known: Budget" in read(
        site, f"{COURT}?view=year&year=2027"
    )


def test_an_event_without_a_date_says_so_and_what_it_waits_for(site: Published) -> None:
    told = read(site, f"{COURT}launch/")
    assert "Postponed The former date, which does not stand any more: Friday, 18 December" in told
    page = site.get(f"{COURT}party/").text
    assert 'Waiting for <a href="/calendars/court/launch/">' in page
    told = read(site, f"{COURT}party/")
    assert "The new date is counted: 2 days after Launch" in told
    assert "How this date is counted" not in told
    for event in ("launch", "party"):
        page = site.get(f"{COURT}{event}/").text
        assert "google" not in page
        assert "countdown" not in page
        assert "They go out when the day is known." in page
        assert "None is still to go out" not in page
        found = structured(page)
        assert found is not None
        assert found["eventStatus"].endswith("EventPostponed")
        assert "previousStartDate" not in found
    for title, mark in (("Launch", "postponed"), ("Party", "waiting")):
        line = line_of(site, title)
        assert f'class="mark {mark}"' in line
        assert "it was" in line
        assert "<time" not in line
        assert 'class="distance"' not in line


def test_a_counted_date_shows_the_sum_the_skipped_days_and_the_cause(site: Published) -> None:
    page = site.get(f"{COURT}papers/").text
    assert '3 working days before <a href="/calendars/court/trial/">' in page
    told = read(site, f"{COURT}papers/")
    assert "Counted from Monday, 8 March 2027" in told
    assert "Not counted 2 weekend days, 4 March 2027 (Flood)" in told
    assert "Result Tuesday, 2 March 2027" in told
    assert "Holiday data: holidays " in told
    assert "Provisional" not in told
    assert "Provisional" in read(site, f"{COURT}feast/")
    assert "Eid al-Fitr" in read(site, f"{COURT}feast/")


def test_a_closed_day_without_a_name_is_not_called_a_weekend(site: Published) -> None:
    title = ", title: {en: Flood, ur: سیلاب, ps: سېلاب, fa-AF: سیلاب}"
    assert title in SECOND
    site.publish({"court": SECOND.replace(title, "")})
    told = read(site, f"{COURT}papers/")
    assert "Not counted 2 weekend days, 4 March 2027 (closed)" in told


def test_every_rule_of_a_reminder_is_told_in_words(site: Published) -> None:
    rules = "[3 working days, on the day, 1 hour before the end]"
    site.publish({"court": SECOND.replace("[1 week]", rules)})
    told = read(site, f"{COURT}bill/")
    assert "3 working days before" in told
    assert "on the day, at 09:00" in told
    assert "1 hour before the end" in told
    assert "3 ایامِ کار پہلے" in read(site, f"{COURT}bill/?lang=ur")


def test_a_date_that_is_counted_from_a_range_shows_both_ends_and_moves(site: Published) -> None:
    told = read(site, f"{COURT}appeal/")
    assert "14 days after Ruling (June 2027)" in told
    assert "At the earliest Counted from Tuesday, 1 June 2027" in told
    moved = "Tuesday, 15 June 2027 is closed (Ashura); the next working day is Thursday, 17 June"
    assert moved in told
    assert "At the latest Counted from Wednesday, 30 June 2027" in told


def test_a_cause_that_has_no_page_is_named_and_not_linked(site: Published) -> None:
    text = SECOND.replace("2 days after launch", "2 days after opening")
    text += "  opening: {summary: Opening, start: postponed}\n"
    site.publish({"court": text})
    assert site.get(f"{COURT}opening/").status_code == 404
    assert "Waiting for Opening" in read(site, f"{COURT}party/")
    assert "/opening/" not in site.get(f"{COURT}party/").text


def test_what_is_done_says_so_and_reminds_nobody(site: Published) -> None:
    told = read(site, f"{COURT}forms/")
    assert "✓ met on 20 November 2026" in told
    assert "Reminders" not in told
    line = line_of(site, "Forms")
    assert 'class="mark done"' in line
    assert 'class="distance"' not in line


def test_a_correction_is_told_as_one_and_is_no_move(site: Published) -> None:
    page = site.get(f"{COURT}vote/").text
    told = read(site, f"{COURT}vote/")
    assert "Corrected: had Saturday, 12 December 2026" in told
    assert "this date was wrong" in told
    assert "How this date moved" not in told
    assert re.findall(r'class="mark (\w+)"', page) == ["corrected"]
    found = structured(page)
    assert found is not None
    assert found["eventStatus"].endswith("EventScheduled")
    assert "previousStartDate" not in found


def test_only_another_date_is_a_move(site: Published) -> None:
    assert 'class="mark moved"' in line_of(site, "Sitting")
    assert 'class="mark' not in line_of(site, "Visit"), "it was December, and is a day of it"
    moved = structured(site.get(f"{COURT}sitting/").text)
    assert moved is not None
    assert moved["eventStatus"].endswith("EventRescheduled")
    assert moved["previousStartDate"] == "2026-12-16"
    firmed = structured(site.get(f"{COURT}visit/").text)
    assert firmed is not None
    assert firmed["eventStatus"].endswith("EventScheduled")
    assert "<del>December 2026</del>" in site.get(f"{COURT}visit/").text


def test_a_history_names_the_time_without_a_date(site: Published) -> None:
    site.now = NOW
    site.publish({"court": SECOND.replace("start: postponed", "start: 2027-02-01")})
    told = read(site, f"{COURT}launch/")
    assert re.search(
        r"Monday, 1 February 2027 .* Postponed since .* Friday, 18 December 2026", told
    )
    assert 'class="mark moved"' in line_of(site, "Launch")
    site.publish({"court": SECOND.replace("start: postponed", "start: 2026-12-18")})
    assert 'class="mark moved"' in line_of(site, "Launch"), "it was another date in between"


def test_a_date_that_comes_back_after_a_postponement_has_not_moved(site: Published) -> None:
    site.publish({"court": SECOND.replace("start: postponed", "start: 2026-12-18")})
    assert 'class="mark' not in line_of(site, "Launch")


def test_a_deadline_of_a_day_says_when_that_day_is_over_everywhere(site: Published) -> None:
    assert "by the end of Thursday, 10 December 2026 in Karachi" in read(site, f"{COURT}bill/")
    listed = "by the end of 10 December 2026 in Karachi"
    for path in (COURT, "/", "/?q=bill", "/embed/court/", f"{COURT}?from=2026-12-01"):
        assert listed in line_of(site, "Bill", path)
    told = read(site, f"{COURT}bill/?zone=America/New_York")
    assert "In New York (UTC-05:00): by Thursday, 10 December 2026, 14:00" in told


def test_csv_has_the_span_of_uncertain_dates_and_who_has_none(site: Published) -> None:
    rows = {
        row["event"]: row
        for row in csv.DictReader(io.StringIO(site.get("/calendars/court.csv").text))
    }
    names = ("earliest", "latest", "precision", "edtf", "on_hold")
    assert [rows["ruling"][name] for name in names] == [
        *("2027-06-01", "2027-06-30", "month", "2027-06", "")
    ]
    assert [rows["launch"][name] for name in names] == ["", "", "", "", "postponed"]
    assert [rows["party"][name] for name in names] == ["", "", "", "", "waiting"]
    assert [rows["trial"][name] for name in names] == [""] * 5


def test_json_tells_corrections_and_uncertain_dates_in_the_history(site: Published) -> None:
    events = json.loads(site.get("/calendars/court.json").text)["events"]
    history = {event["slug"]: event["history"] for event in events}
    assert [move["corrected"] for move in history["vote"]] == [True]
    assert [move["precision"] for move in history["visit"]] == ["month"]
    assert "corrected" not in history["sitting"][0]


def test_atom_names_what_happened_to_a_date(site: Published) -> None:
    feed = ElementTree.fromstring(site.get("/calendars/court/changes.atom").text)
    told = {
        entry.findtext(f"{ATOM}title"): entry.findtext(f"{ATOM}content")
        for entry in feed.findall(f"{ATOM}entry")
    }
    assert told["Launch: postponed"] == "Postponed; it was 18 December 2026"
    assert told["Visit: firmed"] == "Firmed from December 2026 to 14 December 2026"
    assert told["Sitting: moved"] == "Moved from 16 December 2026 to 17 December 2026"
    corrected = "Corrected from 12 December 2026 to 21 December 2026; the earlier date was wrong"
    assert told["Vote: corrected"] == corrected


def test_widgets_get_uncertain_dates_over_their_span_with_what_is_known(site: Published) -> None:
    query = "?start=2026-12-01&end=2027-10-01"
    found = {item["title"]: item for item in site.get(f"{COURT}occurrences.json{query}").get_json()}
    hearing = found["Hearing"]
    assert (hearing["start"], hearing["end"]) == ("2026-12-09", "2026-12-12")
    assert (hearing["allDay"], hearing["classNames"]) == (True, ["open"])
    ruling = found["June 2027, day open: Ruling"]
    assert (ruling["start"], ruling["end"]) == ("2027-06-01", "2027-07-01")
    assert found["Postponed: Launch"]["classNames"] == ["postponed"]
    assert found["✓ Forms"]["classNames"] == ["done", "deadline"]


@pytest.mark.parametrize("lang", ["ur", "ps", "fa-AF"])
@pytest.mark.parametrize("event", ["ruling", "papers", "launch", "forms"])
def test_all_that_is_said_of_a_date_is_in_the_readers_language(
    site: Published, lang: str, event: str
) -> None:
    page = site.get(f"{COURT}{event}/?lang={lang}").text
    shown = page.partition("</h1>")[2].partition('<div class="side">')[0]
    shown = re.sub(r"<(option|select).*?</\1>", "", shown, flags=re.DOTALL)
    shown = re.sub(r'<p class="translation".*?</p>', "", shown)
    words = re.findall("[A-Za-z]{2,}", re.sub("<[^>]*>", "", shown))
    assert set(words) <= {"UTC", "holidays", "Forms"}
