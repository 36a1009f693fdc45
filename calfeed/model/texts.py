"""Checks and helpers for slugs, language tags, texts and URLs."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

from calfeed.errors import InvalidValueError

MAX_TEXT_LENGTH = 10_000
MAX_URL_LENGTH = 2_000

UNTAGGED = "und"
"""The tag of a text whose language is not known yet ("undetermined", RFC 5646, 4.1)."""

SLUG_PATTERN = "^[a-z0-9][a-z0-9-]{0,63}$"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# The syntax of a tag (RFC 5646, 2.1); subtags need not be registered.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_LOGIN = re.compile(r"[^/?#]*//[^/?#]*@")
_AROUND = re.compile(r"\A[\s\ufeff]+|[\s\ufeff]+\Z")
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))

# The scripts whose letters Unicode sets from right to left, and variants of them (ISO 15924).
_RTL_SCRIPTS = frozenset(
    {
        *("Adlm", "Arab", "Aran", "Armi", "Avst", "Chrs", "Cprt", "Elym", "Gara", "Hatr", "Hebr"),
        *("Hung", "Khar", "Lydi", "Mand", "Mani", "Mend", "Merc", "Mero", "Narb", "Nbat", "Nkoo"),
        *("Orkh", "Ougr", "Palm", "Phli", "Phlp", "Phnx", "Prti", "Rohg", "Samr", "Sarb", "Sogd"),
        *("Sogo", "Syrc", "Syre", "Syrj", "Syrn", "Thaa", "Yezi"),
    }
)


def by_language(written: Mapping[str, str] | None, language: str) -> dict[str, str] | None:
    """Return trimmed texts sorted by tag, with an untagged text under `language`.

    Returns None for None. Texts from the store have the same order.
    """
    if written is None:
        return None
    texts = dict(written)
    if UNTAGGED in texts:
        texts = {language: texts.pop(UNTAGGED), **texts}
    return {tag: trim(text) for tag, text in sorted(texts.items())}


def trim(text: str) -> str:
    """Strip white space and byte order marks; return "" if no character is visible.

    Format characters (Unicode's Cf) are invisible.
    """
    if all(char.isspace() or unicodedata.category(char) == "Cf" for char in text):
        return ""
    return _AROUND.sub("", text)


def nearest(word: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the choice closest to `word`, if its similarity (0 to 1) reaches `cutoff`."""
    matches = difflib.get_close_matches(word, choices, n=1, cutoff=cutoff)
    return matches[0] if matches else None


def join_words(words: Iterable[str]) -> str:
    """Join words as in a sentence: "a, b and c"."""
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
        f'is not a valid name: use 1 to 64 of a-z, 0-9 and "-", not starting with "-"{hint}',
    )


def check_language(tag: str) -> str:
    """Return a BCP 47 tag in conventional case ("fa-AF", "az-Cyrl"), else raise ValueError."""
    if not _LANGUAGE.fullmatch(tag) or len(tag) > 35:
        fixed = tag.replace("_", "-")
        hint = f'write "{fixed}"' if _LANGUAGE.fullmatch(fixed) else 'such as "en", "ur" or "fa-AF"'
        raise InvalidValueError(shortened(tag), f"is not a language tag (BCP 47); {hint}")
    first, *others = tag.split("-")
    return "-".join([first.lower(), *map(_cased, others)])


def check_known_language(tag: str) -> str:
    """Return a BCP 47 tag of a language for which CLDR has data, else raise ValueError."""
    # Imported late: Babel loads slowly.
    from babel import Locale, UnknownLocaleError

    checked = check_language(tag)
    try:
        if not checked.startswith(UNTAGGED):
            Locale.parse(LANGUAGE_ALIASES.get(checked, checked), sep="-")
            return checked
    except (UnknownLocaleError, ValueError):
        pass
    raise InvalidValueError(
        shortened(tag),
        'is not a language that CLDR knows; write a tag such as "fr" or "pt-BR"',
    )


LANGUAGE_ALIASES = {"prs": "fa-AF"}
"""Tags of languages for which CLDR uses another tag."""


def list_bases(tag: str) -> list[str]:
    """List a language and those that it is a part of: `fr-CA`, `fr`; `prs`, `fa-AF`, `fa`."""
    base = tag.split("-")[0]
    return list(dict.fromkeys([*_prefixes(tag), *_prefixes(LANGUAGE_ALIASES.get(base, base))]))


def _prefixes(tag: str) -> list[str]:
    parts = tag.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


@lru_cache(maxsize=1024)
def script_of(tag: str) -> str:
    """Return the script in a tag, or else the usual one of the language: `Hant` for `zh-TW`.

    It is "" for a language of which CLDR knows no script.
    """
    # Imported late: Babel loads slowly.
    from babel.core import get_global

    base, *others = tag.split("-")
    if others and len(others[0]) == 4 and others[0].isalpha():
        return others[0].title()
    likely, aliases = get_global("likely_subtags"), get_global("language_aliases")
    parts = [each.partition("-") for each in list_bases(tag.lower())]
    names = [f"{language}_{rest.upper()}".rstrip("_") for language, _, rest in parts]
    names.append(aliases.get(base.lower(), ""))
    full: str = next((likely[name] for name in names if name in likely), "")
    return full.split("_")[1] if "_" in full else ""


def text_direction(tag: str) -> str:
    """Return the writing direction of a language (BCP 47 tag): `rtl` or `ltr`."""
    return "rtl" if script_of(tag) in _RTL_SCRIPTS else "ltr"


def _cased(subtag: str) -> str:
    if len(subtag) == 2 and subtag.isalpha():
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()


def check_text(text: str, maximum: int = MAX_TEXT_LENGTH) -> str:
    """Return the text, trimmed; raise ValueError if it is blank or too long."""
    trimmed = trim(text)
    if not trimmed:
        raise ValueError("must not be empty; write a text, or remove the key")
    if len(trimmed) > maximum:
        raise ValueError(f"has {len(trimmed):,} characters; the maximum is {maximum:,}")
    return trimmed


def check_line(text: str) -> str:
    """Return a one-line text, trimmed; raise ValueError for anything else."""
    trimmed = check_text(text)
    if "\n" in trimmed:
        raise ValueError("must be one line; move the rest to the description")
    return trimmed


def check_url(text: str) -> str:
    """Return an http or https URL in ASCII (RFC 3986), else raise ValueError.

    Non-ASCII characters after the host are percent-encoded, as in browsers.
    """
    url = text.strip()
    if _LOGIN.match(url):  # checked first, so that no other error quotes the password
        raise ValueError("a public URL must not contain a user name or password")
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
        raise InvalidValueError(shortened(url), "is not a URL: it contains white space; write %20")
    if len(encoded) > MAX_URL_LENGTH:
        raise ValueError(
            f"has {len(encoded):,} characters; the maximum for a URL is {MAX_URL_LENGTH:,}"
        )
    return encoded


def shortened(text: str, length: int = 60) -> str:
    """Truncate a text for an error message."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
