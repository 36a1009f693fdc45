"""A reader's own choice of calendars, categories and events, as one feed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from random import Random
from urllib.parse import quote, urlencode

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.web.feeds.choice import (
    MAX_LENGTH,
    MAX_NAMES,
    CalendarChoice,
    Choice,
    EventChoice,
    make_choice,
    parse_choice,
    write_query,
)
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS
from calfeed.web.published.responses import ResponseCache
from tests.web.published import BASE, Published, make_site

COURT = """
name: {en: Court, ur: عدالت}
time_zone: Asia/Karachi
reminders: [1 day]
events:
  hearing: {summary: {en: Hearing, ur: سماعت}, start: 2026-12-01 10:00, categories: [address]}
  filing: {summary: Filing, start: 2026-12-05, kind: deadline, categories: [deadline, money]}
  session: {summary: Session, start: 2026-12-09}
"""
DESK = """
name: Desk
time_zone: Asia/Karachi
events:
  visa: {summary: Visa, start: 2026-12-20, categories: [deadline]}
  party: {summary: Party, start: 2026-12-21 18:00, categories: [people]}
"""
UN = """
name: UN
time_zone: America/New_York
events:
  debate: {summary: Debate, start: 2026-12-02 09:00, categories: [address, people]}
"""
BOARD = """
name: Boardroom
time_zone: UTC
visibility: private
events:
  meeting: {summary: Quiet meeting, start: 2027-01-05 10:00, categories: [hush]}
