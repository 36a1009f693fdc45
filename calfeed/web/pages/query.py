"""The parameters in the addresses of pages: which there are, and a query in its one form.

Whatever else is in a query never reaches a page. So a page cannot depend on it, and there are only
as many pages as there are values of these.
"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import parse_qsl, urlencode

from calfeed.model.texts import check_language
from calfeed.web.pages.reader.languages import nearest_language

LISTED = "category"
"""The parameter that may be there several times."""

KNOWN = frozenset(
    {
        LISTED,
        *("end", "from", "lang", "month", "q", "skip", "start", "until", "view", "year", "zone"),
    }
)

FEED = ".ics"
"""How the paths of feeds end, which have parameters of their own."""

LONGEST = 8_000
"""Characters of a query. Longer ones are in no link, and reading them would take time."""


def settle_query(query: str, languages: Container[str]) -> str:
    """A query as WSGI gives it (PEP 3333) with what is known of it alone, in one order.

    Of what may be there once the first counts. `languages` are the tags that anything is in.
    """
    text = query.encode("latin-1", "replace").decode("utf-8", "replace")
    found: dict[str, dict[str, None]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name == "lang":
            value = _settle_language(value, languages)
        if name in KNOWN and value and (name == LISTED or name not in found):
            found.setdefault(name, {})[value] = None
    return urlencode([(name, value) for name in sorted(found) for value in sorted(found[name])])


def _settle_language(value: str, languages: Container[str]) -> str:
    try:
        return nearest_language(check_language(value), languages)
    except ValueError:
        return ""
