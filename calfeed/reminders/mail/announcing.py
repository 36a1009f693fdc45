"""The content of a mail about a change: the old and the new date, the reason, and the sources."""

from __future__ import annotations

from dataclasses import dataclass

from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.comparison.occurrence_changes import OccurrenceChange
from calfeed.ical.comparison.reasons import CauseChange, HolidayChange, find_reason
from calfeed.ical.comparison.shifts import Shift
from calfeed.ical.occurrences import Occurrence
from calfeed.ical.wording.dates_text import (
    format_cause,
    format_date_of,
    format_derivation,
    format_done,
    format_hold,
    format_skipped,
)
from calfeed.ical.wording.descriptions import plain_description
from calfeed.ical.wording.text import format_day, format_when
from calfeed.ical.wording.words import words_in
from calfeed.model.events import Event
from calfeed.model.revision import Revision
from calfeed.model.values import Text, text_in
from calfeed.reminders.mail.content import Content, Entry, Fact, Wording

_MAX_OCCURRENCES = 10


@dataclass(frozen=True)
class _Verdict:
    """The change in one word, and the subject of the mail, which contains the dates."""

    kicker: str
    subject: str
    urgent: bool = True


def describe_change(change: EventChange, wording: Wording, page: str | None) -> Content:
    """Describe a change of an event; `page` is the URL of the event's page."""
    event, language = change.after.event, wording.language
    title = text_in(event.summary, language, event.language)
    verdict = _judge(change, title, wording)
    facts = [*_date_facts(change, wording), *_why(change, wording)]
    if change.before is not None and change.kind is not Kind.ADDED:
        facts += _other_changes(change.before.event, event, wording)
    facts += list_facts(event, wording)
    added = change.kind is Kind.ADDED
    return Content(
        subject=verdict.subject,
        kicker=verdict.kicker,
        title=title,
        paragraphs=tuple(_paragraphs(event, language)) if added else (),
        facts=tuple(facts),
        entries=_list_occurrences(change, wording),
        small=_counting(event, language),
        action=(wording.gettext("Open the event's page"), page) if page else None,
        urgent=verdict.urgent,
    )


def describe_event(revision: Revision, wording: Wording) -> tuple[str, tuple[Fact, ...]]:
    """Return the present title of an event, and the facts about it."""
    event = revision.event
    title = text_in(event.summary, wording.language, event.language)
    return title, (_when(event, wording), *list_facts(event, wording))


def list_facts(event: Event, wording: Wording) -> list[Fact]:
    """Where an event takes place, and its sources."""
    language = wording.language
    facts = []
    if event.location:
        where = text_in(event.location, language, event.language)
        facts.append(Fact(wording.gettext("Where"), where))
    for source in event.sources:
        day = format_day(source.date, language) if source.date else ""
        facts.append(Fact(wording.gettext("Source"), source.title, source.url, day))
    return facts


def format_state(event: Event, language: str) -> str:
    """The date of an event, or why it has none."""
    return format_hold(event, language, event.language) or format_date_of(event, language)


def _judge(change: EventChange, title: str, wording: Wording) -> _Verdict:
    if change.occurrences and not change.event_differs:
        return _judge_occurrences(change.occurrences, title, wording)
    event, language = change.after.event, wording.language
    now = format_state(event, language)
    was = format_state(change.before.event, language) if change.before else ""
    names = {"title": title, "now": now, "was": was}
    gettext = wording.gettext
    if change.kind in (Kind.CANCELLED, Kind.WITHDRAWN):
        when = format_date_of(event, language)
        subject = gettext("Cancelled: %(title)s, %(when)s", title=title, when=when)
        return _Verdict(gettext("Cancelled"), subject)
    if change.kind is Kind.ADDED:
        subject = gettext("New: %(title)s, %(when)s", title=title, when=now)
        return _Verdict(gettext("New"), subject, urgent=False)
    if change.kind is Kind.CORRECTED:
        return _Verdict(
            gettext("Corrected"), gettext("Corrected: %(title)s, %(now)s, not %(was)s", **names)
        )
    match change.shift:
        case Shift.POSTPONED:
            return _Verdict(now, words_in(language).label(now, title))
        case Shift.FIRMED:
            return _Verdict(
                gettext("More exact"),
                gettext("More exact: %(title)s, %(now)s (was %(was)s)", **names),
            )
        case Shift.LOOSENED:
            return _Verdict(
                gettext("Less exact"),
                gettext("Less exact: %(title)s, %(now)s (was %(was)s)", **names),
            )
    if change.kind is Kind.MOVED and not change.occurrences:
        return _Verdict(
            gettext("Moved"), gettext("Moved: %(title)s, now %(now)s (was %(was)s)", **names)
        )
    done = format_done(event, language)
    if done and change.before is not None and change.before.event.done is None:
        return _Verdict(done, words_in(language).label(done, title), urgent=False)
    subject = gettext("Changed: %(title)s, %(when)s", title=title, when=now)
    return _Verdict(gettext("Changed"), subject)


