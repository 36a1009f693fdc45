"""The search: the texts of a calendar's events as they are compared, made once for each state."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from calfeed.store.rows import EventRow


class Searchable:
    """The events of a calendar, by their texts: title, description, place, categories."""

    def __init__(self, rows: Iterable[EventRow]) -> None:
        self._entries = [(_plain(_text_of(row)), row) for row in rows]

    def search(self, words: str) -> list[EventRow]:
        """The events in which each of the words stands, in any language; all for no word.

        Case, accents and vowel signs do not matter.
        """
        entries = self._entries
        # The longest first: it leaves the fewest to be looked at again.
        for word in sorted(_plain(words).split(), key=len, reverse=True):
            entries = [entry for entry in entries if word in entry[0]]
        return [row for _, row in entries]


def _text_of(row: EventRow) -> str:
    event = row.revision.event
    texts = [text for text in (event.summary, event.description, event.location) if text]
    return "\n".join([*event.categories, *(said for text in texts for said in text.values())])


def _plain(text: str) -> str:
    """A text as searching compares it (Unicode, NFKD without combining marks)."""
    if text.isascii():
        return text.casefold()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