"""
ALL = {"board": BOARD, "court": COURT, "desk": DESK, "un": UN}
EVENTS = {
    ("court", "hearing"): {"address"},
    ("court", "filing"): {"deadline", "money"},
    ("court", "session"): set(),
    ("desk", "visa"): {"deadline"},
    ("desk", "party"): {"people"},
    ("un", "debate"): {"address", "people"},
}
TITLES = {(calendar, slug): slug.capitalize() for calendar, slug in EVENTS}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish(ALL)
    yield site
    site.database.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """A site that no test changes."""
    site = make_site(tmp_path_factory.mktemp("still"))
    site.publish(ALL)
    yield site
    site.database.close()


# The normal form

_slugs = st.sampled_from(["court", "desk", "un", "other-1"])
_labels = st.sampled_from(["address", "deadline", "people", "ملاقات", "a b", "x:y", "1/2"])
_calendars = st.builds(
    CalendarChoice, _slugs, st.frozensets(_labels, max_size=3).map(lambda own: tuple(sorted(own)))
)
_events = st.builds(EventChoice, _slugs, st.sampled_from(["hearing", "visa", "debate"]))
choices = st.builds(
    make_choice,
    st.lists(_calendars, max_size=4),
    st.frozensets(_labels, max_size=3),
    st.lists(_events, max_size=4),
).filter(bool)


def spell(choice: Choice, random: Random) -> str:
    """Another way to write a choice."""
    pairs = []
    for calendar, categories in choice.calendars:
        pairs += [("calendar", calendar)] if not categories else []
        pairs += [("calendar", f"{calendar}:{name}") for name in categories]
        pairs += [("calendar", f" {calendar}:{', '.join(categories)}")] if categories else []
    pairs += [("category", name) for name in choice.categories]
    pairs += [("event", str(event)) for event in (*choice.events, *choice.events)]
    pairs += [("utm_source", "x"), ("alarms", "1d"), ("alarms", "60m,1d"), ("cancelled", "mark")]
    random.shuffle(pairs)
    return urlencode(pairs, safe=random.choice(["", ":/,"]))


@given(choices, st.randoms(use_true_random=False))
def test_every_spelling_of_a_choice_has_one_normal_form(choice: Choice, random: Random) -> None:
    forms = {write_query(*parse_choice(spell(choice, random))) for _ in range(3)}
    assert len(forms) == 1
    (form,) = forms
    assert parse_choice(form)[0] == choice
    assert form.endswith("alarms=1h,1d&cancelled=mark")


def test_a_category_for_all_is_one_of_each_calendar_without_its_own() -> None:
    one, _ = parse_choice("calendar=court,desk&calendar=un:people&category=deadline")
    assert write_query(one, DEFAULT_OPTIONS) == (
        "calendar=court:deadline&calendar=desk:deadline&calendar=un:people"
    )


def test_a_whole_calendar_has_its_parts_in_it() -> None:
    one, _ = parse_choice("calendar=court:deadline&calendar=court&event=court/hearing")
    assert one == Choice(calendars=(CalendarChoice("court"),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("calendar=desk&calendar=court&alarms=1h,1w", "alarms=7d,60m&calendar=court,desk"),
        ("calendar=court&lang=ur&past=all", "past=all&lang=ur-PK&calendar=court&v=2"),
        ("event=un/debate,court/filing", "event=court/filing&event=un/debate&event=un/debate"),
        ("category=deadline", "category=deadline&cancelled=keep&open=all&alarms=1"),
    ],
)
def test_equal_choices_are_one_answer(still: Published, one: str, other: str) -> None:
    first, second = (still.get(f"/choice.ics?{query}") for query in (one, other))
    assert first.status_code == 200
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.data == second.data


def test_the_address_in_the_feed_is_the_normal_form(still: Published) -> None:
    text = still.get("/choice.ics?event=un/debate&calendar=desk&alarms=1d").text
    source = f"{BASE}/choice.ics?calendar=desk&event=un/debate&alarms=1d"
    assert f"SOURCE;VALUE=URI:{source}" in text.replace("\r\n ", "")


def test_another_process_gives_the_same_bytes(still: Published) -> None:
    query = "/choice.ics?calendar=court:deadline&event=desk/party&alarms=1h&cancelled=drop&lang=ur"
    other = Published(still.database)
    other.state.refresh()
    assert other.get(query).data == still.get(query).data
    assert other.get(query).headers["ETag"] == still.get(query).headers["ETag"]


# What is in it


def recompute(calendars: frozenset[str], pairs: frozenset[str], events: frozenset[str]) -> set[str]:
    """The titles of the union, by going through all events."""
    return {
        TITLES[calendar, slug]
        for (calendar, slug), categories in EVENTS.items()
        if calendar in calendars
        or any(f"{calendar}:{name}" in pairs for name in categories)
        or f"{calendar}/{slug}" in events
    }


@given(
    st.frozensets(st.sampled_from(["court", "desk", "un"]), max_size=2),
    st.frozensets(
        st.builds("{}:{}".format, st.sampled_from(["court", "desk", "un"]),
                  st.sampled_from(["address", "deadline", "people", "money"])),
        max_size=3,
    ),
    st.frozensets(st.sampled_from([f"{a}/{b}" for a, b in EVENTS]), max_size=3),
)  # fmt: skip
def test_a_choice_is_the_union_of_what_it_names(
    still: Published, calendars: frozenset[str], pairs: frozenset[str], events: frozenset[str]
) -> None:
    if not (calendars or pairs or events):
        return
    query = urlencode(
        [*(("calendar", name) for name in (*calendars, *pairs)), *(("event", e) for e in events)]
    )
    titles = still.titles(f"/choice.ics?{query}")
    assert len(titles) == len(set(titles)), "each event once"
    assert set(titles) == recompute(calendars, pairs, events)


def test_a_category_narrows_the_calendars_and_never_the_single_events(still: Published) -> None:
    query = "/choice.ics?calendar=court&calendar=desk&event=un/debate&category=deadline"
    assert still.titles(query) == ["Filing", "Visa", "Debate"]
    assert still.titles("/choice.ics?category=deadline&event=un/debate") == [
        "Filing",
        "Visa",
        "Debate",
    ]


def test_options_work_as_in_other_feeds(still: Published) -> None:
    whole = "/choice.ics?calendar=court"
    assert still.titles(f"{whole}&lang=ur")[0:2] == ["Filing", "سماعت"]
    assert "VALARM" not in still.get(f"{whole}&alarms=0").text
    assert "X-WR-CALNAME:عدالت" in still.get(f"{whole}&lang=ur").text
    assert "X-WR-TIMEZONE:Asia/Karachi" in still.get(f"{whole},desk").text
    assert "X-WR-TIMEZONE" not in still.get(f"{whole},un").text


def test_a_feed_of_a_choice_answers_conditional_requests_and_head(still: Published) -> None:
    path = "/choice.ics?calendar=court&event=un/debate"
    tag = still.get(path).headers["ETag"]
    assert still.get(path, If_None_Match=tag).status_code == 304
    assert still.client.head(path).headers["ETag"] == tag
    assert "max-age=60" in still.get(path).headers["Cache-Control"]


# Names that change, go, or never were


def test_a_renamed_calendar_keeps_its_choices(site: Published) -> None:
    path = "/choice.ics?calendar=desk:deadline&event=desk/party&calendar=un"
    before = site.titles(path)
    site.publish({"court": COURT, "office": DESK + "formerly: [desk]\n", "un": UN})
    assert site.titles(path) == before
    renamed = path.replace("desk", "office")
    assert site.get(path).headers["ETag"] == site.get(renamed).headers["ETag"]
    both = "/choice.ics?calendar=desk,office"
    assert site.titles(both) == ["Party", "Visa"], "under two names it is there once"


def test_a_renamed_event_keeps_its_choices(site: Published) -> None:
    uid = next(row.uid for row in site.state.snapshot.rows() if row.slug == "visa")
    site.publish(ALL | {"desk": DESK.replace("  visa: {", f"  permit: {{uid: {uid}, ")})
    path = "/choice.ics?event=desk/visa"
    assert site.titles(path) == ["Visa"]
    assert site.get(path).data == site.get("/choice.ics?event=desk/permit").data


def test_an_event_that_moves_to_another_calendar_keeps_its_choices(site: Published) -> None:
    uid = next(row.uid for row in site.state.snapshot.rows() if row.slug == "party")
    site.publish(ALL | {"desk": DESK.replace("  party", "  other")})
    there = f"  feast: {{uid: {uid}, summary: Party, start: 2026-12-21 18:00}}\n"
    site.publish(ALL | {"desk": DESK.replace("  party", "  other"), "un": UN + there})
    assert site.titles("/choice.ics?event=desk/party") == ["Party"]


def test_a_withdrawn_event_is_cancelled_and_then_gone_and_its_choice_stays_valid(
    site: Published,
) -> None:
    path = "/choice.ics?event=desk/party&event=un/debate"
    without = DESK[: DESK.index("  party")]
    site.publish(ALL | {"desk": without})
    assert site.get(path).text.count("STATUS:CANCELLED") == 1
    assert site.titles(f"{path}&cancelled=drop") == ["Debate"]
    site.now += timedelta(days=91)
    site.publish(ALL | {"desk": without, "un": UN.replace("Debate", "The debate")})
    assert site.titles(path) == ["The debate"]
    assert site.titles("/choice.ics?event=desk/party") == []
    assert site.get("/choice/?event=desk/party").status_code == 200


def test_a_withdrawn_calendar_leaves_its_choices_valid(site: Published) -> None:
    path = "/choice.ics?calendar=desk&calendar=un:people&event=desk/visa"
    site.publish({"court": COURT, "un": UN})
    assert site.titles(path) == ["Debate"]
    assert site.get(path.replace(".ics", "/")).status_code == 200
    gone = site.get("/choice.ics?calendar=desk")
    assert (gone.status_code, gone.text.count("BEGIN:VEVENT")) == (200, 0)
    icalendar.Calendar.from_ical(gone.data)


def test_a_calendar_that_becomes_private_is_gone_as_a_withdrawn_one_is(site: Published) -> None:
    path = "/choice.ics?calendar=desk&event=un/debate&event=desk/visa"
    private = DESK.replace("time_zone", "visibility: private\ntime_zone")
    site.publish(ALL | {"desk": private})
    hidden = site.get(path)
    assert site.titles(path) == ["Debate"]
    site.publish({"board": BOARD, "court": COURT, "un": UN})
    assert site.get(path).data == hidden.data


def test_an_unknown_name_is_a_400_that_says_what_there_is(site: Published) -> None:
    path = "/choice.ics?calendar=cort&calendar=desk:dedline&event=un/debat&event=nothing"
    detail = site.get(path, Accept="application/json").json
    assert detail is not None
    for name in ("cort", "desk:dedline", "un/debat", "nothing/"):
        assert name in detail["detail"]
    assert "the calendars are: court, desk, un" in detail["detail"]
    assert "the categories of desk are: deadline, people" in detail["detail"]
    assert "the events of un are: debate" in detail["detail"]


@pytest.mark.parametrize("page", ["/choice.ics", "/choice/", "/embed/choice/", "/subscribe/"])
@pytest.mark.parametrize(
    ("private", "unknown"),
    [
        ("calendar=board", "calendar=bored"),
        ("event=board/meeting", "event=bored/meetink"),
        ("event=board/meeting&calendar=court", "event=board/meetink&calendar=court"),
        ("calendar=court:hush", "calendar=court:husk"),
        ("category=hush", "category=husk"),
    ],
)
def test_a_private_name_cannot_be_told_from_an_unknown_one(
    site: Published, page: str, private: str, unknown: str
) -> None:
    one, other = (site.get(f"{page}?{query}") for query in (private, unknown))
    assert one.status_code == other.status_code == 400
    words = [(part.split("=")[1], like.split("=")[1]) for part, like in _pairs(private, unknown)]
    text = one.text
    for here, there in words:
        name, stranger = (quote(each, safe=":/") for each in (here, there))
        text = text.replace(name, stranger).replace(quote(here, safe=""), quote(there, safe=""))
    assert text == other.text
    assert "Quiet" not in one.text
    assert "Boardroom" not in one.text


def _pairs(one: str, other: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(one.split("&"), other.split("&"), strict=True) if a != b]


def test_a_private_calendar_that_was_renamed_is_unknown_under_both_names(site: Published) -> None:
    public = {slug: text for slug, text in ALL.items() if slug != "board"}
    site.publish(public | {"council": BOARD + "formerly: [board]\n"})
    for query in ("calendar=board", "calendar=council", "event=board/meeting"):
        assert site.get(f"/choice.ics?{query}").status_code == 400


def test_a_choice_that_is_too_large_or_empty_is_a_400_that_says_so(still: Published) -> None:
    events = ",".join(f"court/x{number}" for number in range(MAX_NAMES + 1))
    for query, words in (
        (f"event={events}", f"at most {MAX_NAMES}"),
        ("&".join(["calendar=court"] * 151), "at most 150 parameters"),
        ("calendar=court&x=" + "y" * MAX_LENGTH, f"at most {MAX_LENGTH:,} characters"),
        ("", "nothing is chosen"),
        ("lang=ur&alarms=0", "nothing is chosen"),
    ):
        response = still.get(f"/choice.ics?{query}")
        assert response.status_code == 400
        assert words in response.text


def test_many_choices_do_not_eat_memory(still: Published) -> None:
    middleware = still.state.middleware
    assert middleware is not None
    snapshot = replace(still.state.snapshot, cache=ResponseCache(40_000))
    middleware.source = snapshot
    try:
        names = [f"{calendar}/{slug}" for calendar, slug in EVENTS]
        for one, other, past in product(names, names, range(3)):
            query = f"event={one}&event={other}&past={past}"
            assert still.get(f"/choice.ics?{query}").status_code == 200
        assert 0 < snapshot.cache.size <= 40_000
    finally:
        middleware.source = still.state.snapshot


def test_before_the_first_publish_there_is_no_choice(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    assert site.get("/choice.ics?calendar=court").status_code == 503
    assert site.get("/choice/?calendar=court").status_code == 503
    assert site.get("/subscribe/?calendar=court").status_code == 200
    site.database.close()


def test_a_calendar_that_was_public_for_a_while_stays_valid_in_a_choice(site: Published) -> None:
    """Also if nothing of it changed but its visibility, both times."""
    other = "name: Desk\ntime_zone: UTC\nevents:\n  call: {summary: Call, start: 2026-12-02}\n"
    hidden = OPEN.replace("name: ", "visibility: private\nname: ", 1)
    site.publish({"bureau": other, "fair": hidden})
    query = "/choice.ics?calendar=bureau&calendar=fair&event=fair/visit"
    assert site.get(query).status_code == 400
    site.publish({"bureau": other, "fair": OPEN})
    assert site.titles(query) == ["Call", "Visit"]
    site.publish({"bureau": other, "fair": hidden})
    assert site.titles(query) == ["Call"]


OPEN = "name: Fair\ntime_zone: UTC\nevents:\n  visit: {summary: Visit, start: 2026-12-03}\n"
