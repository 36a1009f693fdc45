"""Pages begin with recent moves: the old date, the new one, the reason, and the announcement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from calfeed.web.pages import export
from tests.web.dated import FIRST, FIRST_DAY, SECOND
from tests.web.published import BASE, NOW, Published, make_site

DESK = "/calendars/desk/"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    yield site
    site.database.close()


def put(
    site: Published,
    days_ago: float,
    *events: str,
    slug: str = "desk",
    top: str = "",
    zone: str = "Asia/Karachi",
) -> None:
    """Publish a calendar of these events, some days before now, and announce what changed."""
    site.now = NOW - timedelta(days=days_ago)
    lines = "\n".join(f"  {event}" for event in events)
    site.files[slug] = f"name: {slug}\ntime_zone: {zone}\n{top}events:\n{lines}\n"
    site.publish(site.files)
    site.now = NOW


def hearing(start: str, more: str = "") -> str:
    return f"hearing: {{summary: Hearing, start: {start}{more}}}"


def read_moves(page: str) -> list[str]:
    """What a page begins with, each move as it is read, with what is struck in tildes."""
    found = re.search(r'<section class="moves".*?</section>', page, re.DOTALL)
    if found is None:
        return []
    return [plain(one) for one in re.findall(r"<li.*?</li>", found[0], re.DOTALL)]


def plain(text: str) -> str:
    struck = re.sub(r"<svg.*?</svg>", "", re.sub(r"</?del>", "~", text), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", struck)).split())


def moves(site: Published, path: str = DESK) -> list[str]:
    return read_moves(site.get(path).text)


def test_home_and_a_calendar_begin_with_what_moved_why_and_since_when(site: Published) -> None:
    put(site, 20, hearing("2026-12-04"), "talk: {summary: Talk, start: 2026-12-02}")
    assert moves(site) == []
    put(
        site,
        3,
        hearing("2026-12-11", ", note: the court is closed"),
        "talk: {summary: Talk, start: 2026-12-02}",
    )
    said = (
        "Was ~Friday, 4 December 2026~ Now Friday, 11 December 2026 "
        "{}Announced on 20 November 2026 the court is closed"
    )
    assert moves(site) == [f"Hearing moved {said.format('')}"]
    assert moves(site, "/") == [f"Hearing moved {said.format('desk ')}"]
    page = site.get(DESK).text
    assert page.index('class="moves"') < page.index('id="coming"')


def test_two_moves_of_a_date_are_one_and_there_and_back_is_none(site: Published) -> None:
    put(site, 20, hearing("2026-12-04"))
    put(site, 10, hearing("2026-12-08"))
    put(site, 2, hearing("2026-12-11"))
    (said,) = moves(site)
    assert "Was ~Tuesday, 8 December 2026~" in plain(site.get(f"{DESK}hearing/").text)
    assert "Was ~Friday, 4 December 2026~ Then ~Tuesday, 8 December 2026~ Now Friday, 11" in said
    assert "21 November" in said
    put(site, 1, hearing("2026-12-04"))
    assert moves(site) == []


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (("2027", "2027-06", "2027-06-11"), "Was 2027 Then June 2027 Now Friday, 11 June 2027"),
        (
            ("2027", "2027-06-11", "2027-06-14"),
            "Was 2027 Then ~Friday, 11 June 2027~ Now Monday, 14 June 2027",
        ),
        (
            ("2027-05-03", "2027-06", "2027-06-11"),
            "Was ~Monday, 3 May 2027~ Then June 2027 Now Friday, 11 June 2027",
        ),
    ],
)
def test_a_date_is_struck_only_if_the_next_one_is_not_just_more_exact(
    site: Published, dates: tuple[str, ...], said: str
) -> None:
    for days_ago, start in zip((20, 10, 2), dates, strict=True):
        put(site, days_ago, hearing(start))
    assert said in moves(site)[0]


def test_days_there_and_back_in_another_time_zone_are_no_move(site: Published) -> None:
    london = ", time_zone: Europe/London"
    series = "{{summary: Talk, start: 2026-12-04{}, repeat: {{rule: FREQ=WEEKLY, changes: {}}}}}"
    put(site, 9, hearing("2026-12-04"), f"talk: {series.format('', '{}')}")
    talk = f"talk: {series.format('', '{2026-12-11: {start: 2026-12-12}}')}"
    put(site, 6, hearing("2026-12-05"), talk)
    put(site, 2, hearing("2026-12-04", london), f"talk: {series.format(london, '{}')}")
    assert moves(site) == []


def test_an_old_move_and_one_of_a_date_that_is_over_are_no_news(site: Published) -> None:
    put(site, 90, hearing("2026-12-04"), "fair: {summary: Fair, start: 2026-11-10}")
    put(site, 61, hearing("2026-12-11"), "fair: {summary: Fair, start: 2026-11-10}")
    put(site, 30, hearing("2026-12-11"), "fair: {summary: Fair, start: 2026-11-12}")
    assert moves(site) == []


def test_each_way_in_which_a_date_may_change_has_its_word(site: Published) -> None:
    for text, at in ((FIRST, FIRST_DAY), (SECOND, NOW - timedelta(days=3))):
        site.now = at
        site.publish({"court": text})
    site.now = NOW
    found = {said.split()[0]: said for said in moves(site, "/calendars/court/")}
    assert "postponed Was ~Friday, 18 December 2026~ Announced" in found["Launch"]
    assert "waiting" in found["Party"]
    assert "Launch has no date." in found["Party"]
    assert "corrected Wrong ~Saturday, 12 December 2026~ Now Monday, 21" in found["Vote"]
    assert "more exact Was December 2026 Now Monday, 14 December" in found["Visit"]
    assert "moved Was ~Wednesday, 16 December 2026~ Now Thursday, 17" in found["Sitting"]
    assert len(found) == 5


def test_cancelled_withdrawn_and_restored_dates_are_news_while_they_come(site: Published) -> None:
    fair = "fair: {summary: Fair, start: 2026-12-05}"
    put(site, 20, hearing("2026-12-04"), fair, "talk: {summary: Talk, start: 2026-12-01}")
    put(site, 9, hearing("2026-12-04", ", status: cancelled, note: no judge"), fair)
    cancelled, withdrawn = sorted(moves(site))
    assert cancelled == (
        "Hearing cancelled Was ~Friday, 4 December 2026~ Announced on 14 November 2026 no judge"
    )
    assert withdrawn.startswith("Talk cancelled Was ~Tuesday, 1 December")
    site.now = NOW + timedelta(days=40)  # after the dates
    assert moves(site) == []


def test_a_cancellation_taken_back_is_news_if_it_was_long_known(site: Published) -> None:
    cancelled = hearing("2026-12-04", ", status: cancelled")
    put(site, 90, hearing("2026-12-04"))
    put(site, 80, cancelled)
    put(site, 2, hearing("2026-12-04"))
    assert moves(site) == [
        "Hearing takes place after all Now Friday, 4 December 2026 Announced on 21 November 2026"
    ]
    put(site, 1, cancelled)
    put(site, 0, hearing("2026-12-05"))
    assert "takes place after all Now Saturday, 5 December" in moves(site)[0]


def test_what_went_and_came_back_is_news_at_another_date_only(site: Published) -> None:
    talk = "talk: {summary: Talk, start: 2026-12-02}"
    put(site, 20, hearing("2026-12-04"), talk)
    put(site, 9, talk)
    put(site, 5, hearing("2026-12-04"), talk)
    assert moves(site) == []
    put(site, 4, talk)
    put(site, 3, hearing("2026-12-08"), talk)
    (said,) = moves(site)
    assert said.startswith("Hearing moved Was ~Friday, 4 December 2026~ Now Tuesday, 8 December")


def test_an_occurrence_of_a_series_that_moved_or_was_cancelled_is_named(site: Published) -> None:
    weekly = "weekly: {{summary: Weekly, start: 2026-11-02 10:00, repeat: {{rule: FREQ=WEEKLY{}}}}}"
    put(site, 20, weekly.format(""))
    put(site, 9, weekly.format(", changes: {2026-12-07 10:00: {start: 2026-12-08 11:00}}"))
    assert moves(site)[0].startswith(
        "Weekly moved Was ~Monday, 7 December 2026, 10:00~ Now Tuesday, 8 December 2026, 11:00"
    )
    put(site, 2, weekly.format(", except: [2026-11-30 10:00, 2026-12-07 10:00]"))
    (said,) = moves(site)
    assert said.startswith("Weekly cancelled Was ~Monday, 30 November 2026, 10:00~ Other dates")


@pytest.mark.parametrize(
    ("old", "new", "was", "now"),
    [
        # Published on Monday, 23 November, after the meeting of that day.
        (
            "2020-11-20, repeat: {rule: FREQ=YEARLY}",
            "2020-12-05, repeat: {rule: FREQ=YEARLY}",
            *("Friday, 20 November 2026", "Saturday, 5 December 2026"),
        ),
        (
            "2020-01-25, repeat: {rule: FREQ=YEARLY}",
            "2020-12-20, repeat: {rule: FREQ=YEARLY}",
            *("Sunday, 25 January 2026", "Sunday, 20 December 2026"),
        ),
        (
            "2026-11-02 09:00, repeat: {rule: FREQ=WEEKLY;COUNT=30}",
            "2026-11-03 09:00, repeat: {rule: FREQ=WEEKLY;COUNT=30}",
            *("Monday, 23 November 2026, 09:00", "Tuesday, 24 November 2026, 09:00"),
        ),
        (
            "2026-11-03 09:00, repeat: {rule: FREQ=WEEKLY;COUNT=30}",
            "2026-11-02 09:00, repeat: {rule: FREQ=WEEKLY;COUNT=30}",
            *("Tuesday, 1 December 2026, 09:00", "Monday, 30 November 2026, 09:00"),
        ),
        (
            "2026-11-02 09:00, repeat: {rule: FREQ=WEEKLY}",
            "2026-11-06 09:00, repeat: {rule: FREQ=WEEKLY}",
            *("Monday, 23 November 2026, 09:00", "Friday, 27 November 2026, 09:00"),
        ),
        (
            "2026-11-02 09:00, repeat: {rule: FREQ=WEEKLY}, time_zone: Asia/Tokyo",
            "2026-11-02 09:00, repeat: {rule: FREQ=WEEKLY}",
            *("Monday, 30 November 2026, 01:00", "Monday, 30 November 2026, 09:00"),
        ),
        # The series has not begun, or begins anew.
        (
            "2026-12-07, repeat: {rule: FREQ=WEEKLY;COUNT=3}",
            "2027-02-01, repeat: {rule: FREQ=WEEKLY;COUNT=3}",
            *("Monday, 7 December 2026", "Monday, 1 February 2027"),
        ),
        (
            "2020-11-02 09:00, repeat: {rule: FREQ=WEEKLY}",
            "2026-12-08 09:00, repeat: {rule: FREQ=WEEKLY}",
            *("Monday, 30 November 2026, 09:00", "Tuesday, 8 December 2026, 09:00"),
        ),
        (  # So rare that no occurrence is near.
            "2019-02-24, repeat: {rule: FREQ=YEARLY;INTERVAL=4}",
            "2020-03-01, repeat: {rule: FREQ=YEARLY;INTERVAL=4}",
            *("Sunday, 24 February 2019", "Sunday, 1 March 2020"),
        ),
        # It is, or becomes, a single event.
        (
            "2026-11-02 09:00, repeat: {rule: FREQ=WEEKLY}",
            "2026-12-15 09:00",
            *("Monday, 30 November 2026, 09:00", "Tuesday, 15 December 2026, 09:00"),
        ),
        (
            "2026-12-15 09:00",
            "2026-12-02 09:00, repeat: {rule: FREQ=WEEKLY}",
            *("Tuesday, 15 December 2026, 09:00", "Wednesday, 2 December 2026, 09:00"),
        ),
    ],
)
def test_the_old_and_the_new_date_of_a_series_belong_together(
    site: Published, old: str, new: str, was: str, now: str
) -> None:
    for days_ago, start in ((0.1, old), (0, new)):
        put(site, days_ago, hearing(start), zone="Europe/Paris")
    (said,) = moves(site)
    assert said.startswith(f"Hearing moved Was ~{was}~ Now {now} Announced")


def test_a_series_whose_dates_to_come_are_the_same_did_not_move_lately(site: Published) -> None:
    for days_ago, start in ((9, "2026-11-03"), (2, "2026-11-10")):
        put(site, days_ago, hearing(f"{start} 10:00, repeat: {{rule: FREQ=WEEKLY}}"))
    assert moves(site) == []


def test_a_page_begins_with_five_and_many_new_events_hide_none(site: Published) -> None:
    old = [f"e{n}: {{summary: E{n}, start: 2026-12-{n + 1:02}}}" for n in range(1, 9)]
    new = [f"e{n}: {{summary: E{n}, start: 2027-01-{n + 1:02}}}" for n in range(1, 9)]
    many = [f"n{n}: {{summary: N{n}, start: 2027-03-01}}" for n in range(80)]
    put(site, 20, *old)
    put(site, 5, *new)
    put(site, 1, *new, *many)
    assert len(moves(site)) == 5
    assert site.get("/changes.atom").text.count("<entry>") == 50


def test_a_filter_a_search_and_later_pages(site: Published) -> None:
    """A filter shows the moves of its categories; a search and the further pages show none."""
    fair = "fair: {{summary: Fair, categories: [fairs], start: {}}}"
    top = "description: Dates\n"
    put(site, 20, hearing("2026-12-04", ", categories: [law]"), fair.format("2026-12-04"), top=top)
    put(site, 2, hearing("2026-12-05", ", categories: [law]"), fair.format("2026-12-05"), top=top)
    assert len(moves(site)) == 2
    assert [said.split()[0] for said in moves(site, f"{DESK}?category=law")] == ["Hearing"]
    for path in ("/?q=hearing", "/?from=2026-12-01", f"{DESK}?until=2026-12-30"):
        assert moves(site, path) == []
    # Their lines have the old date all the same.
    assert "Was ~Friday, 4 December 2026~" in plain(site.get("/?q=hearing").text)
    assert "Was ~Friday, 4 December 2026~" in plain(site.get("/embed/desk/").text)


def test_nothing_is_said_of_a_change_in_its_grace_time(site: Published) -> None:
    put(site, 20, hearing("2026-12-04"))
    put(site, 5, hearing("2026-12-05"))
    text = site.files["desk"].replace("2026-12-05", "2026-12-06")
    site.publish({"desk": text}, grace=timedelta(minutes=2))
    assert moves(site) == []
    page = site.get(f"{DESK}hearing/").text
    assert '<p class="former' not in page


def test_nothing_private_is_said(site: Published) -> None:
    """Neither a private calendar's moves, nor those of one that is private now."""
    private = "visibility: private\n"
    put(site, 20, hearing("2026-12-04"), slug="vault", top=private)
    put(site, 20, hearing("2026-12-04"))
    put(site, 2, hearing("2026-12-05"), slug="vault", top=private)
    assert moves(site, "/") == []
    put(site, 1, hearing("2026-12-08"))
    assert len(moves(site, "/")) == 1
    put(site, 1, hearing("2026-12-08"), top=private)
    assert moves(site, "/") == []


