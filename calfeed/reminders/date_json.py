"""The date of an event as JSON: uncertainty, calculation, cause, whether it was met."""

from __future__ import annotations

from typing import Any

from calfeed.ical.comparison.changes import EventChange
from calfeed.ical.comparison.reasons import CauseChange, find_reason
from calfeed.ical.wording.change_text import explain_reason
from calfeed.ical.wording.dates_text import (
    format_cause,
    format_date_of,
    format_derivation,
    name_skipped,
)
from calfeed.model.dates.dating import Cause, Derivation, Sum
from calfeed.model.dates.uncertainty import write_edtf
from calfeed.model.dates.working_days import SkippedDay
from calfeed.model.events import Event
from calfeed.model.values import text_in


def describe_dating(event: Event, language: str | None = None) -> dict[str, Any]:
    """Everything about an event's date besides its times; empty for a plain date.

    As in all functions here, texts are in `language` if they have it, else in the language of the
    calendar.
    """
    language = language or event.language
    entries: dict[str, Any] = describe_uncertainty(event, language)
    if event.derivation is not None:
        entries["counted"] = _describe_derivation(event.derivation, language, event.language)
    if event.done is not None:
        day = event.done.date
        entries["done"] = {"as": event.done.as_.value, "date": day.isoformat() if day else None}
    return entries


def describe_uncertainty(event: Event, language: str | None = None) -> dict[str, Any]:
    """The possible days of an uncertain date (`when`), and why there is no date (`on_hold`).

    Empty for a certain date. `earliest` and `latest` are days, `edtf` is the date in the Extended
    Date/Time Format.
    """
    language = language or event.language
    entries: dict[str, Any] = {}
    if (span := event.span) is not None:
        entries["when"] = {
            "earliest": span.earliest.isoformat(),
            "latest": span.latest.isoformat(),
            "precision": span.precision.value,
            "edtf": write_edtf(span),
            "text": format_date_of(event, language),
        }
    if (on_hold := event.on_hold) is not None:
        cause = on_hold.cause
        waits_for = {"for": _describe_cause(cause, language, event.language)} if cause else {}
        entries["on_hold"] = {"why": on_hold.why.value, **waits_for}
    return entries


def describe_cause_of(change: EventChange, language: str | None = None) -> dict[str, Any]:
    """Why a counted date changed without an edit: its cause or the holidays did. Else empty."""
    reason = find_reason(change)
    if reason is None:
        return {}
    own = change.after.event.language
    languages = language or own, own
    entries: dict[str, Any] = {"text": explain_reason(reason, *languages)}
    if isinstance(reason, CauseChange):
        entries |= _describe_cause(reason.after, *languages)
        entries["previous"] = (
            _describe_cause_days(reason.before, languages[0]) if reason.before else None
        )
    else:
        entries |= {
            "holidays": change.after.holidays,
            "added": [_describe_skipped(day, *languages) for day in reason.added],
            "removed": [_describe_skipped(day, *languages) for day in reason.removed],
        }
    return {"cause": entries}


def _describe_cause(cause: Cause, *languages: str) -> dict[str, Any]:
    return {
        "calendar": cause.calendar,
        "event": cause.slug,
        "uid": cause.uid,
        "summary": text_in(cause.summary, *languages),
        **_describe_cause_days(cause, languages[0]),
    }


def _describe_cause_days(cause: Cause, language: str) -> dict[str, Any]:
    if cause.earliest is None or cause.latest is None:
        return {"earliest": None, "latest": None}
    return {
        "earliest": cause.earliest.isoformat(),
        "latest": cause.latest.isoformat(),
        "when": format_cause(cause, language),
    }


def _describe_derivation(derivation: Derivation, *languages: str) -> dict[str, Any]:
    return {
        "rule": f"{derivation.offset} {derivation.cause.calendar}/{derivation.cause.slug}",
        "from": _describe_cause(derivation.cause, *languages),
        "sums": [_describe_sum(each, *languages) for each in derivation.sums],
        "provisional": derivation.provisional,
        "text": "\n".join(format_derivation(derivation, *languages)),
    }


def _describe_sum(counted: Sum, *languages: str) -> dict[str, Any]:
    rolled = counted.rolled
    return {
        "begin": counted.begin.isoformat(),
        "day": counted.day.isoformat(),
        "not_counted": [_describe_skipped(day, *languages) for day in counted.count.skipped],
        "rolled_from": counted.count.day.isoformat() if rolled else None,
    }


def _describe_skipped(skipped: SkippedDay, *languages: str) -> dict[str, Any]:
    name = name_skipped(skipped, *languages)
    return {"date": skipped.date.isoformat(), "name": name, "estimated": skipped.estimated}
