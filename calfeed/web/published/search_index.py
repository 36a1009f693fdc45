"""Full-text search in the events of a calendar, over texts that are normalized once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from calfeed.store.rows import EventRow


class SearchIndex:
    """The normalized titles, descriptions, locations and categories of events."""

    def __init__(self, rows: Iterable[EventRow]) -> None:
        self._entries = [(_normalize(_text_of(row)), row) for row in rows]

    def search(self, words: str) -> list[EventRow]:
        """Return the events that contain each of the words, in any language.

        Case, accents and vowel signs are ignored. Without words, return all events.
        """
        entries = self._entries
        # The longest word first, since it usually matches the fewest events.
        for word in sorted(_normalize(words).split(), key=len, reverse=True):
            entries = [entry for entry in entries if word in entry[0]]
        return [row for _, row in entries]


def _text_of(row: EventRow) -> str:
    event = row.revision.event
    texts = [text for text in (event.summary, event.description, event.location) if text]
    return "\n".join(
        [*event.categories, *(translation for text in texts for translation in text.values())]
    )


def _normalize(text: str) -> str:
    """Normalize a text: casefolded, NFKD, without combining marks."""
    if text.isascii():
        return text.casefold()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