def test_the_cause_of_a_move_is_named(site: Published) -> None:
    appeal = "appeal: {summary: Appeal, start: 7 days after hearing}"
    put(site, 20, hearing("2026-12-04"), appeal)
    put(site, 2, hearing("2026-12-05"), appeal)
    cause = "Hearing is now 5 December 2026; it was 4 December 2026."
    said = next(one for one in moves(site) if one.startswith("Appeal"))
    assert said.endswith(cause)
    # And beside the old date on the event's own page.
    page = site.get(f"{DESK}appeal/").text
    assert f'<p class="former">{cause}</p>' in page
    assert cause not in site.get(f"{DESK}hearing/").text


def test_the_cause_is_that_of_the_last_move_if_there_were_several_on_a_day(site: Published) -> None:
    appeal = "appeal: {summary: Appeal, start: 10 days after hearing}"
    put(site, 0.4, hearing("2026-12-05"), appeal)
    days_ago = (0.3, 0.2, 0.1, 0)
    for ago, before, day in zip(days_ago, (5, 6, 5, 6), (6, 5, 6, 8), strict=True):
        put(site, ago, hearing(f"2026-12-0{day}"), appeal)
        page = site.get(f"{DESK}appeal/").text
        assert f"{before + 10} December 2026~ Announced on 23 November" in plain(page)
        assert f"Hearing is now {day} December 2026; it was {before} December 2026." in page


