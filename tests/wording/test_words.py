"""The words of each language: complete, with the placeholders and plurals that they need."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from calfeed.errors import InvalidFieldsError
from calfeed.ical.wording.dates_text import format_rule
from calfeed.ical.wording.text import format_day, format_when
from calfeed.ical.wording.words import (
    Words,
    read_words,
    shared_language,
    shipped_languages,
    worded,
    words_in,
)
from calfeed.model.dates.dating import Cause
from calfeed.model.dates.offsets import Offset
from tests.wording.corpus import TITLES, day

LANGUAGES = sorted(shipped_languages())
ENGLISH = words_in("en")
PLURALS = [field.name for field in fields(Words) if field.type == "Plural"]


def load(language: str) -> dict[str, Any]:
    file = files("calfeed.ical.wording").joinpath("languages", f"{language}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def faults_of(entries: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidFieldsError) as caught:
        read_words("xx", entries, ENGLISH)
    return {fault.place: fault.message for fault in caught.value.faults}


def test_the_corpus_has_a_desk_for_each_language() -> None:
    assert set(LANGUAGES) == TITLES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_word_that_english_has(language: str) -> None:
    own, english = load(language), load("en")
    assert own.keys() == english.keys() == {field.name for field in fields(Words)} - {"language"}
    for name, value in english.items():
        if isinstance(value, dict) and name not in PLURALS:
            assert own[name].keys() == value.keys(), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PLURALS)
def test_each_language_has_the_plural_forms_of_its_numbers(language: str, name: str) -> None:
    forms = load(language)[name]
    rule = Locale.parse(language).plural_form
    needed = {rule(count) for count in range(1000)}
    # Some languages say "3 more" as "1 more".
    assert needed <= forms.keys() or len(set(forms.values())) == 1
    for count in range(1000):
        text = words_in(language).plural(getattr(words_in(language), name), count)
        assert str(count) in text or count in (1, 2), text


def test_arabic_says_numbers_as_its_grammar_wants() -> None:
    arabic = words_in("ar")
    days = [arabic.plural(arabic.days, count) for count in (1, 2, 3, 11, 100, 103)]
    assert days == ["يوم واحد", "يومان", "3 أيام", "11 يومًا", "100 يوم", "103 أيام"]


@pytest.mark.parametrize(
    ("language", "one", "first", "month", "year"),
    [
        ("en", "30 June 2030", "1 to 5 June 2030", "28 June to 2 July 2030", "30 December 2030 to"),
        ("fr", "30 juin 2030", "1er au 5 juin 2030", "28 juin au 2 juillet 2030", None),
        ("es", "30 de junio de 2030", "1 al 5 de junio de 2030", None, None),
        ("de", "30. Juni 2030", "1. bis 5. Juni 2030", "28. Juni bis 2. Juli 2030", None),
        ("ar", "30 يونيو 2030", "1 إلى 5 يونيو 2030", "28 يونيو إلى 2 يوليو 2030", None),
        ("ur", "30 جون 2030", "1 جون 2030 – 5 جون 2030", None, None),
        # Without words, dates are still those of the language.
        ("sw", "30 Juni 2030", "1 Juni 2030 – 5 Juni 2030", None, None),
    ],
)
def test_days_are_written_as_the_language_writes_them(
    language: str, one: str, first: str, month: str | None, year: str | None
) -> None:
    assert format_day(day("2030-06-30"), language) == one
    assert format_when(day("2030-06-01"), day("2030-06-06"), language) == first
    if month:
        assert format_when(day("2030-06-28"), day("2030-07-03"), language) == month
    if year:
        assert format_when(day("2030-12-30"), day("2031-01-03"), language).startswith(year)


def test_times_where_the_clocks_go_back_have_the_zones_that_tell_them_apart() -> None:
    first = datetime(2027, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert format_when(first, second) == "31 October 2027, 02:30 CEST to 02:30 CET"
    assert format_when(second, second) == "31 October 2027, 02:30 CET"
    assert format_when(first, first.replace(hour=3)) == "31 October 2027, 02:30 to 03:30 CET"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "3 working days before Ruling"),
        ("fr", "3 jours ouvrés avant «\u00a0Ruling\u00a0»"),
        ("es", "3 días hábiles antes de «Ruling»"),
        ("de", "3 Arbeitstage vor „Ruling“"),
        ("ar", "3 أيام عمل قبل «Ruling»"),
        ("ar-EG", "3 أيام عمل قبل «Ruling»"),
    ],
)
def test_working_days_are_counted_in_each_language(language: str, text: str) -> None:
    cause = Cause(calendar="desk", slug="ruling", uid="x", summary={"en": "Ruling"})
    assert format_rule(Offset(direction=-1, working=3), cause, language) == text


def test_a_catalog_of_a_site_has_english_for_what_it_lacks() -> None:
    entries = {
        "today": "leo",
        "days": {"one": "siku {count}", "other": "siku {count}"},
        "titles": {"event.moved": "Imehamishwa"},
    }
    swahili = read_words("sw", entries, ENGLISH)
    assert (swahili.today, swahili.tomorrow) == ("leo", "tomorrow")
    assert swahili.plural(swahili.days, 3) == "siku 3"
    assert swahili.titles["event.moved"] == "Imehamishwa"
    assert swahili.titles["event.added"] == "New"
    assert swahili.halves == ENGLISH.halves


def test_every_mistake_of_a_catalog_is_told_at_once() -> None:
    faults = faults_of(
        {
            "todya": "leo",
            "tomorrow": 7,
            "moved_from": "kutoka {before} hadi",
            "late": "{reminder.__class__} {span}",
            "time_open": "{day!r}",
            "where": "wapi {",
            "halves": ["nusu {year}"],
            "days": {"one": "siku"},
            "hours": {"uno": "saa", "other": "saa {number}"},
            "titles": {"event.gone": "x", "event.moved": "{x}"},
        }
    )
    assert faults.keys() == {
        *("todya", "tomorrow", "moved_from", "late", "time_open", "where", "halves", "days"),
        *("hours/uno", "hours/other", "titles/event.gone", "titles/event.moved"),
    }
    assert faults["moved_from"].endswith("write {after} and {before}")
    assert "at least `other`" in faults["days"]


def test_a_language_without_a_fallback_needs_every_word() -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        read_words("xx", {"today": "leo"}, None)
    assert len(caught.value.faults) == len(fields(Words)) - 2


def test_a_language_without_words_is_worded_in_english() -> None:
    assert [worded(tag) for tag in ("fr", "fa-AF", "sw", "")] == ["fr", "fa-AF", "en", "en"]
    assert words_in("sw").today == "today"


def test_a_text_about_several_calendars_is_in_the_language_that_they_share() -> None:
    assert shared_language(["fr", "fr"]) == "fr"
    assert shared_language(["fr", "ur"]) == shared_language([]) == "en"


def test_each_word_is_used() -> None:
    code = "\n".join(
        path.read_text("utf-8")
        for path in Path(str(files("calfeed"))).rglob("*.py")
        if path.name != "words.py"
    )
    known = {field.name for field in fields(Words)} - {"language"}
    own = {"first_day", "labelled"}  # used by the module itself, or by its methods
    assert [name for name in sorted(known - own) if f".{name}" not in code] == []
