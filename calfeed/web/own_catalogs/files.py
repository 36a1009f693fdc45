"""Read .po files of unknown origin, and the template with all texts that can be translated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from gettext import c2py
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import PoFileError, PoFileParser, read_po

from calfeed.web.catalogs import TRANSLATIONS

MAX_BYTES = 1_000_000
"""The maximum size of a .po file; the shipped files have about a tenth of this size."""

_MAX_FORMS = 10

_LINE = re.compile(
    r'(?:(?:msgctxt|msgid|msgid_plural|msgstr|msgstr\[[0-9]\])\s+)?"(?:[^"\\]|\\.)*"\s*'
)

_SAMPLE = range(1_001)
"""The numbers by which plural rules are compared, apart from a million."""

_MILLION = 1_000_000


class CatalogProblem(NamedTuple):
    """Something wrong in a .po file: its line (0 for the whole file), the text, what is wrong."""

    line: int
    text: str
    message: str


class _BoundedCatalog(Catalog):
    """A catalog whose header cannot ask for millions of plural forms."""

    @property
    def num_plurals(self) -> int:
        return min(super().num_plurals, _MAX_FORMS)


def read_catalog(content: bytes) -> tuple[Catalog | None, list[CatalogProblem]]:
    """Parse a .po file; return it, or None and the problems that make it unusable."""
    if len(content) > MAX_BYTES:
        return None, [CatalogProblem(0, "", f"has more than {MAX_BYTES:,} bytes")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [CatalogProblem(line, "", "is not in UTF-8; save the file in UTF-8")]
    lines = [line.rstrip("\r") for line in text.split("\n")]
    wrong = [
        CatalogProblem(number, "", 'is not a line of a .po file; write it as in msgstr "…"')
        for number, line in enumerate(lines, 1)
        if not _is_line(line)
    ]
    if wrong:
        return None, wrong[:100]
    catalog = _BoundedCatalog(charset="utf-8")
    parser = PoFileParser(catalog, abort_invalid=True)
    try:
        parser.parse(lines)
    except PoFileError as error:
        return None, [CatalogProblem(error.lineno + 1, "", "is not complete: a text has no msgstr")]
    except (ValueError, IndexError, LookupError, TypeError):
        # Babel raises these for invalid headers and comments, such as an impossible date.
        return None, [CatalogProblem(parser.offset + 1, "", "cannot be read near this line")]
    return catalog, []


def _is_line(line: str) -> bool:
    plain = line.strip().removeprefix("#~").strip()
    return not plain or plain.startswith("#") or _LINE.fullmatch(plain) is not None


@cache
def load_template() -> Catalog:
    """Load the template: all texts of this version, with the files that they are in."""
    with (TRANSLATIONS / "messages.pot").open("rb") as file:
        return read_po(file)


def list_messages(catalog: Catalog) -> Iterator[Message]:
    """List the texts of a catalog, without its header and without texts that have a context."""
    return (message for message in catalog if message.id and message.context is None)


def originals_of(message: Message) -> tuple[str, ...]:
    """Return the English text of a message; for a plural, the singular and the plural."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def key_of(message: Message) -> str:
    """Return the English text of a message; for a plural, the singular."""
    return originals_of(message)[0]


def forms_of(message: Message) -> tuple[str, ...]:
    """Return the translation of a message; for a plural, all forms. Missing ones are empty."""
    if isinstance(message.string, (tuple, list)):
        return tuple(str(form or "") for form in message.string)
    return (message.string or "",)


def describe_plural(locale_name: str) -> str:
    """Return CLDR's plural rule as in the header Plural-Forms: `nplurals=2; plural=(n != 1);`."""
    return str(get_plural(locale_name).plural_forms)


def match_forms(catalog: Catalog, locale_name: str) -> tuple[int, ...] | None:
    """Return a catalog's form (index) for each plural form of CLDR; None if their rules differ.

    In some languages, CLDR has a separate form for a million, which a catalog need not have.
    """
    rule: Any = get_plural(locale_name)
    try:
        theirs, ours = c2py(catalog.plural_expr), c2py(rule.plural_expr)
        pairs = {ours(number): theirs(number) for number in _SAMPLE}
        same = all(pairs[ours(number)] == theirs(number) for number in _SAMPLE)
        # No form of the catalog may stand for two of CLDR's forms, unless the catalog has only one
        # form, as some Persian catalogs do.
        distinct = len(set(pairs.values())) == len(pairs) or catalog.num_plurals == 1
        pairs.setdefault(ours(_MILLION), theirs(_MILLION))
    except (ValueError, ArithmeticError, RecursionError):
        return None
    known = all(0 <= form < catalog.num_plurals for form in pairs.values())
    if not (same and distinct and known):
        return None
    # CLDR's other forms are for fractions, which never occur, so any form will do.
    return tuple(pairs.get(index, catalog.num_plurals - 1) for index in range(rule.num_plurals))
