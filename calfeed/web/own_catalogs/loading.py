"""Check the texts of a site's own catalog, and load those that pages and mails can use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.support import Translations

from calfeed.errors import InvalidValueError
from calfeed.model.site import SHIPPED_LANGUAGES
from calfeed.model.texts import list_bases, shortened
from calfeed.web.own_catalogs.files import (
    CatalogProblem,
    describe_plural,
    forms_of,
    key_of,
    list_messages,
    load_template,
    match_forms,
    originals_of,
    read_catalog,
)
from calfeed.web.pages.reader.locales import name_locale

_MAX_LENGTH = 2_000
"""The maximum length of a text, in characters."""

_PLACE = re.compile(r"%\((\w+)\)s")
_MARKUP = re.compile(r"<[a-z/!?][^>]*>?|&#?\w+;", re.IGNORECASE)
_COUNTS = {"count", "num"}
"""The placeholders of the number by which a plural form is chosen."""


@dataclass(frozen=True)
class OwnCatalog:
    """A site's own translations of a language, as a compiled catalog (.mo).

    `complete` says that all texts of this version have a translation that can be used.
    """

    compiled: bytes
    complete: bool

    def open(self) -> Translations:
        """Return the translations as a new object, because chaining catalogs changes them."""
        return Translations(BytesIO(self.compiled) if self.compiled else None)


def load_own_catalog(content: bytes, tag: str) -> OwnCatalog:
    """Load the texts of a .po file in a language (BCP 47 tag) that calfeed can use.

    Texts in which `check_catalog` finds a problem are left out, and so are texts marked as fuzzy.
    """
    return _read(content, tag)[0]


def check_catalog(content: bytes, tag: str) -> list[CatalogProblem]:
    """Return all problems of a .po file in a language (BCP 47 tag), in the order of its lines."""
    return sorted(_read(content, tag)[1])


def _read(content: bytes, tag: str) -> tuple[OwnCatalog, list[CatalogProblem]]:
    try:
        locale_name = name_locale(tag)
    except InvalidValueError as error:
        return _EMPTY, [CatalogProblem(0, "", f"the name of the file: {error}")]
    read, problems = read_catalog(content)
    if read is None:
        return _EMPTY, problems
    forms = match_forms(read, locale_name)
    if forms is None:
        header = f'is not the rule of "{tag}"; write "Plural-Forms: {describe_plural(locale_name)}"'
        problems.append(CatalogProblem(1, "Plural-Forms", header))
    template = {key_of(message): message for message in list_messages(load_template())}
    # Made without the header of the file, which may have another plural rule.
    usable, used = Catalog(locale=locale_name, charset="utf-8"), set()
    for message in list_messages(read):
        key = key_of(message)
        faults = list(_find_faults(message, template.get(key)))
        problems += [CatalogProblem(message.lineno or 0, shortened(key), fault) for fault in faults]
        if faults or not all(forms_of(message)):
            continue
        if message.pluralizable:
            if forms is None:
                continue
            usable.add(message.id, tuple(forms_of(message)[form] for form in forms))
        else:
            usable.add(message.id, message.string)
        used.add(key)
    problems += _find_gaps(read, template, tag)
    compiled = BytesIO()
    write_mo(compiled, usable)
    return OwnCatalog(compiled.getvalue(), used == template.keys()), problems


_EMPTY = OwnCatalog(b"", complete=False)


def _find_faults(message: Message, known: Message | None) -> Iterator[str]:
    """Say why a translation cannot be used; nothing if it is only missing."""
    if known is None or known.pluralizable != message.pluralizable:
        yield "is not a text of this version; run calfeed translations update"
        return
    texts = forms_of(message)
    if not any(texts):
        return
    if not all(texts):
        yield f"has {len(texts)} plural forms, of which some are empty"
    if message.fuzzy:
        yield "is marked as fuzzy, so it is not used; review it, and remove the mark"
    for index, text in enumerate(filter(None, texts)):
        last = index == len(texts) - 1
        yield from _compare(text, originals_of(known), counted=known.pluralizable and not last)


def _compare(text: str, originals: Sequence[str], *, counted: bool) -> Iterator[str]:
    """Say how a translation differs from its English text; for a plural, from both forms.

    A `counted` form may leave out the number, because the form may be for one number only.
    """
    wanted = {name for original in originals for name in _PLACE.findall(original)}
    found = set(_PLACE.findall(text))
    if missing := wanted - found - (_COUNTS if counted else set()):
        yield f"lacks {_show_places(missing)}, which the English text has"
    if unknown := found - wanted:
        yield f"has {_show_places(unknown)}, which the English text does not have"
    if "%" in _PLACE.sub("", text):
        yield 'has a "%" that begins no %(name)s'
    if markup := set(_MARKUP.findall(text)) - set(_MARKUP.findall(" ".join(originals))):
        yield f"contains HTML ({min(markup)}), which would be shown as it is; write plain text"
    if any(unicodedata.category(character) == "Cc" for character in text):
        yield "has a line break or another control character; write it in one line"
    if len(text) > _MAX_LENGTH:
        yield f"has {len(text):,} characters; the maximum is {_MAX_LENGTH:,}"


def _show_places(names: set[str]) -> str:
    return ", ".join(f"%({name})s" for name in sorted(names))


def _find_gaps(read: Catalog, template: dict[str, Message], tag: str) -> Iterator[CatalogProblem]:
    """Say which texts are not translated, if there is no shipped catalog to take them from."""
    if not set(SHIPPED_LANGUAGES).isdisjoint(list_bases(tag)):
        return
    written = {key_of(message): message for message in list_messages(read)}
    for key, message in written.items():
        if key in template and not any(forms_of(message)):
            yield CatalogProblem(message.lineno or 0, shortened(key), "is not translated")
    if absent := len(template.keys() - written.keys()):
        text = "text is" if absent == 1 else "texts are"
        yield CatalogProblem(0, "", f"{absent} {text} not in it; run calfeed translations update")