def test_an_events_page_has_the_old_date_beside_the_new(site: Published) -> None:
    put(site, 20, hearing("2026-12-04"))
    assert '<p class="former' not in site.get(f"{DESK}hearing/").text
    put(site, 2, hearing("2026-12-11", ", note: the court is closed"))
    block = re.search(r'<section class="when".*?</section>', site.get(f"{DESK}hearing/").text, re.S)
    assert block is not None
    said = plain(block[0])
    assert said.startswith(
        "Friday, 11 December 2026 Was ~Friday, 4 December 2026~ "
        "Announced on 21 November 2026: the court is closed"
    )
    put(site, 1, hearing("2026-12-11", ", status: cancelled"))
    block = re.search(r'<section class="when".*?</section>', site.get(f"{DESK}hearing/").text, re.S)
    assert block is not None
    assert plain(block[0]).startswith("~ Friday, 11 December 2026 ~")


def test_a_list_has_the_former_time_of_a_postponed_event_in_its_own_zone(site: Published) -> None:
    held = "held: {summary: Held, start: postponed from 2027-02-01 02:30}"
    put(site, 2, held)
    (line,) = re.findall(r'<li class="entry.*?</li>', site.get("/?zone=UTC").text, re.S)
    assert "Sun 31 ~ Held desk it was Sunday, 31 January 2027, 21:30" in plain(line)


