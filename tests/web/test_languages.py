"""Pages in the reader's language, and in its direction."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import abort

from calfeed.model.site import SHIPPED_LANGUAGES
from calfeed.model.texts import text_direction
from calfeed.web.app import make_flask
from calfeed.web.catalogs import TRANSLATIONS
from calfeed.web.own_catalogs.files import forms_of, list_messages, originals_of
from calfeed.web.own_catalogs.loading import check_catalog
from calfeed.web.pages.export import list_pages
from calfeed.web.pages.reader.languages import choose_reader
from calfeed.web.pages.reader.offers import make_site_languages
from calfeed.web.published.snapshot import DEFAULT_LANGUAGES
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
    assert DEFAULT_LANGUAGES.choose(accepted).tag == tag


@pytest.mark.parametrize("wanted", ["xx-!!", "<script>", "a" * 100])
def test_what_is_no_language_is_as_if_it_were_not_there(wanted: str) -> None:
    found = choose_reader(wanted, "ur", DEFAULT_LANGUAGES)
    assert found == choose_reader("", "ur", DEFAULT_LANGUAGES)


def test_a_language_that_only_events_are_in_is_that_of_the_events() -> None:
    reader = choose_reader("de", "ps", DEFAULT_LANGUAGES)
    assert (reader.language.tag, reader.tag, reader.explicit) == ("ps", "de", True)
    assert reader.localize({"de": "Anhörung", "en": "Hearing"}, "en").text == "Anhörung"


def test_the_script_decides_on_the_direction_where_it_is_named() -> None:
    assert text_direction("ur-PK") == "rtl"
    assert text_direction("ur-Latn") == "ltr"
    assert text_direction("az-Arab") == "rtl"
    assert text_direction("en") == "ltr"


@pytest.mark.parametrize(
    ("direction", "tags"),
    [
        ("rtl", "ar ary apc arc az-IR bal brh ckb dv fa haz he iw khw ks nqo pa-PK pnb prs ps"),
        ("rtl", "sd skr ug ur uz-AF uz-Arab-AF yi ur-Aran"),
        ("ltr", "az en en-PK fr-CA ku pa pa-IN sd-IN sr-ME sw uz zh-TW"),
    ],
)
def test_without_a_script_a_language_runs_in_the_direction_of_its_usual_script(
    direction: str, tags: str
) -> None:
    assert {tag: text_direction(tag) for tag in tags.split()} == dict.fromkeys(
        tags.split(), direction
    )


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
    for language in DEFAULT_LANGUAGES:
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
    tags = [language.tag for language in DEFAULT_LANGUAGES]
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


def test_a_site_offers_its_languages_in_its_order_and_begins_with_the_first(
    site: Published,
) -> None:
    offered = make_site_languages(["fr", "en", "ar"])
    site.state.snapshot = replace(site.state.snapshot, offered=offered)
    page = site.get("/").text
    assert '<html lang="fr" dir="ltr">' in page
    assert re.findall(r'<a [^>]*hreflang="([^"]+)"', page) == ["fr", "en", "ar"]
    assert '<html lang="ar" dir="rtl">' in site.get("/", Accept_Language="ur, ar;q=0.1").text
    # Urdu is not a language of the pages now, only of texts.
    page = site.get("/calendars/desk/audit/?lang=ur").text
    assert '<html lang="fr" dir="ltr">' in page
    assert '<h1><bdi lang="ur" dir="rtl">آڈٹ</bdi></h1>' in page


def test_a_site_in_one_language_has_no_switch_and_does_not_vary(site: Published) -> None:
    offered = make_site_languages(["de"])
    site.state.snapshot = replace(site.state.snapshot, offered=offered)
    answer = site.get("/calendars/desk/", Accept_Language="ur")
    assert '<html lang="de" dir="ltr">' in answer.text
    assert "hreflang" not in answer.text
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_the_files_of_a_site_have_no_parameter_in_its_default_language(site: Published) -> None:
    snapshot = replace(site.state.snapshot, offered=make_site_languages(["fr", "en"]))
    app = make_flask(site.state, "https://example.org")
    names = {page.file for page in list_pages(app, snapshot, site.now)}
    assert {"index.html", "index.en.html", "calendars/desk/index.en.html"} <= names
    assert "index.fr.html" not in names


@pytest.mark.parametrize("status", [413, 429, 418, 502])
@pytest.mark.parametrize("lang", ["ur", "fr"])
def test_no_error_is_told_in_english_to_others(site: Published, status: int, lang: str) -> None:
    app = make_flask(site.state, "https://example.org")
    site.state.snapshot = replace(
        site.state.snapshot, offered=make_site_languages(SHIPPED_LANGUAGES)
    )
    app.add_url_rule("/fail", view_func=lambda: abort(status))
    page = app.test_client().get(f"/fail?lang={lang}", headers={"Accept": "text/html"}).text
    told = page.partition("<h1>")[2].partition("</h1>")[0]
    assert told
    assert told != HTTPStatus(status).phrase
    assert HTTPStatus(status).phrase not in page


def test_the_catalogs_have_every_word_and_are_compiled() -> None:
    """What is marked as fuzzy awaits a native reader, and is shown all the same."""
    assert len(CATALOGS) == len(SHIPPED_LANGUAGES) - 1
    places = re.compile(r"%\(\w+\)s")
    with (TRANSLATIONS / "messages.pot").open("rb") as file:
        known = {originals_of(message) for message in list_messages(read_po(file))}
    for path in CATALOGS:
        with path.open("rb") as file:
            read = read_po(file)
        written = list(list_messages(read))
        with path.with_suffix(".mo").open("rb") as file:
            compiled = {str(message.id): str(message.string) for message in read_mo(file)}
        for message in written:
            assert message.fuzzy
            assert all(forms_of(message)), message.id
            wanted, had = str(message.id), str(message.string)
            assert set(places.findall(wanted)) == set(places.findall(had)), message.id
        texts = {str(list(one.id) if one.pluralizable else one.id): one for one in written}
        assert texts.keys() == compiled.keys() - {""}, "run pybabel compile -f"
        assert all(compiled[key] == str(_as_compiled(one)) for key, one in texts.items()), path
        assert {originals_of(one) for one in written} == known, path


def _as_compiled(message: Message) -> str | list[str]:
    return list(forms_of(message)) if message.pluralizable else forms_of(message)[0]


def test_the_template_has_the_texts_of_templates_and_code(tmp_path: Path) -> None:
    subprocess.run(  # a program of the tests' own environment
        [sys.executable, "-m", "babel.messages.frontend", *EXTRACT, "-o", tmp_path / "new.pot"],
        cwd=TRANSLATIONS.parents[2],
        check=True,
    )
    with (tmp_path / "new.pot").open("rb") as file:
        fresh = read_po(file)
    with (TRANSLATIONS / "messages.pot").open("rb") as file:
        template = read_po(file)
    assert _texts_and_files(fresh) == _texts_and_files(template), "extract the texts again"


EXTRACT = (
    *("-q", "extract", "--add-location=file", "--sort-output", "--no-wrap"),
    *("-F", "calfeed/web/translations/babel.cfg", "calfeed/web", "calfeed/reminders/mail"),
)


def _texts_and_files(catalog: Catalog) -> dict[tuple[str, ...], list[str]]:
    return {
        originals_of(message): sorted({name for name, _ in message.locations})
        for message in list_messages(catalog)
    }


@pytest.mark.parametrize("tag", [tag for tag in SHIPPED_LANGUAGES if tag != "en"])
def test_no_shipped_catalog_has_a_problem_but_that_nobody_reviewed_it(tag: str) -> None:
    path = TRANSLATIONS / tag.replace("-", "_") / "LC_MESSAGES" / "messages.po"
    problems = check_catalog(path.read_bytes(), tag)
    assert {problem.message for problem in problems} == {
        "is marked as fuzzy, so it is not used; review it, and remove the mark"
    }
