"""The query parameters of pages, and normalization of query strings.

Unknown parameters are removed before a page sees them, which bounds the number of distinct pages.
"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import parse_qsl, urlencode

from calfeed.model.texts import check_language
from calfeed.web.pages.reader.languages import nearest_language

CHOICE = ("alarms", "calendar", "cancelled", "category", "event", "open", "past")
"""The parameters that say what goes into a feed: a choice and its options."""

REPEATABLE = frozenset({"alarms", "calendar", "category", "event"})

KNOWN = frozenset(
    {
        *CHOICE,
        *("begun", "end", "from", "lang", "month", "q", "skip", "start", "until"),
        *("view", "year", "zone"),
        # The look of an embed.
        *("accent", "border", "theme"),
    }
)

FEED_SUFFIX = ".ics"
"""The end of the paths of feeds, which have other parameters than pages."""

FILES = ("/pictures/", "/site/", "/sitemap", "/static/")
"""The beginnings of the paths of files; the only parameter of a file is a language."""

MAX_QUERY_LENGTH = 8_000
"""No link is longer, and parsing longer ones would be slow."""


def normalize_query(query: str, languages: Container[str], path: str = "/") -> str:
    """Normalize a WSGI query string (PEP 3333): known parameters of a path only, sorted.

    The first value of a parameter counts, unless it is repeatable. `languages` are the available
    language tags.
    """
    text = query.encode("latin-1", "replace").decode("utf-8", "replace")
    known = frozenset({"lang"}) if path.startswith(FILES) else KNOWN
    found: dict[str, dict[str, None]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name == "lang":
            value = _normalize_language(value, languages)
        if name in known and value and (name in REPEATABLE or name not in found):
            found.setdefault(name, {})[value] = None
    return urlencode([(name, value) for name in sorted(found) for value in sorted(found[name])])


def _normalize_language(value: str, languages: Container[str]) -> str:
    try:
        return nearest_language(check_language(value), languages)
    except ValueError:
        return ""