def test_an_events_page_has_all_its_dates_on_the_clock_that_it_names(site: Published) -> None:
    for days_ago, zone in ((20, "Europe/Paris"), (2, "Asia/Tokyo")):
        put(site, days_ago, hearing(f"2027-03-01 09:00, time_zone: {zone}"))
    page = site.get(f"{DESK}hearing/").text
    now, was = "Monday, 1 March 2027, 09:00", "Monday, 1 March 2027, 17:00"
    assert f"{now} Was ~{was}~ Announced" in plain(page)
    assert "On the clock of Tokyo" in page
    (told,) = re.findall(r'<meta name="description" content="([^"]*)">', page)
    assert f"{now} · Was {was}" in told
    history = plain(page[page.index('aria-labelledby="history"') :])
    assert history.index(now) < history.index(was)


def test_an_exported_site_says_the_same_whenever_it_is_made(site: Published) -> None:
    put(site, 20, hearing("2026-12-04"))
    put(site, 2, hearing("2026-12-11"))
    for later in (0, 30):
        files = dict(export.make_site(site.database, BASE, NOW + timedelta(days=later)))
        for name in ("index.html", "calendars/desk/index.html", "calendars/desk/index.ur.html"):
            assert len(read_moves(files[name].decode())) == 1, name


@pytest.mark.parametrize("lang", ["ur", "ps", "fa-AF"])
def test_what_moved_is_said_in_the_readers_language(site: Published, lang: str) -> None:
    put(site, 20, hearing("2026-12-04"))
    put(site, 2, hearing("2026-12-11"))
    (said,) = moves(site, f"{DESK}?lang={lang}")
    assert re.findall("[A-Za-z]+", said) == ["Hearing"]
    page = site.get(f"{DESK}hearing/?lang={lang}").text
    block = re.search(r'<section class="when".*?</section>', page, re.S)
    assert block is not None
    former = re.search(r'<p class="former.*(?=<p class="zone)', block[0], re.S)
    assert former is not None
    assert re.findall("[A-Za-z]+", plain(former[0])) == []


def test_a_date_across_an_estimated_holiday_is_marked_provisional(site: Published) -> None:
    court = (
        "trial: {summary: Trial, start: 2027-03-08}",
        "feast: {summary: Feast, start: 5 working days after trial}",
    )
    put(site, 2, *court, top="working_days: {holidays: [PK], weekend: [saturday, sunday]}\n")
    marked = re.findall(r'<li class="entry[^"]*is-provisional.*?</li>', site.get(DESK).text, re.S)
    assert [">Feast<" in line for line in marked] == [True]