def _judge_occurrences(
    changes: tuple[OccurrenceChange, ...], title: str, wording: Wording
) -> _Verdict:
    gettext, one = wording.gettext, changes[0]
    if len(changes) > 1 or one.onwards:
        subject = gettext("Changed: several dates of %(title)s", title=title)
        return _Verdict(gettext("Changed"), subject)
    now = _when_of(one.after, wording)
    if one.dropped:
        subject = gettext("Cancelled: %(title)s, %(when)s", title=title, when=now)
        return _Verdict(gettext("Cancelled"), subject)
    if one.moved and one.before is not None:
        was = _when_of(one.before, wording)
        subject = gettext(
            "Moved: %(title)s, now %(now)s (was %(was)s)", title=title, now=now, was=was
        )
        return _Verdict(gettext("Moved"), subject)
    if one.added:
        subject = gettext("New: %(title)s, %(when)s", title=title, when=now)
        return _Verdict(gettext("New"), subject, urgent=False)
    subject = gettext("Changed: %(title)s, %(when)s", title=title, when=now)
    return _Verdict(gettext("Changed"), subject)


def _when(event: Event, wording: Wording) -> Fact:
    return Fact(wording.gettext("When"), format_state(event, wording.language))


def _date_facts(change: EventChange, wording: Wording) -> list[Fact]:
    """The date; if it moved, the new and the old one."""
    event, language = change.after.event, wording.language
    if change.kind in (Kind.CANCELLED, Kind.WITHDRAWN):
        return [Fact(wording.gettext("Was"), format_date_of(event, language), former=True)]
    if change.occurrences and not change.event_differs:
        return []  # the changed occurrences are listed instead
    if change.before is None or change.kind not in (Kind.MOVED, Kind.CORRECTED):
        return [_when(event, wording)]
    old = change.before.event
    was = format_state(old, language)
    if event.on_hold is not None and old.on_hold is None:
        return [_when(event, wording), Fact(wording.gettext("Was"), was, former=True)]
    label = wording.gettext("Wrong") if change.kind is Kind.CORRECTED else wording.gettext("Was")
    now = Fact(wording.gettext("Now"), format_state(event, language))
    return [now, Fact(label, was, former=True)] if was != now.text else [now]


def _why(change: EventChange, wording: Wording) -> list[Fact]:
    """Return the note of the change, and its cause."""
    event, label = change.after.event, wording.gettext("Why")
    note: Text | None = change.reason
    if change.kind in (Kind.CANCELLED, Kind.WITHDRAWN):
        note = change.after.cancel_note or note
    facts = [Fact(label, text_in(note, wording.language, event.language))] if note else []
    reason = find_reason(change)
    if reason is not None:
        facts.append(Fact(label, explain_reason(reason, event, wording)))
    if change.new_rules:
        facts.append(Fact(label, wording.gettext("The clocks' rules have changed.")))
    return facts


def explain_reason(reason: CauseChange | HolidayChange, event: Event, wording: Wording) -> str:
    """Return why a counted date changed: its cause changed, or the holidays did."""
    language, gettext = wording.language, wording.gettext
    if isinstance(reason, CauseChange):
        cause = text_in(reason.after.summary, language, event.language)
        was, now = format_cause(reason.before, language), format_cause(reason.after, language)
        if not now:
            return gettext("%(cause)s has no date.", cause=cause)
        if not was:
            return gettext("%(cause)s: %(now)s.", cause=cause, now=now)
        return gettext("%(cause)s is now %(now)s; it was %(was)s.", cause=cause, now=now, was=was)
    days = format_skipped((*reason.added, *reason.removed), language, event.language)
    return gettext("The days without work have changed: %(days)s.", days=days)


def _other_changes(old: Event, new: Event, wording: Wording) -> list[Fact]:
    """Return the other changes: the former title and place, and whether the description changed."""
    facts = []
    former = (
        (wording.gettext("Former title"), old.summary, new.summary),
        (wording.gettext("Former place"), old.location, new.location),
    )
    for label, before, after in former:
        if before and before != after:
            text = text_in(before, wording.language, old.language)
            facts.append(Fact(label, text, former=True))
    if old.description != new.description and new.description:
        text = plain_description(new, wording.language, new.language)
        facts.append(Fact(wording.gettext("New description"), text))
    return facts


def _paragraphs(event: Event, language: str) -> list[str]:
    text = plain_description(event, language, event.language)
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _counting(event: Event, language: str) -> tuple[str, ...]:
    """How a date was counted."""
    if event.derivation is None or event.on_hold is not None:
        return ()
    return tuple(format_derivation(event.derivation, language, event.language))


def _list_occurrences(change: EventChange, wording: Wording) -> tuple[Entry, ...]:
    """The changed occurrences of a series, each with its old and its new time."""
    entries = []
    gettext = wording.gettext
    for each in change.occurrences[:_MAX_OCCURRENCES]:
        now = _when_of(each.after, wording)
        lines: tuple[str, ...] = ()
        if each.dropped:
            title = gettext("Cancelled: %(when)s", when=now)
        elif each.moved and each.before is not None:
            title = gettext("Now: %(when)s", when=now)
            lines = (gettext("Was: %(when)s", when=_when_of(each.before, wording)),)
        elif each.added:
            title = gettext("New: %(when)s", when=now)
        else:
            title = gettext("Changed: %(when)s", when=now)
        entries.append(Entry(title, lines))
    if len(change.occurrences) > _MAX_OCCURRENCES or any(e.onwards for e in change.occurrences):
        entries.append(Entry(gettext("Others too: the page has all dates."), ()))
    return tuple(entries)


def _when_of(occurrence: Occurrence, wording: Wording) -> str:
    return format_when(occurrence.start, occurrence.end, wording.language)
