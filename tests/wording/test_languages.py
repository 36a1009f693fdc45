"""No English word reaches the readers of a desk that works in another language."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import icalendar
import pytest
from babel.dates import get_day_names, get_month_names

from calfeed.ical.wording.change_text import describe_change, format_change
from calfeed.reminders.messages import probe_message, reminder_message, verify_message
from calfeed.reminders.plain_text import format_notification
from calfeed.reminders.plan import plan_reminders
from calfeed.web.feeds.assembly import make_heading
from calfeed.web.published.formats import ATOM
from tests.definitions.counted import write_calendar
from tests.web.published import make_site
from tests.wording.corpus import (
    CREATED,
    GOLDEN,
    PAGE,
    TITLES,
    define_it,
    first_revision,
    list_changes,
    list_feeds,
    list_messages,
    list_reminders,
    make_atom_of,
    make_tasks,
    read_data,
    write_feeds,
    write_messages,
)

OTHERS = sorted(TITLES.keys() - {"en"})
IN_ARABIC_SCRIPT = ("ar", "fa", "ps", "ur")
CHANGES = sorted(list_changes("en"))

_URL = re.compile(r"https?://\S+")
_WORD = re.compile(r"[a-z]{3,}")
_HUMAN = {"text", "summary", "description", "location", "note", "when", "name"}
"""Keys of messages whose texts are for people."""


def texts_in(value: Any, key: str = "") -> Iterator[str]:
    """The texts for people in a message."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_in(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner, key)
    elif isinstance(value, str) and key in _HUMAN:
        yield value


def texts_of_messages(language: str) -> Iterator[str]:
    messages = [
        *list_messages(language),
        probe_message("ep_1", CREATED, "1", language),
        verify_message("ep_1", CREATED, "1", CREATED, language),
    ]
    for message in messages:
        yield message.text
        yield from texts_in(read_data(message))
        notification = format_notification(message.body)
        yield from (notification.title, notification.text)


def texts_of_feeds(language: str) -> Iterator[str]:
    feeds = [b"BEGIN:VCALENDAR\r\n%bEND:VCALENDAR\r\n" % vevent for vevent in list_feeds(language)]
    for feed in [*feeds, make_tasks(language)]:
        for component in icalendar.Calendar.from_ical(feed.decode()).walk():
            for name in ("SUMMARY", "DESCRIPTION", "LOCATION"):
                yield str(component.get(name, ""))
    yield make_heading(None, None, language).name


def texts_of_atom(language: str) -> Iterator[str]:
    root = ElementTree.fromstring(make_atom_of(language))
    for entry in root.iter(f"{{{ATOM}}}entry"):
        yield from (entry.findtext(f"{{{ATOM}}}{name}") or "" for name in ("title", "content"))


def texts_of(language: str) -> list[str]:
    found = [*texts_of_messages(language), *texts_of_feeds(language), *texts_of_atom(language)]
    return [_URL.sub("", text) for text in found]


def own_words(language: str) -> set[str]:
    file = files("calfeed.ical.wording").joinpath("languages", f"{language}.toml")
    words: set[str] = set()

    def add(value: Any) -> None:
        if isinstance(value, str):
            words.update(_WORD.findall(re.sub(r"{\w+}", "", value.lower())))
        else:
            for inner in value.values() if isinstance(value, dict) else value:
                add(inner)

    add(tomllib.loads(file.read_text("utf-8")))
    names = [*get_month_names(locale=language).values(), *get_day_names(locale=language).values()]
    add([*names, *TITLES[language]])
    return words


@pytest.mark.parametrize("language", [tag for tag in OTHERS if tag not in IN_ARABIC_SCRIPT])
def test_no_english_word_is_in_a_text_of_a_latin_language(language: str) -> None:
    english = own_words("en") - own_words(language)
    assert len(english) > 100
    found = {word for text in texts_of(language) for word in _WORD.findall(text.lower())}
    assert found & english == set()


@pytest.mark.parametrize("language", IN_ARABIC_SCRIPT)
def test_the_only_latin_letters_in_arabic_script_are_zone_abbreviations(language: str) -> None:
    latin = {word for text in texts_of(language) for word in re.findall(r"[A-Za-z]+", text)}
    assert latin <= {"PKT", "calfeed"}


