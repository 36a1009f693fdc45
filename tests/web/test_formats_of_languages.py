"""Dates, numbers and durations in any language that CLDR knows."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from flask import Flask

from calfeed.model.dates.durations import Duration
from calfeed.web.pages.lists.months import make_month_grid
from calfeed.web.pages.reader.dates import (
    describe_span,
    join_phrases,
    write_clock,
    write_day,
    write_month,
    write_number,
    write_short_day,
    write_when,
    write_year,
)
from calfeed.web.pages.reader.languages import choose_reader
from calfeed.web.pages.reader.locales import Language
from calfeed.web.pages.reader.offers import Offer, make_site_languages
from calfeed.web.pages.reader.wording import install
from calfeed.web.published.timeline import Timeline

DAY = date(2027, 6, 7)
MOMENT = datetime(2027, 6, 7, 9, 5, tzinfo=ZoneInfo("Asia/Karachi"))


def language(tag: str) -> Language:
    return make_site_languages([tag]).default


@pytest.mark.parametrize(
    ("tag", "name", "day", "short", "month", "clock"),
    [
        ("en", "English", "Monday, 7 June 2027", "7 June 2027", "June 2027", "09:05"),
        ("fr", "Français", "lundi 7 juin 2027", "7 juin 2027", "Juin 2027", "09:05"),
        (
            *("es", "Español", "lunes, 7 de junio de 2027"),
            *("7 de junio de 2027", "Junio de 2027", "9:05"),
        ),
        ("de", "Deutsch", "Montag, 7. Juni 2027", "7. Juni 2027", "Juni 2027", "09:05"),
        ("ar", "العربية", "الاثنين، 7 يونيو 2027", "7 يونيو 2027", "يونيو 2027", "09:05"),
        ("ar-EG", "العربية (مصر)", "الاثنين، ٧ يونيو ٢٠٢٧", "٧ يونيو ٢٠٢٧", "يونيو ٢٠٢٧", "٠٩:٠٥"),
        ("ur", "اردو", "پیر، 7 جون 2027", "7 جون 2027", "جون 2027", "09:05"),
        ("ps", "پښتو", "دوشنبه، ۷ جون ۲۰۲۷", "۷ جون ۲۰۲۷", "جون ۲۰۲۷", "۰۹:۰۵"),
        ("fa-AF", "دری", "دوشنبه، ۷ جون ۲۰۲۷", "۷ جون ۲۰۲۷", "جون ۲۰۲۷", "۰۹:۰۵"),
        (
            *("pl", "Polski", "poniedziałek, 7 czerwca 2027"),
            *("7 czerwca 2027", "Czerwiec 2027", "09:05"),
        ),
        ("ja", "日本語", "2027年6月7日月曜日", "2027年6月7日", "2027年6月", "9:05"),
        (
            *("en-US", "English (United States)", "Monday, June 7, 2027"),
            *("June 7, 2027", "June 2027", "09:05"),
        ),
    ],
)
def test_days_months_and_times_are_written_as_the_language_writes_them(
    tag: str, name: str, day: str, short: str, month: str, clock: str
) -> None:
    one = language(tag)
    assert one.name == name
    assert write_day(DAY, one) == day
    assert write_short_day(DAY, one) == short
    assert write_month(DAY, one) == month
    assert write_clock(MOMENT, one) == clock


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "Monday, 7 June 2027, 09:05 – 10:30"),
        ("fr", "lundi 7 juin 2027, 09:05 – 10:30"),
        ("ar", "الاثنين، 7 يونيو 2027، 09:05 – 10:30"),
        ("ur", "پیر، 7 جون 2027، 09:05 – 10:30"),
        ("fa", "دوشنبه ۷ ژوئن ۲۰۲۷، ساعت ۹:۰۵ تا ۱۰:۳۰"),
        ("ja", "2027年6月7日月曜日 9:05～10:30"),
    ],
)
def test_a_time_from_and_to_is_written_as_the_language_writes_it(tag: str, written: str) -> None:
    assert write_when(MOMENT, MOMENT.replace(hour=10, minute=30), language(tag)) == written


def test_an_hour_in_which_the_clocks_go_back_has_an_end() -> None:
    first = datetime(2027, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    written = write_when(first, first.replace(fold=1), language("en"))
    assert written == "Sunday, 31 October 2027, 02:30 – 02:30"


@pytest.mark.parametrize(
    ("tag", "first"),
    [("en", 0), ("fr", 0), ("ar", 5), ("ar-MA", 0), ("ur", 6), ("fa-AF", 5), ("pt", 6), ("he", 6)],
)
def test_the_week_begins_where_most_who_write_the_language_begin_it(tag: str, first: int) -> None:
    assert language(tag).first_weekday == first


def test_the_letters_of_a_week_tell_its_days_apart_in_arabic() -> None:
    offered = make_site_languages(["ar"])
    reader = choose_reader("", "", offered)
    grid = make_month_grid(Timeline(), DAY.replace(day=1), MOMENT, reader)
    assert [day.letter for day in grid.months[0].weekdays] == ["س", "ح", "ن", "ث", "ر", "خ", "ج"]


@pytest.mark.parametrize(
    ("tag", "phrases"),
    [
        ("en", "a, b"),
        ("de", "a, b"),
        ("ur", "a، b"),
        ("ar", "a، b"),
        ("zh", "a、b"),
        ("am", "a፣ b"),
    ],
)
def test_phrases_have_the_comma_of_the_language(tag: str, phrases: str) -> None:
    assert join_phrases(["a", "", "b"], language(tag)) == phrases


@pytest.mark.parametrize(
    ("tag", "span"),
    [
        ("en", "1 year 2 months"),
        ("fr", "1 an 2 mois"),
        ("es", "1 año 2 meses"),
        ("de", "1 Jahr, 2 Monate"),
        ("ar", "سنة واحدة وشهرين"),
        ("ur", "1 سال 2 مہینے"),
    ],
)
def test_durations_are_joined_as_the_language_joins_them(tag: str, span: str) -> None:
    one = language(tag)
    app = Flask(__name__)
    install(app, lambda: one.catalog)
    with app.app_context():
        assert describe_span(Duration(14, 0, 0), one) == span


@pytest.mark.parametrize(
    ("tag", "number"),
    [("ar", "12"), ("ar-EG", "١٢"), ("ps", "۱۲"), ("ne", "१२"), ("my", "၁၂"), ("hi", "12")],
)
def test_digits_are_those_of_the_language(tag: str, number: str) -> None:
    assert write_number(12, language(tag)) == number


def test_every_language_of_cldr_has_a_name_and_writes_dates() -> None:
    """A sample of the about 1,100 locales: one for each language and script."""
    tags = {name.replace("_", "-") for name in locale_identifiers() if name.count("_") < 1}
    for tag in sorted(tags - {"root", "und"}):
        one = language(tag)
        assert one.name
        year = write_number(2027, one)
        for written in (write_day(DAY, one), write_month(DAY, one), write_year(DAY, one)):
            assert year in written, tag
        assert write_clock(MOMENT, one)
        assert one.first_weekday in range(7)
        assert Locale.parse(one.locale_name)


@pytest.mark.parametrize(
    ("offered", "wanted", "found"),
    [
        (("fr", "en"), "fr-CA", "fr"),
        (("pt-BR", "pt-PT"), "pt-pt", "pt-PT"),
        (("pt-BR", "pt-PT"), "pt", "pt-BR"),
        (("zh-Hans", "zh-Hant"), "zh-TW", "zh-Hant"),
        (("zh-Hans", "zh-Hant"), "zh-CN", "zh-Hans"),
        (("zh-Hans", "zh-Hant"), "zh", "zh-Hans"),
        (("fa", "en"), "prs", "fa"),
        (("prs", "en"), "prs", "prs"),
        (("en", "prs"), "fa-AF", "prs"),
        (("fr", "en"), "de", None),
    ],
)
def test_the_nearest_language_that_is_offered_is_found(
    offered: tuple[str, ...], wanted: str, found: str | None
) -> None:
    assert Offer(offered).find(wanted) == found
    assert Offer(offered).choose(wanted) == (found or offered[0])
