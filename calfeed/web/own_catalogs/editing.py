"""Make .po files for translators, and bring them up to date after an upgrade."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from calfeed import __version__
from calfeed.errors import CalfeedError
from calfeed.web.catalogs import load_shipped
from calfeed.web.own_catalogs.files import (
    key_of,
    list_messages,
    load_template,
    read_catalog,
)
from calfeed.web.pages.reader.locales import name_language, name_locale

_HEADER = """# {name}: texts of calfeed's pages and mails.
# Translate each msgid into msgstr, keep each %(name)s, and write no HTML. What stays empty is
# shown as calfeed has it. `calfeed translations check` finds mistakes."""


def make_catalog(tag: str, now: datetime) -> bytes:
    """Make a .po file with all texts of this version, for a language (BCP 47 tag).

    Each text has its shipped translation as a comment, if there is one. Raises InvalidValueError
    for a tag that CLDR does not know.
    """
    return _write(_make(tag, now))


def update_catalog(content: bytes, tag: str, now: datetime) -> bytes:
    """Add the new texts of this version to a .po file, and mark texts that the version lacks.

    Translations and comments stay. Raises CalfeedError if the file cannot be read, and
    InvalidValueError for a tag that CLDR does not know.
    """
    catalog, problems = read_catalog(content)
    if catalog is None:
        line, _, message = problems[0]
        raise CalfeedError(f"line {line} {message}" if line else message)
    catalog.update(_make(tag, now), no_fuzzy_matching=True, update_creation_date=False)
    return _write(catalog)


def _make(tag: str, now: datetime) -> Catalog:
    catalog = Catalog(
        locale=name_locale(tag),
        project="calfeed",
        version=__version__,
        msgid_bugs_address="",
        last_translator="",
        language_team=name_language(tag),
        header_comment=_HEADER.format(name=name_language(tag)),
        creation_date=now,
        revision_date=now,
        fuzzy=False,
    )
    shipped = load_shipped(tag)
    for message in list_messages(load_template()):
        text = shipped.ugettext(key_of(message))
        comments = [] if text == key_of(message) else [f"calfeed has: {text}"]
        catalog.add(message.id, locations=message.locations, auto_comments=comments)
    return catalog


def _write(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalog, width=0, sort_output=True)
    return file.getvalue()
