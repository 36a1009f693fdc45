"""Describe events for calendar apps: texts, moves, how a date was counted, sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from calfeed.ical.wording.dates_text import (
    format_date_of,
    format_derivation,
    format_done,
    format_hold,
    format_times,
)
from calfeed.ical.wording.text import format_day
from calfeed.ical.wording.words import words_in
from calfeed.model.details import Format
from calfeed.model.events import Event, Source
from calfeed.model.revision import Move
from calfeed.model.values import Text, text_in


def format_move(move: Move, *languages: str) -> str:
    """Format a move: "Was 31 March 2025; moved on 12 July 2024: the stay was extended"."""
    first = languages[0]
    when = format_times(move.start, move.end, move.precision, first)
    words, day = words_in(first), format_day(move.on, first)
    text = (words.corrected if move.corrected else words.moved).format(when=when, day=day)
    return words.label(text, text_in(move.note, *languages)) if move.note else text


def _format_moves(history: Sequence[Move], *languages: str) -> list[str]:
    """Format the moves, newest first, except moves from a time when the event had no date."""
    return [format_move(move, *languages) for move in reversed(history) if move.held is None]


def _format_state(event: Event, *languages: str) -> str:
    """Format what a start does not show: why there is no date, a done event, an uncertain date."""
    date = format_date_of(event, languages[0]) if event.precision and not event.on_hold else ""
    states = format_hold(event, *languages), format_done(event, languages[0]), date
    return "\n".join(filter(None, states))


def _format_cancelling(note: Text, *languages: str) -> str:
    words = words_in(languages[0])
    return words.label(words.cancelled, text_in(note, *languages))


def format_source(source: Source, language: str) -> str:
    """Format a source in one line: title, day, URL."""
    day = format_day(source.date, language) if source.date else ""
    words = words_in(language)
    parts = words.comma.join(part for part in (source.title, day, source.url) if part)
    return words.label(words.source, parts)


def describe(
    event: Event, history: Sequence[Move], *languages: str, cancel_note: Text | None = None
) -> str:
    """Return an event's description for calendar apps.

    It consists of the state of its date, the reason for a cancellation, the text, the conference,
    which few apps show otherwise, how the date was counted, the moves and the sources. Each text is
    in the first available of `languages`.
    """
    blocks = []
    if state := _format_state(event, *languages):
        blocks.append(state)
    if cancel_note:
        blocks.append(_format_cancelling(cancel_note, *languages))
    if event.description:
        blocks.append(plain_description(event, *languages))
    if event.conference:
        label, url = event.conference.label, event.conference.url
        blocks.append(words_in(languages[0]).label(label, url) if label else url)
    if event.derivation:
        blocks.append("\n".join(format_derivation(event.derivation, *languages)))
    if moves := _format_moves(history, *languages):
        blocks.append("\n".join(moves))
    if event.sources:
        blocks.append("\n".join(format_source(source, languages[0]) for source in event.sources))
    return "\n\n".join(blocks)


def plain_description(event: Event, *languages: str) -> str:
    """Return an event's description without markup, "" if it has none."""
    text = text_in(event.description, *languages) if event.description else ""
    if event.format is Format.PLAIN or not text:
        return text
    from calfeed.ical.wording.markdown import to_text

    return to_text(text)


def html_description(event: Event, *languages: str) -> str | None:
    """Return a Markdown description as safe HTML, None if it is not Markdown."""
    if event.format is Format.PLAIN or not event.description:
        return None
    from calfeed.ical.wording.markdown import to_html

    return to_html(text_in(event.description, *languages))


def describe_as_html(
    event: Event, history: Sequence[Move], *languages: str, cancel_note: Text | None = None
) -> str | None:
    """Return the output of `describe` as an HTML document, None for a plain description."""
    text = html_description(event, *languages)
    if text is None:
        return None
    blocks = [text]
    if cancel_note:
        blocks.insert(0, f"<p>{escape(_format_cancelling(cancel_note, *languages))}</p>")
    if state := _format_state(event, *languages):
        blocks.insert(0, f"<p>{escape(state)}</p>")
    if event.conference:
        blocks.append(f"<p>{_anchor(event.conference.url, event.conference.label)}</p>")
    if event.derivation:
        blocks.append(_join_lines(format_derivation(event.derivation, *languages)))
    if moves := _format_moves(history, *languages):
        blocks.append(_join_lines(moves))
    if event.sources:
        sources = (_source_as_html(source, languages[0]) for source in event.sources)
        blocks.append(f"<p>{'<br>'.join(sources)}</p>")
    return f"<html><body>{''.join(blocks)}</body></html>"


def _join_lines(lines: Iterable[str]) -> str:
    return f"<p>{'<br>'.join(map(escape, lines))}</p>"


def _source_as_html(source: Source, language: str) -> str:
    words = words_in(language)
    title = _anchor(source.url, source.title) if source.url else escape(source.title)
    day = words.comma + format_day(source.date, language) if source.date else ""
    return words.label(words.source, title + day)


def _anchor(url: str, label: str | None) -> str:
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(label or url)}</a>'
