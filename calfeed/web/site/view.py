"""A site as the templates show it, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, g

from calfeed.model.site import PRODUCT, Image, Site
from calfeed.model.values import Text
from calfeed.web.pages.reader.languages import LocalizedText, Reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.site.files import SiteFiles, list_files


@dataclass(frozen=True)
class SiteView:
    """A site for a reader. `title` and `text` open the home page.

    `about` are the pages about the site: their names in URLs, and their titles.
    """

    name: LocalizedText
    title: LocalizedText
    text: LocalizedText
    logo: Image | None
    files: SiteFiles
    about: tuple[tuple[str, str], ...]
    contact: str
    own: bool
    credit: bool


def make_view(site: Site, reader: Reader) -> SiteView:
    """Return a site for a reader."""

    def localize(text: Text | None, default: str) -> LocalizedText:
        if text is None:
            return LocalizedText(default, reader.language.tag)
        return reader.localize(text, site.language)

    own = site.name is not None
    name = localize(site.name, PRODUCT)
    titles = title_pages()
    lead = gettext("Dates that matter, and that move. Look, or let your calendar follow them.")
    return SiteView(
        name=name,
        title=localize(site.title, "") if site.title else name if own else _key_dates(reader),
        text=localize(site.text, "" if own else lead),
        logo=site.logo,
        files=list_files(site),
        about=tuple((page, titles[page]) for page in titles if page in site.about),
        contact=contact_url(site.contact),
        own=own,
        credit=own and site.credit,
    )


def name_site(site: Site) -> str:
    """Return the name of a site in its default language."""
    return site.name_in(site.language)


def title_pages() -> dict[str, str]:
    """Return the titles of the pages about a site, in the reader's language."""
    return {
        "imprint": gettext("Imprint"),
        "privacy": gettext("Privacy"),
        "accessibility": gettext("Accessibility"),
    }


def contact_url(contact: str) -> str:
    """Return the URL of a contact, a mail address or a URL."""
    return contact if not contact or "://" in contact else f"mailto:{contact}"


def add_site(app: Flask, find_site: Callable[[], Site]) -> None:
    """Add the site to the templates of an application."""

    @app.context_processor
    def offer() -> dict[str, Any]:
        return {"site": make_view(find_site(), g.reader)}


def _key_dates(reader: Reader) -> LocalizedText:
    return LocalizedText(gettext("Key dates"), reader.language.tag)
