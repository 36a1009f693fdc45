"""The options in a feed's address."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.errors import InvalidInputError
from calfeed.web.feeds.feed_options import FeedOptions, parse_feed_options
from calfeed.web.published.responses import ResponseCache, StoredResponse, build_response
from tests.acceptance.site import split_feed
from tests.web.published import Published, make_site

DESK = """
name: {en: Desk, ur: ڈیسک}
time_zone: Asia/Karachi
reminders: [1 day]
events:
  audit: {summary: {en: Audit, ur: آڈٹ}, start: 2024-03-01, categories: [money]}
  fair: {summary: Fair, start: 2026-12-01 10:00, categories: [people, money]}
  visit: {summary: Visit, start: 2027-01-01 10:00, status: cancelled, categories: [people]}
"""
FEED = "/calendars/desk.ics"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    yield site
    site.database.close()


def test_a_category_leaves_the_others_out(site: Published) -> None:
    assert site.titles(f"{FEED}?category=people") == ["Fair", "Visit"]


def test_several_categories_are_all_of_their_events(site: Published) -> None:
    assert site.titles(f"{FEED}?category=people,money") == ["Audit", "Fair", "Visit"]


def test_an_unknown_category_is_told_which_there_are(site: Published) -> None:
    response = site.get(f"{FEED}?category=peopl")
    assert response.status_code == 400
    assert "money, people" in response.text


def test_a_language_is_used_where_it_is_written_and_keeps_the_uids(site: Published) -> None:
    assert site.titles(f"{FEED}?lang=ur") == ["آڈٹ", "Fair", "Visit"]
    plain, urdu = site.get(FEED).text, site.get(f"{FEED}?lang=ur").text
    assert [line for line in plain.split("\r\n") if line.startswith("UID")] == [
        line for line in urdu.split("\r\n") if line.startswith("UID")
    ]
    assert "X-WR-CALNAME:ڈیسک" in urdu


def test_a_region_falls_back_to_its_language(site: Published) -> None:
    assert site.titles(f"{FEED}?lang=ur-PK")[0] == "آڈٹ"


def test_alarms_can_be_left_out(site: Published) -> None:
    assert "BEGIN:VALARM" in site.get(FEED).text
    chosen = site.get(f"{FEED}?alarms=0").text
    assert "VALARM" not in chosen
    assert chosen.count("BEGIN:VEVENT") == chosen.count("END:VEVENT") == 3


def test_a_cancelled_event_can_be_marked_in_its_title(site: Published) -> None:
    assert "STATUS:CANCELLED" in site.get(FEED).text
    marked = site.get(f"{FEED}?cancelled=mark").text
    assert "STATUS:CANCELLED" not in marked
    assert site.titles(f"{FEED}?cancelled=mark")[-1] == "Cancelled: Visit"


@pytest.mark.parametrize("ends", ["cancelled", "withdrawn"])
def test_an_event_without_a_date_is_marked_once_it_is_cancelled(site: Published, ends: str) -> None:
    """Until then it is cancelled only in STATUS, and its title says why it has no date."""
    held = """  talk: {summary: Talk, start: %s}
  party: {summary: Party, start: 2 days after talk%s}
