"""Pages in the reader's language, and in its direction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from calfeed.web.catalogs import TRANSLATIONS
from calfeed.web.pages.reader.languages import (
    LANGUAGES,
    choose_accepted,
    choose_reader,
    text_direction,
)
from tests.web.published import Published, make_site

DESK = """
name: {en: Desk, ur: ڈیسک}
time_zone: Asia/Karachi
reminders: [{before: 1 week, at: "10:30"}]
events:
  audit:
    summary: {en: Audit, ur: آڈٹ}
    description: Only in English.
    start: 2026-12-01
"""
CATALOGS = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    yield site
    site.database.close()


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("*", "en"),
        ("de-DE,de;q=0.9,ur;q=0.8", "ur"),
        ("en;q=0.1, ps-AF;q=0.9", "ps"),
        ("fa-IR", "fa-AF"),
        ("prs", "fa-AF"),
        ("ur;q=0", "en"),
        (";;;,=", "en"),
        ("ur," * 1_000, "en"),
    ],
)
def test_a_reader_gets_the_first_language_they_read_that_pages_are_in(
    accepted: str, tag: str
) -> None:
    assert choose_accepted(accepted).tag == tag


@pytest.mark.parametrize("wanted", ["xx-!!", "<script>", "a" * 100])
def test_what_is_no_language_is_as_if_it_were_not_there(wanted: str) -> None:
    assert choose_reader(wanted, "ur") == choose_reader("", "ur")


def test_a_language_that_only_events_are_in_is_that_of_the_events() -> None:
    reader = choose_reader("de", "ps")
    assert (reader.language.tag, reader.tag, reader.explicit) == ("ps", "de", True)
    assert reader.localize({"de": "Anhörung", "en": "Hearing"}, "en").text == "Anhörung"


def test_the_script_decides_on_the_direction_where_it_is_named() -> None:
    assert text_direction("ur-PK") == "rtl"
    assert text_direction("ur-Latn") == "ltr"
    assert text_direction("az-Arab") == "rtl"
    assert text_direction("en") == "ltr"


def test_accept_language_is_the_default_and_the_address_goes_before_it(site: Published) -> None:
    def language(path: str, accepted: str) -> str:
        return site.get(path, Accept_Language=accepted).text.partition("<head>")[0]

    assert 'lang="ur" dir="rtl"' in language("/", "ur-PK,en;q=0.5")
    assert 'lang="fa-AF" dir="rtl"' in language("/?lang=fa-AF", "ur")
    assert 'lang="en" dir="ltr"' in language("/?lang=en", "ur")
    assert "Accept-Language" in site.get("/").headers["Vary"]


def test_a_language_that_was_asked_for_is_kept_in_every_link_to_a_page(site: Published) -> None:
    for path in ("/", "/calendars/desk/", "/calendars/desk/audit/", "/subscribe/desk/"):
        page = site.get(f"{path}?lang=ur").text
        links = set(re.findall(r'href="(/[^"]*/|/\?[^"]*|/[^"]*/\?[^"]*)"', page))
        assert links
        assert all("lang=" in link for link in links), path


def test_each_page_leads_to_itself_in_each_language(site: Published) -> None:
    page = site.get("/calendars/desk/?view=year&year=2027&lang=ur").text
    for language in LANGUAGES:
        assert f'href="/calendars/desk/?lang={language.tag}&amp;view=year&amp;year=2027"' in page


def test_texts_are_in_the_readers_language_and_say_so_where_they_are_not(site: Published) -> None:
    page = site.get("/calendars/desk/audit/?lang=ur").text
    assert '<h1><bdi lang="ur" dir="rtl">آڈٹ</bdi></h1>' in page
    assert '<p class="prose text" lang="en" dir="ltr">Only in English.</p>' in page
    page = site.get("/calendars/desk/audit/?lang=ps").text
    assert '<h1><bdi lang="en" dir="ltr">Audit</bdi></h1>' in page


@pytest.mark.parametrize(
    ("tag", "when", "distance", "reminder"),
    [
        ("en", "Tuesday, 1 December 2026", "in 8 days", "1 week before, at 10:30"),
        ("ur", "منگل، 1 دسمبر 2026", "8 دنوں میں", "1 ہفتہ پہلے"),
        ("ps", "۱ دسمبر ۲۰۲۶", "په ۸ ورځو کې", "۱۰:۳۰"),
        ("fa-AF", "سه‌شنبه، ۱ دسمبر ۲۰۲۶", "۸ روز دیگر", "ساعت ۱۰:۳۰"),
    ],
)
def test_dates_are_written_as_the_language_writes_them(
    site: Published, tag: str, when: str, distance: str, reminder: str
) -> None:
    page = site.get(f"/calendars/desk/audit/?lang={tag}").text
    for part in (when, distance, reminder):
        assert part in page


def test_no_languages_weekdays_depend_on_who_asked_before(site: Published) -> None:
    tags = [language.tag for language in LANGUAGES]
    for tag in (*tags, *reversed(tags)):
        page = site.get(f"/calendars/desk/?view=month&lang={tag}").text
        heads = re.findall(r'<th scope="col" abbr="([^"]+)">([^<]+)</th>', page)
        saturday = {
            "en": ("Saturday", "Sat"),
            "ur": ("ہفتہ", "ہفتہ"),
            "ps": ("اونۍ", "شنبه"),  # so CLDR has it: two words for one day
            "fa-AF": ("شنبه", "شنبه"),
        }
        assert saturday[tag] in heads
        assert len(heads) == 7


@pytest.mark.parametrize("lang", ["ur", "ps", "fa-AF"])
def test_what_a_machine_translated_is_said_to_be(site: Published, lang: str) -> None:
    assert 'class="review"' in site.get(f"/?lang={lang}").text
    assert 'class="review"' not in site.get("/").text


def test_errors_are_told_in_the_readers_language(site: Published) -> None:
    answer = site.get("/calendars/nothing/?lang=ur", Accept="text/html")
    assert answer.status_code == 404
    assert "یہاں کچھ نہیں ہے" in answer.text
    assert 'href="/?lang=ps"' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "english"),
    [("GET", "/none", "No page has this"), ("POST", "/", "to be read"), ("GET", "/none/x", "No")],
)
@pytest.mark.parametrize("lang", ["ur", "ps", "fa-AF"])
def test_an_error_that_says_nothing_of_itself_is_told_in_the_readers_language(
    site: Published, method: str, path: str, english: str, lang: str
) -> None:
    def told(tag: str) -> str:
        accept = {"Accept": "text/html"}
        page = site.client.open(f"{path}?lang={tag}", method=method, headers=accept).text
        return page.partition('<p class="lead">')[2].partition("</p>")[0]

    assert english in told("en")
    assert not re.search("[A-Za-z]", told(lang).removeprefix("<bdi>").removesuffix("</bdi>"))


def test_the_catalogs_have_every_word_and_are_compiled() -> None:
    """What is marked as fuzzy awaits a native reader, and is shown all the same."""
    assert len(CATALOGS) == len(LANGUAGES) - 1
    places = re.compile(r"%\(\w+\)s")
    known: list[set[str]] = []
    for path in CATALOGS:
        with path.open("rb") as file:
            written = [message for message in read_po(file) if message.id]
        with path.with_suffix(".mo").open("rb") as file:
            compiled = {str(message.id): str(message.string) for message in read_mo(file)}
        for message in written:
            assert message.fuzzy
            assert message.string
            wanted, had = str(message.id), str(message.string)
            assert set(places.findall(wanted)) == set(places.findall(had)), message.id
        texts = {str(list(one.id) if one.pluralizable else one.id): one for one in written}
        assert texts.keys() == compiled.keys() - {""}, "run pybabel compile -f"
        known.append({one.id[0] if one.pluralizable else str(one.id) for one in written})
    assert known[0] == known[1] == known[2]
    sources = "\n".join(
        path.read_text("utf-8")
        for path in TRANSLATIONS.parent.rglob("*")
        if path.suffix in (".py", ".html")
    )
    used = re.findall(r'\b(?:_|n?gettext)\(\s*(?:"([^"]+)"|\'([^\']+)\')', sources)
    assert {one or other for one, other in used} <= known[0]
