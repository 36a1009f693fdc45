"""The sitemap: all pages in all their languages (sitemaps.org, and Google's links to languages)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from calfeed.web.published.snapshot import ALL, Snapshot

SITEMAP = "/sitemap.xml"

MAX_URLS = 50_000
MAX_BYTES = 5_000_000
"""The limits of one sitemap. The protocol allows ten times as many bytes."""

_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OPEN = (
    f'{_PROLOG}<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
)
_CLOSE = "</urlset>\n"


_MAX_LINKS = 100_000
"""The most links between the languages of pages: about 13 MB."""


class Page(NamedTuple):
    """The path of a page, and when it changed last, if that is known."""

    path: str
    modified: datetime | None


def list_pages(snapshot: Snapshot) -> Iterator[Page]:
    """List the public pages. Other views, filters and pages of lists are found from these."""
    combined = snapshot.sources.get(ALL)
    modified = combined.modified if combined else None
    yield Page("/", modified)
    yield Page("/subscribe/", None)
    for name in snapshot.site.about:
        yield Page(f"/{name}/", None)
    for slug, found in snapshot.calendars.items():
        yield Page(f"/calendars/{slug}/", found.modified)
        yield Page(f"/subscribe/{slug}/", None)
        for row in found.by_slug.values():
            yield Page(f"/calendars/{slug}/{row.slug}/", row.revision.modified)


def make_sitemaps(
    pages: Iterable[Page],
    tags: Sequence[str],
    absolute: Callable[[str], str],
    max_urls: int = MAX_URLS,
    max_bytes: int = MAX_BYTES,
) -> list[bytes]:
    """Return sitemaps of pages in languages; several if one would be too large.

    `absolute` returns the URL of an address. The first language is the default. For a large site,
    only pages in the default language are listed: each page names its other languages itself.
    """
    pages = list(pages)
    if len(pages) * len(tags) ** 2 > _MAX_LINKS:
        tags = tags[:1]
    sitemaps: list[bytes] = []
    entries: list[bytes] = []
    size = len(_OPEN) + len(_CLOSE)
    for page in pages:
        for entry in _make_entries(page, tags, absolute):
            if len(entries) == max_urls or size + len(entry) > max_bytes:
                sitemaps.append(_join(entries))
                entries, size = [], len(_OPEN) + len(_CLOSE)
            entries.append(entry)
            size += len(entry)
    return [*sitemaps, _join(entries)]


def make_index(count: int, absolute: Callable[[str], str]) -> bytes:
    """Return the index of `count` sitemaps."""
    lines = [
        f"<sitemap><loc>{escape(absolute(sitemap_path(number)))}</loc></sitemap>\n"
        for number in range(1, count + 1)
    ]
    opened = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{_PROLOG}{opened}{''.join(lines)}</sitemapindex>\n".encode()


def sitemap_path(number: int) -> str:
    return f"/sitemap-{number}.xml"


def _make_entries(
    page: Page, tags: Sequence[str], absolute: Callable[[str], str]
) -> Iterator[bytes]:
    addresses = {tag: page.path if tag == tags[0] else f"{page.path}?lang={tag}" for tag in tags}
    urls = {tag: absolute(address) for tag, address in addresses.items()}
    links = ""
    if len(tags) > 1:
        others = {**urls, "x-default": urls[tags[0]]}
        links = "".join(
            f"<xhtml:link rel={quoteattr('alternate')} hreflang={quoteattr(tag)}"
            f" href={quoteattr(url)}/>"
            for tag, url in others.items()
        )
    modified = f"<lastmod>{page.modified:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if page.modified else ""
    for url in urls.values():
        yield f"<url><loc>{escape(url)}</loc>{modified}{links}</url>\n".encode()


def _join(entries: Sequence[bytes]) -> bytes:
    return b"".join([_OPEN.encode(), *entries, _CLOSE.encode()])