def test_the_search_for_english_words_finds_them() -> None:
    assert "moved" in {word for text in texts_of("en") for word in _WORD.findall(text)}


@pytest.mark.parametrize("language", TITLES)
@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_described_in_each_language(language: str, name: str) -> None:
    change = list_changes(language)[name]
    text = format_change(change, language)
    assert text
    assert "{" not in text + describe_change(change, language)
    assert "None" not in text
    if language != "en":
        assert text != format_change(change)


@pytest.mark.parametrize("language", ["en", "ur", "ps", "fa"])
def test_feeds_have_the_bytes_that_they_had_before_other_languages_came(language: str) -> None:
    assert write_feeds(language).encode() == (GOLDEN / f"{language}.ics").read_bytes()


def test_english_messages_have_the_bytes_that_they_had_before_other_languages_came() -> None:
    assert write_messages("en").encode() == (GOLDEN / "en.messages").read_bytes()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "fr",
            "Fin du séjour\u00a0: date déplacée, désormais 14 juin 2030, auparavant 1er juin 2030",
        ),
        (
            "es",
            "Fin de la estancia: cambio de fecha, ahora 14 de junio de 2030, antes 1 de junio de "
            "2030",
        ),
        ("de", "Ende der Frist: verlegt, jetzt 14. Juni 2030, bisher 1. Juni 2030"),
        ("ar", "نهاية الإقامة: تغيّر الموعد، الآن 14 يونيو 2030، وكان 1 يونيو 2030"),
        ("ur", "قیام کا اختتام: تاریخ بدل گئی، اب 14 جون 2030، پہلے 1 جون 2030"),
        ("ps", "د استوګنې پای: نېټه بدله شوه، اوس 14 جون 2030، مخکې 1 جون 2030"),
        ("fa", "پایان اقامت: تاریخ تغییر کرد، اکنون 14 ژوئن 2030، پیشتر 1 ژوئن 2030"),
    ],
)
def test_a_desk_gets_its_messages_in_its_language_without_being_asked(
    language: str, text: str
) -> None:
    (moved,) = [one for one in list_messages(language) if one.text == text]
    data = read_data(moved)
    assert (data["text"], data["language"]) == (text, language)
    # Identifiers are the same in every language.
    assert (data["change"], json.loads(moved.body)["type"]) == ("moved", "event.moved")


def test_a_message_in_english_does_not_name_its_language() -> None:
    assert not any("language" in read_data(message) for message in list_messages("en"))


def test_a_language_without_words_gets_sentences_that_are_wholly_english() -> None:
    event = define_it("en", "start: 2030-06-12")
    swahili = event.model_copy(update={"language": "sw", "summary": {"sw": "Mwisho"}})
    reminder = next(plan_reminders(swahili, CREATED, CREATED + timedelta(days=400)))
    message = reminder_message(reminder, first_revision(swahili), reminder.due, page=PAGE)
    assert message.text == "Mwisho: 12 June 2030, in 7 days"


def test_late_reminders_are_said_to_be_late_in_each_language() -> None:
    for language in OTHERS:
        texts = [message.text for message in list_reminders(language)]
        assert len({text.count("(") for text in texts}) == 2


def test_the_feed_of_all_calendars_is_named_in_the_language_that_they_share(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    french = write_calendar("it: {summary: Audience, start: 2030-06-12}", "language: fr").decode()
    english = write_calendar("it: {summary: Hearing, start: 2030-06-12}").decode()
    site.publish({"cour": french})
    assert "X-WR-CALNAME:Tous les calendriers\r\n" in site.get("/calendars.ics").text
    assert "<title>Changements</title>" in site.get("/changes.atom").text
    assert "<title>Desk\u00a0: changements</title>" in site.get("/calendars/cour/changes.atom").text
    site.publish({"cour": french, "court": english})
    assert "X-WR-CALNAME:All calendars\r\n" in site.get("/calendars.ics").text
    asked = site.get("/calendars.ics?lang=fr").text
    assert "X-WR-CALNAME:Tous les calendriers\r\n" in asked


def test_the_feed_of_all_calendars_has_the_name_of_the_site_if_there_is_one() -> None:
    assert make_heading(None, None, "fr", site_name="La Cour").name == "La Cour"
