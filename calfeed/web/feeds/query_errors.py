"""Errors in a query string, which readers get in their language."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from calfeed.errors import InvalidInputError


class Sentence(NamedTuple):
    """An English text of the catalogs, and the values that it names (`%(name)s`)."""

    text: str
    values: dict[str, object]


def N_(text: str, **values: object) -> Sentence:  # noqa: N802 - by this name texts are extracted
    """Return a text that is translated later, when the reader is known."""
    return Sentence(text, values)


class QueryError(InvalidInputError):
    """A query string is not valid; the sentences say what is wrong, and what would be right."""

    def __init__(self, *sentences: Sentence) -> None:
        self.sentences = sentences
        super().__init__("; ".join(one.text % one.values for one in sentences))

    def translate(self, gettext: Callable[..., str], semicolon: str) -> str:
        """Return the message in the language of `gettext`."""
        return semicolon.join(gettext(one.text, **one.values) for one in self.sentences)
