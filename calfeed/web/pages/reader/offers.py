"""The languages that a site offers, and which of them a reader gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from babel.support import NullTranslations
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from calfeed.model import site
from calfeed.model.site import SHIPPED_LANGUAGES
from calfeed.model.texts import LANGUAGE_ALIASES, check_known_language, list_bases, script_of
from calfeed.web.catalogs import CatalogWording, chain_catalogs, list_fallbacks
from calfeed.web.pages.reader.locales import Language, name_language, name_locale

if TYPE_CHECKING:
    from calfeed.web.own_catalogs.loading import OwnCatalog

_REVIEWED = frozenset({"en"})
"""The shipped languages whose texts a native speaker wrote or reviewed."""

_MAX_HEADER_LENGTH = 500


@dataclass(frozen=True)
class Offer:
    """The tags of the languages that a site offers, in their order; the first is the default."""

    tags: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.tags[0]

    @cached_property
    def known(self) -> frozenset[str]:
        """The tags that select one of the languages, such as `fa` for `fa-AF`."""
        selecting = {prefix for tag in self.tags for prefix in list_bases(tag)}
        aliases = {old for old, new in LANGUAGE_ALIASES.items() if new.split("-")[0] in selecting}
        return frozenset(selecting | aliases)

    def find(self, tag: str) -> str | None:
        """Return the offered tag that is nearest to a tag, ignoring case: `fa-AF` for `fa-IR`."""
        return _find(self.tags, tag.lower())

    def choose(self, accepted: str) -> str:
        """Return the preferred tag for Accept-Language (RFC 9110, 12.5.4), else the default."""
        if len(self.tags) == 1 or len(accepted) > _MAX_HEADER_LENGTH:
            return self.default
        return _choose(self, accepted)


@lru_cache(maxsize=1024)
def _choose(offer: Offer, accepted: str) -> str:
    for tag, quality in parse_accept_header(accepted, LanguageAccept):
        found = offer.find(tag.replace("_", "-"))
        if found is not None and quality > 0:
            return found
    return offer.default


@lru_cache(maxsize=1024)
def _find(offered: tuple[str, ...], tag: str) -> str | None:
    by_lower = {each.lower(): each for each in offered}
    wanted = [each.lower() for each in list_bases(tag)]
    for prefix in wanted:
        if prefix in by_lower:
            return by_lower[prefix]
    related = [each for lower, each in by_lower.items() if list_bases(lower)[-1] == wanted[-1]]
    alike = [each for each in related if script_of(each) == script_of(tag)]
    return next(iter([*alike, *related]), None)


@dataclass(frozen=True)
class SiteLanguages:
    """The languages of a site's pages and mails, in their order; the first is the default."""

    languages: tuple[Language, ...]

    def __iter__(self) -> Iterator[Language]:
        return iter(self.languages)

    @property
    def default(self) -> Language:
        return self.languages[0]

    @property
    def several(self) -> bool:
        return len(self.languages) > 1

    @cached_property
    def offer(self) -> Offer:
        return Offer(tuple(language.tag for language in self.languages))

    def find(self, tag: str) -> Language | None:
        """Return the language that is nearest to a tag (BCP 47); None if no language is near it."""
        found = self.offer.find(tag)
        return None if found is None else self._by_tag[found]

    def choose(self, accepted: str) -> Language:
        """Return the preferred language for an Accept-Language header."""
        return self._by_tag[self.offer.choose(accepted)]

    def wording_in(self, tag: str) -> CatalogWording:
        """Return the texts of mails in a language, in the default one if it is not offered."""
        language = self.find(tag) or self.default
        return CatalogWording(language.tag, language.catalog)

    @cached_property
    def _by_tag(self) -> dict[str, Language]:
        return {language.tag: language for language in self.languages}


def make_site_languages(
    tags: Sequence[str] = (),
    own_catalogs: Mapping[str, bytes] | None = None,
    names: Mapping[str, str] | None = None,
    first_day: int | None = None,
) -> SiteLanguages:
    """Make the languages of a site from their tags (BCP 47), the default one first.

    Without tags they are English, Urdu, Pashto and Dari. `own_catalogs` are the contents of the
    site's own .po files by tag; texts with problems (see `check_catalog`) are left out. `names` are
    names of languages that replace CLDR's. `first_day` is the first day of the week (0 is Monday);
    None means that of each language. Raises InvalidValueError for a tag that CLDR does not know.
    """
    chosen = tags or site.DEFAULT_LANGUAGES
    # Reading a catalog can take a second, so only catalogs in which texts are looked up are read.
    needed = {each for tag in chosen for each in list_fallbacks(tag)}
    own = _load({tag: po for tag, po in (own_catalogs or {}).items() if tag in needed})
    given = names or {}
    return SiteLanguages(
        tuple(
            Language(
                tag,
                given.get(tag) or name_language(tag),
                name_locale(tag),
                reviewed=_is_reviewed(tag, own),
                own=_chain(tag, own),
                first_day=first_day,
            )
            for tag in dict.fromkeys(map(check_known_language, chosen))
        )
    )


def _load(catalogs: Mapping[str, bytes]) -> dict[str, OwnCatalog]:
    if not catalogs:
        return {}
    # Imported only here, because frontends import this module and read no .po files.
    from calfeed.web.own_catalogs.loading import load_own_catalog

    return {tag: load_own_catalog(content, tag) for tag, content in catalogs.items()}


def _chain(tag: str, own: Mapping[str, OwnCatalog]) -> NullTranslations | None:
    """Return the translations of a language with the site's own; None if the site has none."""
    if own.keys().isdisjoint(list_fallbacks(tag)):
        return None
    return chain_catalogs(tag, lambda each: own[each].open() if each in own else None)


def _is_reviewed(tag: str, own: Mapping[str, OwnCatalog]) -> bool:
    """Return whether no text in a language is a machine translation that nobody has reviewed."""
    for each in list_fallbacks(tag):
        if each in own and own[each].complete:
            return True
        if each in SHIPPED_LANGUAGES:
            return each in _REVIEWED
    return True
