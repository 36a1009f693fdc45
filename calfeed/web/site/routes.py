"""The routes of a site's files, and of the pages about it."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urljoin, urlsplit

from flask import Blueprint, Response, abort, g, render_template, request

from calfeed.ical.wording.markdown import to_page_html
from calfeed.model.site import ABOUT_PAGES
from calfeed.web.pages.page_cache import PUBLIC
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.request_options import address
from calfeed.web.published.state import State
from calfeed.web.site.files import MOUNT, find_embed_theme, list_files
from calfeed.web.site.view import title_pages

# Scripts of an SVG do not run in <img>, but they would if somebody opened the file directly.
_IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def make_blueprint(state: State) -> Blueprint:
    site = Blueprint("site", __name__)

    @site.get(f"{MOUNT}<name>")
    def file(name: str) -> Response:
        found = list_files(state.snapshot.site).find(name) or find_embed_theme(name)
        if found is None:
            abort(404)
        response = Response(found.content, content_type=found.content_type)
        response.headers["Cache-Control"] = PUBLIC
        if found.content_type.startswith("image/"):
            response.headers["Content-Security-Policy"] = _IMAGE_POLICY
        return response

    @site.get(f"/<any({', '.join(ABOUT_PAGES)}):about>/")
    def about(about: str) -> Response:
        reader: Reader = g.reader
        text = state.snapshot.site.about.get(about)
        if text is None:
            abort(404)
        written = reader.localize(text, state.snapshot.site.language)
        html = to_page_html(written.text, _resolve)
        page = render_template("about.html", title=title_pages()[about], written=written, html=html)
        response = Response(page)
        response.headers["Cache-Control"] = PUBLIC
        response.headers["Vary"] = "Accept-Encoding, Accept-Language"
        return response

    return site


def _resolve(link: str) -> str:
    """Return the address of a link on this page that leads to another place of the site.

    A link to another page keeps the language and zone of the request.
    """
    if link.startswith("#"):
        return link
    parts = urlsplit(urljoin(f"https://site{request.path}", link))
    path = "/" + parts.path.lstrip("/")
    if path.endswith("/"):
        query = {name: tuple(values) for name, values in parse_qs(parts.query).items()}
        found = address(unquote(path), **query)
    else:
        found = request.script_root + path + (f"?{parts.query}" if parts.query else "")
    return f"{found}#{parts.fragment}" if parts.fragment else found
