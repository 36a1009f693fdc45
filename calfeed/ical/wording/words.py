"""The words that calfeed adds to texts: one file of `languages/` for each language.

A language without a file has the English words.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NewType

from calfeed.errors import Fault, InvalidFieldsError
from calfeed.ical.wording.word_checks import check_words

Plural = NewType("Plural", Mapping[str, str])
"""A text for each plural category of the language (CLDR), with `{count}`; at least for `other`."""

_FALLBACK = "en"
_UNKNOWN = "und"
_FILES = files("calfeed.ical.wording").joinpath("languages")


@dataclass(frozen=True)
class Words:
    """The words of one language, with placeholders in braces; `en.toml` shows each of them.

    `parts` are early, mid- and late in a month, `seasons` begin with spring. The keys of `titles`
    are types of message; the keys of `names` and `dated` say what happened. Patterns are those of
    CLDR; `first_day` replaces the `d` of a pattern on the first of a month.
    """

    language: str
    cancelled: str
    moved: str
    corrected: str
    source: str
    parts: Sequence[str]
    quarters: Sequence[str]
    halves: Sequence[str]
    seasons: Sequence[str]
    one_of: str
    time_open: str
    day_open: str
    postponed: str
    waiting: str
    before: str
    after: str
    working_days: Plural
    clear_days: Plural
    clear_working_days: Plural
    days: Plural
    months: Plural
    years: Plural
    counted: str
    not_counted: str
    weekend: str
    closed: str
    rolled_next: str
    rolled_previous: str
    provisional: str
    met: str
    waived: str
    day_pattern: str
    day_without_year: str
    day_without_month: str
    first_day: str
    month_pattern: str
    span_of_days: str
    span_of_times: str
    date_time: str
    at_time: str
    labelled: str
    comma: str
    list_comma: str
    semicolon: str
    all_calendars: str
    changes: str
    changes_of: str
    hours: Plural
    minutes: Plural
    under_a_minute: str
    in_days: Plural
    in_hours: Plural
    in_minutes: Plural
    today: str
    tomorrow: str
    now: str
    moved_from: str
    corrected_from: str
    firmed_from: str
    loosened_from: str
    now_held: str
    dated_again: str
    ends_now: str
    held: str
    still: str
    changed_still: str
    done_now: str
    cancelled_on: str
    also_on: str
    changed_on: str
    others_too: str
    with_occurrences: str
    with_reason: str
    with_note: str
    because_dateless: str
    because_moved: str
    because_dated: str
    because_holidays: str
    holidays_added: str
    holidays_removed: str
    reminder: str
    late: str
    date_open: str
    dates: Plural
    dates_ahead: Plural
    and_more: Plural
    test: str
    verify: str
    where: str
    rehearsal: str
    rehearsed: str
    titles: Mapping[str, str]
    names: Mapping[str, str]
    dated: Mapping[str, str]

    def plural(self, forms: Plural, count: int) -> str:
        """Return the form for a number: "1 day", "2 days"."""
        form = forms.get(_plural_category(self.language, count), forms["other"])
        return form.format(count=count)

    def label(self, label: str, text: str) -> str:
        """Return a text after its label and a colon."""
        return self.labelled.format(label=label, text=text)


def words_in(language: str) -> Words:
    """Return the words of a language (BCP 47 tag), by default English.

    In a language without words, both days of a span are written in full, because it is not known
    how that language shortens them.
    """
    base = language.split("-")[0]
    return _words_of(base if base in shipped_languages() else _UNKNOWN)


def worded(language: str) -> str:
    """Return the language if it has words, else English: no sentence may be in two languages."""
    return language if language.split("-")[0] in shipped_languages() else _FALLBACK


def shared_language(languages: Iterable[str]) -> str:
    """Return the language for a text about several events: their common one, else English."""
    found = set(languages)
    return found.pop() if len(found) == 1 else _FALLBACK


@cache
def shipped_languages() -> frozenset[str]:
    """Return the languages that have words."""
    names = (entry.name for entry in _FILES.iterdir())
    return frozenset(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def _words_of(language: str) -> Words:
    if language == _FALLBACK:
        return read_words(language, _load(language), None)
    english = _words_of(_FALLBACK)
    if language != _UNKNOWN:
        return read_words(language, _load(language), english)
    written_out = "d MMMM y"
    return replace(
        english,
        day_without_year=written_out,
        day_without_month=written_out,
        span_of_days="{first} – {last}",
        span_of_times="{first} – {last}",
    )


def _load(language: str) -> dict[str, Any]:
    return tomllib.loads(_FILES.joinpath(f"{language}.toml").read_text("utf-8"))


def read_words(language: str, entries: Mapping[str, object], fallback: Words | None) -> Words:
    """Return the words of a language from the entries of a file; `fallback` has what is missing.

    Raises InvalidFieldsError with every entry that is unknown, that is missing without a fallback,
    or that differs from `fallback` in its kind or its placeholders. A plural form may leave out
    `{count}`.
    """
    faults: list[Fault] = []
    known = [field.name for field in fields(Words) if field.name != "language"]
    faults += [Fault(name, "is not a text of calfeed") for name in entries if name not in known]
    values: dict[str, Any] = {"language": language}
    plurals = {field.name for field in fields(Words) if field.type == "Plural"}
    for name in known:
        model = getattr(fallback, name) if fallback is not None else entries.get(name)
        given = entries.get(name, model)
        values[name] = check_words(name, given, model, faults, plural=name in plurals)
    if faults:
        raise InvalidFieldsError(faults)
    return Words(**values)


@lru_cache(maxsize=4096)
def _plural_category(language: str, count: int) -> str:
    if language == "en":
        return "one" if count == 1 else "other"
    # Imported late: Babel loads slowly.
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language, sep="-").plural_form(count))
    except (UnknownLocaleError, ValueError):
        return "other"
