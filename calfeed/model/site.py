"""A site: its name, languages and look, and pages such as the imprint."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from pydantic import ConfigDict, Field

from calfeed.model.values import Text, Value, text_in

PRODUCT = "calfeed"
"""The name of a site that has none of its own."""

ABOUT_PAGES = ("imprint", "privacy", "accessibility")
"""The pages about a site, by their names in URLs, in the order of the footer."""

MAX_ABOUT_LENGTH = 100_000
"""The maximum length of the text of such a page, in characters."""

DEFAULT_LANGUAGES = ("en", "ur", "ps", "fa-AF")
"""The languages of a site without a `site.yaml`; the first is its default."""

SHIPPED_LANGUAGES = ("en", "ur", "ps", "fa-AF", "fr", "es", "ar", "de")
"""The languages that calfeed has translations for."""


class Image(Value):
    """A logo or an icon, with its size in pixels; that of an SVG may have only the right ratio."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    suffix: str
    content: bytes = Field(repr=False)
    width: int
    height: int

    @property
    def digest(self) -> str:
        """A short digest, for a URL that changes with the image."""
        return sha256(self.content).hexdigest()[:12]


class Site(Value):
    """The content of `site.yaml`, with the files that it names.

    `title` and `text` open the home page. `languages` (BCP 47 tags) are those of the pages, in
    order; the first is the default. `accent` is a colour (`#rrggbb`). `about` are texts in Markdown
    by page (`ABOUT_PAGES`). `contact` is a mail address or a URL. `time_zone` is that of pages
    about all calendars, `first_day` the first day of the week (0 is Monday). `catalogs` are gettext
    catalogs (`.po`) by language. With `credit`, pages say that they are made with calfeed.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    name: Text | None = None
    title: Text | None = None
    text: Text | None = None
    languages: tuple[str, ...] = DEFAULT_LANGUAGES
    logo: Image | None = None
    icon: Image | None = None
    accent: str = ""
    about: Mapping[str, Text] = {}
    contact: str = ""
    time_zone: str = ""
    first_day: int | None = None
    catalogs: Mapping[str, bytes] = Field(default={}, repr=False)
    credit: bool = True

    @property
    def language(self) -> str:
        """The default language."""
        return self.languages[0]

    def name_in(self, language: str) -> str:
        """Return the name in a language (BCP 47 tag), or else in the default one."""
        return text_in(self.name, language, self.language) if self.name else PRODUCT


DEFAULT_SITE = Site()
"""The site of definitions without a `site.yaml`."""
