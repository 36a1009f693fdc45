"""How an event got its date, as JSON: uncertainty, sums, causes, what became of it."""

from __future__ import annotations

from typing import Any

from calfeed.ical.comparison.changes import EventChange
from calfeed.ical.comparison.reasons import CauseChange, find_reason
from calfeed.ical.wording.change_text import explain_reason
from calfeed.ical.wording.dates_text import format_cause, format_date_of, format_derivation
from calfeed.model.dates.dating import Cause, Derivation, Sum
from calfeed.model.dates.uncertainty import write_edtf
from calfeed.model.dates.working_days import SkippedDay
from calfeed.model.events import Event
from calfeed.model.values import text_in


def describe_dating(event: Event) -> dict[str, Any]:
    """Everything about an event's date besides its times; empty for a plain date."""
    entries: dict[str, Any] = describe_uncertainty(event)
    if event.derivation is not None:
        entries["counted"] = _describe_derivation(event.derivation, event.language)
    if event.done is not None:
        day = event.done.date
        entries["done"] = {"as": event.done.as_.value, "date": day.isoformat() if day else None}
    return entries


def describe_uncertainty(event: Event) -> dict[str, Any]:
    """The span of an uncertain date, and why there is no date; empty for a certain one.

    `earliest` and `latest` are days, `edtf` is the date in the Extended Date/Time Format.
    """
    entries: dict[str, Any] = {}
    if (span := event.span) is not None:
        entries["when"] = {
            "earliest": span.earliest.isoformat(),
            "latest": span.latest.isoformat(),
            "precision": span.precision.value,
            "edtf": write_edtf(span),
            "text": format_date_of(event, event.language),
        }
    if (on_hold := event.on_hold) is not None:
        cause = on_hold.cause
        waits_for = {"for": _describe_cause(cause, event.language)} if cause else {}
        entries["on_hold"] = {"why": on_hold.why.value, **waits_for}
    return entries


def describe_cause_of(change: EventChange) -> dict[str, Any]:
    """The reason of a change that no edit of the event made: its cause, or the holidays."""
    reason = find_reason(change)
    if reason is None:
        return {}
    event = change.after.event
    entries: dict[str, Any] = {"text": explain_reason(reason, event.language)}
    if isinstance(reason, CauseChange):
        entries |= _describe_cause(reason.after, event.language)
        entries["previous"] = (
            _describe_cause_days(reason.before, event.language) if reason.before else None
        )
    else:
        entries |= {
            "holidays": change.after.holidays,
            "added": [_describe_skipped(day, event.language) for day in reason.added],
            "removed": [_describe_skipped(day, event.language) for day in reason.removed],
        }
    return {"cause": entries}


def _describe_cause(cause: Cause, language: str) -> dict[str, Any]:
    return {
        "calendar": cause.calendar,
        "event": cause.slug,
        "uid": cause.uid,
        "summary": text_in(cause.summary, language),
        **_describe_cause_days(cause, language),
    }


def _describe_cause_days(cause: Cause, language: str) -> dict[str, Any]:
    if cause.earliest is None or cause.latest is None:
        return {"earliest": None, "latest": None}
    return {
        "earliest": cause.earliest.isoformat(),
        "latest": cause.latest.isoformat(),
        "when": format_cause(cause, language),
    }


def _describe_derivation(derivation: Derivation, language: str) -> dict[str, Any]:
    return {
        "rule": f"{derivation.offset} {derivation.cause.calendar}/{derivation.cause.slug}",
        "from": _describe_cause(derivation.cause, language),
        "sums": [_describe_sum(each, language) for each in derivation.sums],
        "provisional": derivation.provisional,
        "text": "\n".join(format_derivation(derivation, language)),
    }


def _describe_sum(counted: Sum, language: str) -> dict[str, Any]:
    rolled = counted.rolled
    return {
        "begin": counted.begin.isoformat(),
        "day": counted.day.isoformat(),
        "not_counted": [_describe_skipped(day, language) for day in counted.count.skipped],
        "rolled_from": counted.count.day.isoformat() if rolled else None,
    }


def _describe_skipped(skipped: SkippedDay, language: str) -> dict[str, Any]:
    unnamed = "closed" if skipped.closed else "weekend"
    name = text_in(skipped.name, language, "en") if skipped.name else unnamed
    return {"date": skipped.date.isoformat(), "name": name, "estimated": skipped.estimated}
