"""Generate slugs for imported events from their titles."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from itertools import chain, count

_MAX_LENGTH = 64
# Letters that NFKD does not decompose.
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
)


def make_slug(title: str) -> str:
    """Return the title in `[a-z0-9-]`; empty if it has no Latin letters or digits."""
    plain = unicodedata.normalize("NFKD", title.lower().translate(_LATIN))
    words = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower())
    return words.strip("-")[:_MAX_LENGTH].rstrip("-")


def name_events(events: Iterable[tuple[str, date, str]]) -> list[str]:
    """Return a slug for each (title, first day, UID), whatever their order.

    Of several events with the same title, the earliest gets the plain slug. The slugs of the others
    end with the day, or with a hash of the UID if the slug with the day is not unique.
    """
    entries = list(events)
    slugs = [""] * len(entries)
    taken: set[str] = set()
    for index in sorted(
        range(len(entries)), key=lambda index: (entries[index][1:], entries[index][0])
    ):
        title, day, uid = entries[index]
        name = make_slug(title)
        dated = _with(name or "event", f"{day}")
        digest = hashlib.sha256(f"{uid}\n{title}\n{day}".encode()).hexdigest()
        choices = [*([name] if name else []), dated, _with(name or "event", digest[:8])]
        again = (_with(name or "event", f"{digest[:8]}-{number}") for number in count(2))
        slug = next(choice for choice in chain(choices, again) if choice not in taken)
        taken.add(slug)
        slugs[index] = slug
    return slugs


def _with(name: str, ending: str) -> str:
    return f"{name[: _MAX_LENGTH - len(ending) - 1].rstrip('-')}-{ending}"
