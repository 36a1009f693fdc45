"""The forms in which an event is rendered: its languages, and with cancelling in the title."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from calfeed.ical.vevent import render_event
from calfeed.model.events import Change, Event, Status, Text
from calfeed.model.revision import Revision


@dataclass(frozen=True, order=True)
class Variant:
    """One form of an event: a language (BCP 47 tag; empty for the calendar's), marked or not."""

    language: str = ""
    marked: bool = False


PLAIN = Variant()
"""The form that every event has."""


def render_variants(revision: Revision) -> dict[Variant, bytes]:
    """The VEVENT bytes of an event in every form in which they differ from the plain one's."""
    event = revision.event
    found = {PLAIN: render_event(revision)}
    for language in ("", *sorted(languages_in(event) - {event.language})):
        for marked in (False, True):
            if marked and not _has_cancelled(revision):
                continue
            variant = Variant(language, marked)
            if variant not in found:
                languages = (language,) if language else ()
                found[variant] = render_event(revision, languages, marked=marked)
    return found


def choose_variant(have: Container[Variant], language: str, marked: bool) -> Variant:
    """The form that comes nearest to what is wanted; a tag falls back to its base language."""
    languages = [language, language.split("-")[0], ""]
    wanted = [
        Variant(one, mark) for one in languages for mark in ((True, False) if marked else (False,))
    ]
    return next((variant for variant in wanted if variant in have), PLAIN)


def languages_in(event: Event) -> set[str]:
    """The languages (BCP 47 tags) that an event has texts in."""
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
        revision.withdrawn
        or event.status is Status.CANCELLED
        or any(change.status is Status.CANCELLED for change in changes)
    )
