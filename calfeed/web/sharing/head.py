"""The head of a page, which describes it to search engines and to apps that preview links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from flask import Flask, current_app, g, request
from markupsafe import Markup

from calfeed.web.pages.choosing.page_choice import names_choice
from calfeed.web.pages.query import CHOICE
from calfeed.web.pictures.addresses import Picture, make_picture
from calfeed.web.prefix import prefix_of
from calfeed.web.published.state import State
from calfeed.web.sharing.icons import has_touch_icon

_PAGES = frozenset(
    {
        *("pages.home", "pages.calendar", "pages.event"),
        *("pages.subscribe", "pages.subscribe_to_all", "site.about"),
    }
)
"""The endpoints of the pages that are meant to be found."""

_CHOICES = frozenset({"pages.choice", "pages.subscribe_to_all"})
"""The endpoints of the pages of a reader's choice, which are shared, but not to be found."""

_KEPT = ("begun", "category", "from", "month", "skip", "until", "view", "year")
"""The parameters that choose what a page shows. A time zone only changes how times are written."""

_MAX_ABOUT = 200
"""The most characters of the text about a page; previews show no more."""

_EXTENSION = "calfeed-sharing"


@dataclass(frozen=True)
class Head:
    """The head of a page. Search engines leave it out if it is not `indexed`.

    `parameters` choose what the page shows. `previewed` is false for a search, which apps show no
    preview of.
    """

    base_url: str
    picture: Picture | None
    parameters: Sequence[str] = _KEPT
    indexed: bool = True
    previewed: bool = True

    def url_in(self, tag: str, default: str) -> str:
        """Return the URL of this page in a language; the default one has no parameter."""
        kept = {name: sorted(request.args.getlist(name)) for name in self.parameters}
        chosen = {**kept, "lang": tag if tag != default else ""}
        query = urlencode({k: v for k, v in sorted(chosen.items()) if v}, doseq=True)
        return make_absolute(self.base_url, quote(request.path) + (f"?{query}" if query else ""))

    def absolute(self, link: str) -> str:
        """Return the URL that a link leads to; in an export, the URL of its file."""
        return _resolve(self.base_url, link)

    @property
    def picture_url(self) -> str:
        return find_picture_url(self.base_url)


def make_absolute(base_url: str, path: str) -> str:
    """Return the URL of a path of this site; in an export, the URL of its file."""
    return _resolve(base_url, prefix_of(base_url) + path)


def _resolve(base_url: str, link: str) -> str:
    files: Any = current_app.jinja_env.globals.get("files", {})  # in an export, a dictionary
    return urljoin(base_url, str(files.get(link, link)))


def add_head(app: Flask, state: State, base_url: str, *, pictures: bool) -> None:
    """Add the head to the templates of an application, with `pictures` if they can be drawn."""
    app.extensions[_EXTENSION] = state, pictures
    app.add_template_filter(_shorten, "brief")

    @app.context_processor
    def offer() -> dict[str, Any]:
        found = None
        if request.endpoint in _PAGES | _CHOICES and not g.get("in_error"):
            found = _make_head(base_url)
        icon = has_touch_icon(state.snapshot.site.icon, drawn=pictures)
        return {"shared": found, "touch_icon": icon}


def _make_head(base_url: str) -> Head:
    if request.endpoint in _CHOICES and names_choice():
        kept = sorted({*_KEPT, *CHOICE})
        return Head(base_url, find_picture(), kept, indexed=False)
    searched = bool(request.args.get("q"))
    return Head(base_url, find_picture(), indexed=not searched, previewed=not searched)


def _shorten(text: str | Markup) -> str:
    """Return the beginning of a text, in one line and without markup."""
    words = " ".join((text.unescape() if isinstance(text, Markup) else text).split())
    if len(words) <= _MAX_ABOUT:
        return words
    return words[:_MAX_ABOUT].rpartition(" ")[0].rstrip(" ,.;:،؛") + "…"


def find_picture() -> Picture | None:
    """Return the picture of the page of this request, None if there is none."""
    if "picture" not in g:
        g.picture = _find_picture()
    found: Picture | None = g.picture
    return found


def find_picture_url(base_url: str) -> str:
    """Return the URL of the picture of the page of this request, "" if there is none."""
    found = find_picture()
    return make_absolute(base_url, found.address) if found else ""


def _find_picture() -> Picture | None:
    state, pictures = current_app.extensions[_EXTENSION]
    if not pictures:
        return None
    arguments = request.view_args or {}
    calendar = state.snapshot.calendars.get(arguments.get("slug", ""))
    row = calendar.by_slug.get(arguments.get("event_slug", "")) if calendar else None
    return make_picture(state, calendar, row)


def list_tags() -> list[str]:
    """Return the languages of the pages, as BCP 47 tags; the first is the default."""
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    return [language.tag for language, _ in context["languages"]]
