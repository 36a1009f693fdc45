"""The routes of files that search engines, browsers and others request on their own."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from urllib.parse import urljoin

from flask import Blueprint, Response, abort

from calfeed.model.contrast import PAPERS
from calfeed.model.site import Site
from calfeed.model.texts import text_direction
from calfeed.web.pages.page_cache import PUBLIC
from calfeed.web.pictures.content import ACCENT
from calfeed.web.prefix import SECURITY, prefix_of
from calfeed.web.published.snapshot import EMPTY, Snapshot
from calfeed.web.published.state import State
from calfeed.web.sharing.head import make_absolute
from calfeed.web.sharing.icons import (
    FAVICON,
    TOUCH_ICON,
    make_favicon,
    make_manifest,
    make_touch_icon,
)
from calfeed.web.sharing.sitemap import SITEMAP, list_pages, make_index, make_sitemaps
from calfeed.web.site.view import contact_url, name_site

_XML = "application/xml; charset=utf-8"

_DISALLOWED = (
    *("/api/", "/console", "/dav/", "/follow/", "/private/"),
    *("/healthz", "/metrics", "/readyz"),
    # Searches.
    *("/*?q=", "/*&q="),
)
"""The paths that search engines should not read (RFC 9309)."""

_TRUSTED_FOR = timedelta(days=180)
"""How long `security.txt` is valid; less than a year (RFC 9116, 2.5.5)."""


def make_blueprint(state: State, base_url: str, *, pictures: bool) -> Blueprint:
    """Return the routes; `pictures` says that icons can be drawn."""
    sharing = Blueprint("sharing", __name__)
    last: tuple[Snapshot, list[bytes]] = (EMPTY, [])

    def absolute(address: str) -> str:
        return make_absolute(base_url, address)

    def list_sitemaps() -> list[bytes]:
        """Return the sitemaps, which are made once for each snapshot."""
        nonlocal last
        snapshot, sitemaps = state.snapshot, last[1]
        if last[0] is not snapshot:
            sitemaps = make_sitemaps(list_pages(snapshot), snapshot.offered.offer.tags, absolute)
            last = snapshot, sitemaps
        return sitemaps

    @sharing.after_request
    def set_cache_headers(response: Response) -> Response:
        if response.status_code == 200:
            response.headers["Cache-Control"] = PUBLIC
        return response

    @sharing.get("/robots.txt")
    def robots() -> Response:
        path = prefix_of(base_url)
        lines = ["User-agent: *", *(f"Disallow: {path}{each}" for each in _DISALLOWED), ""]
        text = "\n".join([*lines, f"Sitemap: {base_url}{SITEMAP}", ""])
        return Response(text, content_type="text/plain; charset=utf-8")

    @sharing.get(SECURITY)
    def security() -> Response:
        text = write_security(state.snapshot.site, base_url, state.clock())
        if text is None:
            abort(404)
        return Response(text, content_type="text/plain; charset=utf-8")

    @sharing.get(SITEMAP)
    def sitemap() -> Response:
        found = list_sitemaps()
        body = found[0] if len(found) == 1 else make_index(len(found), absolute)
        return Response(body, content_type=_XML)

    @sharing.get("/sitemap-<int:number>.xml")
    def part(number: int) -> Response:
        found = list_sitemaps()
        if len(found) == 1 or not 1 <= number <= len(found):
            abort(404)
        return Response(found[number - 1], content_type=_XML)

    @sharing.get("/manifest.webmanifest")
    def manifest() -> Response:
        site = state.snapshot.site
        name = name_site(site)
        colors = (site.accent or ACCENT, PAPERS[0])
        direction = text_direction(site.language)
        found = make_manifest(site, name, direction, colors, drawn=pictures)
        body = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        return Response(body, content_type="application/manifest+json; charset=utf-8")

    @sharing.get(FAVICON)
    def favicon() -> Response:
        return _image(make_favicon(state.snapshot.site.icon, drawn=pictures), "image/x-icon")

    @sharing.get(TOUCH_ICON)
    def touch_icon() -> Response:
        icon = state.snapshot.site.icon
        return _image(make_touch_icon(icon, drawn=pictures), "image/png")

    return sharing


def write_security(site: Site, base_url: str, now: datetime) -> str | None:
    """Return the content of `security.txt` (RFC 9116), whose contact is the site's.

    None if the site has no contact, or only an `http:` URL. The content is the same for a whole day
    (UTC).
    """
    contact = contact_url(site.contact)
    if not contact.startswith(("mailto:", "https:")):
        return None
    expires = datetime.combine(now.date() + _TRUSTED_FOR, time())
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires.isoformat()}Z",
        f"Preferred-Languages: {', '.join(site.languages)}",
        f"Canonical: {urljoin(base_url, SECURITY)}",
        "",
    ]
    return "\n".join(lines)


def _image(content: bytes | None, content_type: str) -> Response:
    if content is None:
        abort(404)
    return Response(content, content_type=content_type)
