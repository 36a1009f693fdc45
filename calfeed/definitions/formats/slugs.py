"""Names in addresses for events that have none, made of their titles."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from itertools import chain, count

_LONGEST = 64
# Letters that have no plain letter inside.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
)


def make_slug(title: str) -> str:
    """The title in `[a-z0-9-]`; empty where it has no letter or digit of ASCII's."""
    plain = unicodedata.normalize("NFKD", title.lower().translate(_LATIN))
    words = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower())
    return words.strip("-")[:_LONGEST].rstrip("-")


def name_events(events: Iterable[tuple[str, date, str]]) -> list[str]:
    """A slug for each event, given its title, its first day and its UID.

    The slugs do not hang on the order: of events with one title the earliest is called by it
    alone, the others by their day too, and where that is not enough by a hash of the UID.
    """
    listed = list(events)
    slugs = [""] * len(listed)
    taken: set[str] = set()
    for place in sorted(range(len(listed)), key=lambda each: (listed[each][1:], listed[each][0])):
        title, day, uid = listed[place]
        name = make_slug(title)
        dated = _with(name or "event", f"{day}")
        digest = hashlib.sha256(f"{uid}\n{title}\n{day}".encode()).hexdigest()
        choices = [*([name] if name else []), dated, _with(name or "event", digest[:8])]
        again = (_with(name or "event", f"{digest[:8]}-{number}") for number in count(2))
        slug = next(each for each in chain(choices, again) if each not in taken)
        taken.add(slug)
        slugs[place] = slug
    return slugs


def _with(name: str, ending: str) -> str:
    return f"{name[: _LONGEST - len(ending) - 1].rstrip('-')}-{ending}"
