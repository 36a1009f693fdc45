"""How a date was counted from that of another event, for the event's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from calfeed.ical.wording.dates_text import format_cause, format_hold, format_rule, format_skipped
from calfeed.model.dates.dating import Cause, Derivation, Sum
from calfeed.model.dates.offsets import Offset, Roll
from calfeed.model.dates.working_days import SkippedDay
from calfeed.model.events import Event
from calfeed.web.pages.reader.dates import join_phrases, write_day, write_number
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.wording import gettext, ngettext

FindPage = Callable[[Cause], str]
"""Returns the address of the page of a cause, "" if it has none."""

_PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for the name of a cause in a sentence, until a link with the name replaces it."""


@dataclass(frozen=True)
class CountedSum:
    """One calculation of a counted date, in words: its first day, and the resulting `day`.

    `skipped` says which days were not counted and why, `rolled` from which closed day the date was
    moved to a working day, and `passed` which other closed days lie between these two; each is
    empty if there are none.
    """

    begin: str
    day: str
    skipped: str
    rolled: str
    passed: str


@dataclass(frozen=True)
class Counting:
    """How a date was counted: a rule with a link to its cause, the cause's date, and calculations.

    If the date of the cause is uncertain, there are two calculations in `sums`: from its
    earliest day and from its latest.
    """

    rule: Markup
    cause_date: str
    sums: Sequence[CountedSum]
    provisional: bool
    release: str


def make_counting(
    derivation: Derivation, own: str, release: str, reader: Reader, find_page: FindPage
) -> Counting:
    """Describe a derivation.

    `own` is the event's language, `release` the version of the holiday data.
    """
    language = reader.language
    return Counting(
        rule=_describe_rule(derivation.offset, derivation.cause, own, reader, find_page),
        cause_date=write_number(format_cause(derivation.cause, language.tag), language),
        sums=[_describe_sum(each, derivation.roll, own, reader) for each in derivation.sums],
        provisional=derivation.provisional,
        release=release,
    )


def describe_hold(event: Event, reader: Reader, find_page: FindPage) -> Markup:
    """Say why an event has no date, with a link to the one that it waits for; "" if it has one."""
    on_hold, tag = event.on_hold, reader.language.tag
    if on_hold is None or on_hold.cause is None:
        return Markup.escape(format_hold(event, tag))
    held = on_hold.model_copy(update={"cause": _leave_out_name(on_hold.cause, tag)})
    text = format_hold(event.model_copy(update={"on_hold": held}), tag)
    return _put_link(text, on_hold.cause, event.language, reader, find_page)


def describe_held_rule(event: Event, reader: Reader, find_page: FindPage) -> Markup:
    """Describe how the date of an event that waits will be counted; "" if it does not wait."""
    on_hold = event.on_hold
    if on_hold is None or on_hold.cause is None or on_hold.offset is None:
        return Markup()
    return _describe_rule(on_hold.offset, on_hold.cause, event.language, reader, find_page)


def _describe_rule(
    offset: Offset, cause: Cause, own: str, reader: Reader, find_page: FindPage
) -> Markup:
    language = reader.language
    rule = format_rule(offset, _leave_out_name(cause, language.tag), language.tag)
    return _put_link(write_number(rule, language), cause, own, reader, find_page)


def _leave_out_name(cause: Cause, tag: str) -> Cause:
    return cause.model_copy(update={"summary": {tag: _PLACEHOLDER}})


def _put_link(text: str, cause: Cause, own: str, reader: Reader, find_page: FindPage) -> Markup:
    """Replace the placeholder in a text by the name of a cause, with a link if it has a page."""
    name, page = reader.localize(cause.summary, own), find_page(cause)
    link = Markup('<a href="{}">{}</a>').format(page, name) if page else name.__html__()
    before, placeholder, after = text.partition(_PLACEHOLDER)
    return Markup.escape(before) + (link if placeholder else Markup()) + Markup.escape(after)


def _describe_sum(counted: Sum, roll: Roll | None, own: str, reader: Reader) -> CountedSum:
    language = reader.language
    rolled = passed = ""
    if counted.rolled is not None:
        closed, moved = counted.count.day, counted.rolled.day
        others = [day for day in counted.rolled.skipped if day.date != closed]
        passed = _describe_skipped(others, own, reader)
        first = next(day for day in counted.rolled.skipped if day.date == closed)
        reason = _name_day(first, own, reader)
        values = {
            "closed": write_day(closed, language),
            "reason": reason,
            "day": write_day(moved, language),
        }
        rolled = (
            gettext("%(closed)s is closed (%(reason)s); the next working day is %(day)s", **values)
            if roll is Roll.NEXT
            else gettext(
                "%(closed)s is closed (%(reason)s); the working day before is %(day)s", **values
            )
        )
    return CountedSum(
        begin=write_day(counted.begin, language),
        day=write_day(counted.day, language),
        skipped=_describe_skipped(counted.count.skipped, own, reader),
        rolled=rolled,
        passed=passed,
    )


def _describe_skipped(days: Sequence[SkippedDay], own: str, reader: Reader) -> str:
    """Say which days were not counted: weekends by their number, others by date and name."""
    language = reader.language
    named = [day for day in days if day.name or day.closed]
    parts = []
    if weekend := len(days) - len(named):
        count = write_number(weekend, language)
        parts.append(
            ngettext("%(count)s weekend day", "%(count)s weekend days", weekend, count=count)
        )
    if named:
        text = format_skipped(named, language.tag, own)
        parts.append(write_number(text, language))
    return join_phrases(parts, language)


def _name_day(day: SkippedDay, own: str, reader: Reader) -> str:
    """Say why a day is closed: its name, in the reader's language or else in the event's."""
    if day.name:
        return reader.localize(day.name, own).text
    return gettext("closed by the calendar") if day.closed else gettext("weekend")
