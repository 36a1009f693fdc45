"""Render events in variants: by language, and with cancellation marked in the title."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from calfeed.ical.vevent import render_event
from calfeed.model.events import Change, Event, Status
from calfeed.model.revision import Revision
from calfeed.model.values import Text


@dataclass(frozen=True, order=True)
class Variant:
    """A variant: language tag ("" for the calendar's), and whether titles mark cancellation."""

    language: str = ""
    marked: bool = False


PLAIN = Variant()
"""The variant that every event has."""


def render_variants(revision: Revision) -> dict[Variant, bytes]:
    """Render an event in all its variants."""
    event = revision.event
    rendered = {PLAIN: render_event(revision)}
    for language in ("", *sorted(languages_in(event) - {event.language})):
        for marked in (False, True):
            if marked and not _has_cancelled(revision):
                continue
            variant = Variant(language, marked)
            if variant not in rendered:
                languages = (language,) if language else ()
                rendered[variant] = render_event(revision, languages, marked=marked)
    return rendered


def choose_variant(available: Container[Variant], language: str, marked: bool) -> Variant:
    """Return the best available variant; a language tag falls back to its base language."""
    languages = [language, language.split("-")[0], ""]
    marks = (True, False) if marked else (False,)
    preferred = [Variant(tag, mark) for tag in languages for mark in marks]
    return next((variant for variant in preferred if variant in available), PLAIN)


def leave_out_cancelled(revision: Revision) -> Revision:
    """Return a revision whose series excludes its cancelled occurrences (EXDATE)."""
    repeat = revision.event.repeat
    if repeat is None or not any(_is_cancelled(change) for change in repeat.changes):
        return revision
    cancelled = tuple(change.original for change in repeat.changes if _is_cancelled(change))
    kept = tuple(change for change in repeat.changes if not _is_cancelled(change))
    left = repeat.model_copy(update={"changes": kept, "exclude": (*repeat.exclude, *cancelled)})
    event = revision.event.model_copy(update={"repeat": left})
    return revision.model_copy(update={"event": event})


def languages_in(event: Event) -> set[str]:
    """Return the languages (BCP 47 tags) of an event's texts."""
    return {tag for text in _texts(event) for tag in text}


def _texts(event: Event) -> Iterator[Text]:
    holders: list[Event | Change] = [event, *(event.repeat.changes if event.repeat else ())]
    for holder in holders:
        for text in (holder.summary, holder.description, holder.location):
            if text:
                yield text


def _has_cancelled(revision: Revision) -> bool:
    event = revision.event
    changes = event.repeat.changes if event.repeat else ()
    return (
        revision.withdrawn or event.status is Status.CANCELLED or any(map(_is_cancelled, changes))
    )


def _is_cancelled(change: Change) -> bool:
    return change.status is Status.CANCELLED
