"""The names of months, in English and in other languages."""

from __future__ import annotations

import re
from functools import cache

MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# Those that calendars of this kind are most likely to be written in.
_LANGUAGES = ("ar", "bn", "de", "es", "fa", "fr", "hi", "it", "pt", "ps", "ru", "tr", "ur")


def to_english(text: str) -> str:
    """A text in lower case, with the English name of the first month that it names."""
    names = _foreign()
    found = re.search(rf"\b({'|'.join(map(re.escape, names))})(?!\w)", text)
    if found is None:
        return text
    return f"{text[: found.start()]} {names[found[1]]} {text[found.end() :]}"


@cache
def _foreign() -> dict[str, str]:
    """The names of the months in other languages, the longest first, to their English ones."""
    # Only what is wrong is looked up here, and Babel takes a while to load.
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
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))