"""
    marked = f"{FEED}?cancelled=mark"
    waiting = {"Postponed: Talk", "Waiting for Talk: Party"}
    site.publish({"desk": DESK + held % ("2027-02-13", "")})
    site.publish({"desk": DESK + held % ("postponed", "")})
    assert waiting <= set(site.titles(marked))
    assert site.get(marked).text.count("STATUS:CANCELLED") == 2
    cancelled = held % ("postponed, status: cancelled", ", status: cancelled")
    site.publish({"desk": DESK + (cancelled if ends == "cancelled" else "")})
    assert {"Cancelled: Talk", "Cancelled: Party"} <= set(site.titles(marked))
    assert "STATUS:CANCELLED" not in site.get(marked).text
    assert waiting <= set(site.titles(FEED))
    assert site.get(FEED).text.count("STATUS:CANCELLED") == 3


def test_the_past_can_be_left_out_by_years(site: Published) -> None:
    assert site.titles(f"{FEED}?past=0") == ["Fair", "Visit"]
    assert site.titles(f"{FEED}?past=2") == ["Audit", "Fair", "Visit"]
    assert site.titles(f"{FEED}?past=all") == ["Audit", "Fair", "Visit"]


def test_a_new_year_moves_the_past_without_a_publish(site: Published) -> None:
    assert "Fair" in site.titles(f"{FEED}?past=0")
    site.now = datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)
    site.state.refresh()
    assert site.titles(f"{FEED}?past=0") == ["Visit"]


def test_equal_choices_are_one_answer(site: Published) -> None:
    one = site.get(f"{FEED}?lang=ur&category=people,money&alarms=0&utm_source=x")
    other = site.get(f"{FEED}?alarms=0&category=money&category=people&lang=ur")
    assert one.headers["ETag"] == other.headers["ETag"]
    assert one.data == other.data


def test_unknown_parameters_are_the_feed_itself(site: Published) -> None:
    assert site.get(f"{FEED}?v=2").headers["ETag"] == site.get(FEED).headers["ETag"]


@pytest.mark.parametrize(
    "query",
    ["alarms=2", "cancelled=yes", "past=-1", "lang=!", "past=x", "category=" + "&category=" * 50],
)
def test_a_value_that_is_not_possible_is_a_400_that_says_what_is(
    site: Published, query: str
) -> None:
    response = site.get(f"{FEED}?{query}", Accept="application/json")
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert query.split("=")[0] in response.json["detail"]


def test_a_chosen_feed_answers_conditional_requests_and_head(site: Published) -> None:
    tag = site.get(f"{FEED}?lang=ur").headers["ETag"]
    assert site.get(f"{FEED}?lang=ur", If_None_Match=tag).status_code == 304
    assert site.client.head(f"{FEED}?lang=ur").headers["ETag"] == tag


def test_many_choices_do_not_eat_memory(site: Published) -> None:
    """What is let go is gone: nothing else in the process holds it."""
    middleware = site.state.middleware
    assert middleware is not None
    snapshot = replace(site.state.snapshot, cache=ResponseCache(40_000))
    middleware.source = snapshot

    def alive() -> int:
        gc.collect()
        return sum(type(one) is StoredResponse for one in gc.get_objects())

    before = alive()
    for year in range(100):
        assert site.get(f"{FEED}?past={year}").status_code == 200
    assert 0 < snapshot.cache.size <= 40_000
    assert alive() - before < 20
    assert snapshot.cache.get((FEED, FeedOptions(past=99))) is not None, "the last one stays"


def test_of_what_is_kept_the_answer_used_last_stays() -> None:
    answers = [build_response(bytes([number]) * 100, "text/plain", None) for number in range(3)]
    cache: ResponseCache[int] = ResponseCache(10_000)
    cache.put(0, answers[0])
    cache.put(1, answers[1])
    assert cache.get(0) is answers[0]
    cache.put(2, answers[2])
    assert (cache.get(0), cache.get(1), cache.get(2)) == (answers[0], None, answers[2])


choices = st.builds(
    FeedOptions,
    categories=st.frozensets(
        st.text("abcäش ", min_size=1).map(str.strip).filter(bool), max_size=20
    ).map(lambda found: tuple(sorted(found))),
    language=st.sampled_from(["", "en", "ur", "fa-AF"]),
    alarms=st.booleans(),
    marked=st.booleans(),
    past=st.one_of(st.none(), st.integers(0, 201)),
)


def test_texts_that_name_an_alarm_stay_where_alarms_are_left_out(site: Published) -> None:
    """A folded line of text can end as the first line of an alarm does."""
    # Long enough that some line ends with the one, and a later one with the other.
    words = "BEGIN:VALARM " * 80 + "END:VALARM " * 80
    event = f"{{summary: It, start: 2027-01-01, description: '{words}'}}"
    site.publish({"desk": f"name: Desk\ntime_zone: UTC\nevents: {{it: {event}}}"})
    _, whole, _ = split_feed(site.get(FEED).data)
    _, chosen, _ = split_feed(site.get(f"{FEED}?alarms=0").data)
    assert chosen == whole


@pytest.mark.parametrize("tag", ["en-x-{}", "ur-x-{}", "qaa-{}"])
def test_a_language_that_nothing_is_in_makes_no_new_feed(site: Published, tag: str) -> None:
    feeds = {site.get(f"{FEED}?lang={tag.format(number)}").data for number in range(20)}
    assert len(feeds) == 1
    assert site.state.snapshot.cache.size < 10_000, "one, or none that the feed is not itself"


@given(choices)
def test_a_choice_written_and_read_again_is_the_same(options: FeedOptions) -> None:
    assert parse_feed_options(options.query()) == options


@given(st.text())
def test_any_query_is_a_choice_or_an_error_for_people(query: str) -> None:
    with suppress(InvalidInputError):
        parse_feed_options(query)
