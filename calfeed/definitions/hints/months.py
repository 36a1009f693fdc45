"""Month names in English and other languages."""

from __future__ import annotations

import re
from functools import cache

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# The languages that definitions are most likely written in.
_LANGUAGES = ("ar", "bn", "de", "es", "fa", "fr", "hi", "it", "pt", "ps", "ru", "tr", "ur")


def to_english(text: str) -> str:
    """Replace the first month name of a lower-case text by the English one."""
    names = _foreign_names()
    found = re.search(rf"\b({'|'.join(map(re.escape, names))})(?!\w)", text)
    if found is None:
        return text
    return f"{text[: found.start()]} {names[found[1]]} {text[found.end() :]}"


@cache
def _foreign_names() -> dict[str, str]:
    """Return the English month names by those in other languages, the longest first."""
    # Imported late: Babel loads slowly and is needed only for error messages.
    from babel import Locale

    found: dict[str, str] = {}
    for language in _LANGUAGES:
        months = Locale.parse(language).months
        for names in (months["format"]["wide"], months["stand-alone"]["wide"]):
            for number, name in names.items():
                if not re.match("[0-9]", name):
                    found.setdefault(name.lower(), MONTHS[number - 1])
    for name in MONTHS:
        found.pop(name, None)
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))
