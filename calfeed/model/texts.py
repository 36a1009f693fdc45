"""Words as people write them: slugs, languages, texts, addresses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from calfeed.errors import InvalidValueError

LONGEST_TEXT = 10_000
LONGEST_URL = 2_000

PLAIN = "und"
"""The language a plain string is kept under until the calendar's own is known (RFC 5646, 4.1)."""

SLUG_PATTERN = "^[a-z0-9][a-z0-9-]{0,63}$"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# RFC 5646, 2.1, without the registry: a language, then subtags of up to 8 letters and digits.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LOGIN = re.compile(r"[^/?#]*//[^/?#]*@")
_AROUND = re.compile(r"\A[\s\ufeff]+|[\s\ufeff]+\Z")
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


def by_language(written: Mapping[str, str] | None, language: str) -> dict[str, str] | None:
    """The text with what was a plain string under `language`, in the order of the tags.

    White space around it, which YAML's blocks leave at the end, is not part of it.

    The order is the one a text has after it was stored, so both read the same.
    """
    if written is None:
        return None
    named = dict(written)
    if PLAIN in named:
        named = {language: named.pop(PLAIN), **named}
    return {tag: trim(text) for tag, text in sorted(named.items())}


def trim(text: str) -> str:
    """The text without white space and byte order marks around it; empty if nothing can be seen.

    What joins, separates or turns characters (Unicode's Cf) has no look of its own.
    """
    if all(one.isspace() or unicodedata.category(one) == "Cf" for one in text):
        return ""
    return _AROUND.sub("", text)


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The choice that `word` was probably meant to be, None where nothing is close.

    `cutoff` is how alike the two have to be, from 0 to 1 (the same).
    """
    found = difflib.get_close_matches(word, choices, n=1, cutoff=cutoff)
    return found[0] if found else None


def listed(words: Iterable[str]) -> str:
    """The words as a sentence has them: "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def check_slug(text: str) -> str:
    """Return a slug (`[a-z0-9-]`, 1 to 64 characters, no hyphen first), else raise ValueError."""
    if _SLUG.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    better = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-")
    hint = f'; write "{better}"' if better else ', such as "pm-address"'
    raise InvalidValueError(
        shortened(text),
        f'cannot be a name in an address: use 1 to 64 of a-z, 0-9 and "-", not "-" first{hint}',
    )


def check_language(tag: str) -> str:
    """Return a BCP 47 tag in its usual case ("fa-AF", "az-Cyrl"), else raise ValueError."""
    if not _LANGUAGE.fullmatch(tag) or len(tag) > 35:
        fixed = tag.replace("_", "-")
        hint = f'write "{fixed}"' if _LANGUAGE.fullmatch(fixed) else 'such as "en", "ur" or "fa-AF"'
        raise InvalidValueError(shortened(tag), f"is not a language tag (BCP 47); {hint}")
    first, *others = tag.split("-")
    return "-".join([first.lower(), *map(_cased, others)])


def _cased(subtag: str) -> str:
    if len(subtag) == 2 and subtag.isalpha():
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()


def check_text(text: str) -> str:
    """Return the text, trimmed; raise ValueError if there is nothing to see, or it is too long."""
    trimmed = trim(text)
    if not trimmed:
        raise ValueError("must not be empty; write a text, or leave the key away")
    if len(trimmed) > LONGEST_TEXT:
        raise ValueError(f"has {len(trimmed):,} characters; the most is {LONGEST_TEXT:,}")
    return trimmed


def check_line(text: str) -> str:
    """Return a text of one line; raise ValueError for anything else."""
    trimmed = check_text(text)
    if "\n" in trimmed:
        raise ValueError("must be one line; the rest belongs in the description")
    return trimmed


def check_url(text: str) -> str:
    """Return an http or https URL in ASCII (RFC 3986), else raise ValueError.

    Characters beyond ASCII after the host are percent-encoded, as a browser does.
    """
    url = text.strip()
    if _LOGIN.match(url):  # first of all, so that no other error repeats it
        raise ValueError("a URL that everybody can read must not carry a user name or password")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidValueError(shortened(url), f"is not a URL ({error})") from error
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidValueError(shortened(url), "is not a URL; write one that begins with https://")
    if not parts.netloc.isascii():
        raise InvalidValueError(host, 'must be in its ASCII form (it begins with "xn--")')
    encoded = quote(url, safe=_PRINTABLE_ASCII)
    if any(character.isspace() for character in url):
        raise InvalidValueError(shortened(url), "is not a URL: it has white space in it; write %20")
    if len(encoded) > LONGEST_URL:
        raise ValueError(f"has {len(encoded):,} characters; the most for a URL is {LONGEST_URL:,}")
    return encoded


def shortened(text: str, length: int = 60) -> str:
    """The text, cut where it is too long to be repeated in an error."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
