"""Export the site as static files, with the same bytes as the application's responses.

A static host ignores query strings, so they become part of a file's name: `?lang=ur&alarms=0` of
`/calendars/desk.ics` is `/calendars/desk.ur.no-alarms.ics`, `/calendars/desk/?lang=ur&view=month`
is `/calendars/desk/index.month.ur.html`, `/calendars/desk/?month=2027-06&view=month` is
`/calendars/desk/index.month.2027-06.html`. Months and years are exported between a calendar's first
and last date in this year and the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from html import escape, unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from flask import Flask
from werkzeug.test import Client

from calfeed.errors import CalfeedError
from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS, FeedOptions
from calfeed.web.pages.lists.months import step_month
from calfeed.web.pages.reader.languages import ENGLISH, LANGUAGES
from calfeed.web.published.responses import StoredResponseMiddleware
from calfeed.web.published.snapshot import ALL, PublishedCalendar, Snapshot, load_snapshot
from calfeed.web.published.state import State
from calfeed.web.published.timeline import days_of

# For operators, with a token, or for programs that need the server.
_NOT_PUBLIC = ("/healthz", "/readyz", "/metrics", "/api/", "/console", "/private/", "/.well-known/")

_LINK = re.compile(r'\b(href|src)="(/[^"#]*)')

# The URL in the embedding snippet, which is text in a page.
_EMBED = re.compile(r"/embed/[a-z0-9-]+/\?lang=[A-Za-z-]+(?=&#34;)")

_STATIC_FILES = ("icon.svg", "page.js", "style.css")

_CALENDAR_ENDPOINT = "pages.calendar"
_OCCURRENCES_SUFFIX = "/occurrences.json"


class FileSource(FeedSource):
    """A feed whose options are encoded in file names."""

    def address(self, options: FeedOptions) -> str:
        """Return the URL of the file with some options."""
        return self.base_url + feed_file_path(self.path, options)


@dataclass(frozen=True)
class Page:
    """A URL of the application, and the file that its response is written to."""

    path: str
    query: str
    file: str

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def make_site(
    database: Database, base_url: str, now: datetime, time_zone: str = ""
) -> Iterator[tuple[str, bytes]]:
    """Iterate over the files of the site: path in the folder, and content.

    The same state gives the same bytes all year: upcoming and past dates are relative to the last
    publish, or to the first day of the year (UTC) if that is later. `base_url` is the site's URL;
    it may have a path. `time_zone` is used for pages about all calendars. Raises StoreError if the
    database is unavailable, CalfeedError if a page fails.
    """
    snapshot = load_snapshot(database, base_url, now)
    as_of = max(snapshot.sources[ALL].modified, datetime(now.year, 1, 1, tzinfo=UTC))
    snapshot = replace(
        snapshot,
        sources={path: _as_files(source) for path, source in snapshot.sources.items()},
    )
    state = State(database, base_url, lambda: as_of, time_zone)
    state.snapshot = snapshot
    app = make_flask(state, base_url)
    client = Client(StoredResponseMiddleware(app.wsgi_app, snapshot))
    pages = list_pages(app, snapshot, as_of)
    files = {page.address: "/" + page.file.removesuffix("index.html") for page in pages}
    # Without a language in its URL, a page is in English.
    files |= {_in_english(page): files[page.address] for page in pages if _is_page(page)}
    app.jinja_env.globals.update(as_of=as_of.date(), files=files)
    prefix = urlsplit(base_url).path
    names = _former_names(snapshot)
    for page in pages:
        body = _fetch(client, page, 200, files, prefix)
        yield page.file, body
        for new, old in names:
            folder, _, rest = page.file.partition("/")
            if rest.startswith((f"{new}.", f"{new}/")):
                yield f"{folder}/{old}{rest.removeprefix(new)}", body
    yield "404.html", _fetch(client, Page("/404.html", "", "404.html"), 404, files, prefix)
    static = Path(app.root_path, "static")
    for name in _STATIC_FILES:
        yield f"static/{name}", (static / name).read_bytes()


def list_pages(app: Flask, snapshot: Snapshot, as_of: datetime) -> list[Page]:
    """List all public pages: feeds, feeds with options, and Flask's routes."""
    views = {slug: list_views(found, as_of) for slug, found in snapshot.calendars.items()}
    paths = {*snapshot.responses, *snapshot.other_formats}
    values: dict[frozenset[str], list[dict[str, str]]] = {
        frozenset(): [{}],
        frozenset({"slug"}): [{"slug": slug} for slug in snapshot.calendars],
        frozenset({"slug", "event_slug"}): [
            {"slug": slug, "event_slug": event}
            for slug, found in snapshot.calendars.items()
            for event in found.by_slug
        ],
    }
    adapter = app.url_map.bind("")
    pages = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(_NOT_PUBLIC):
            for arguments in values.get(frozenset(rule.arguments), []):
                path = adapter.build(rule.endpoint, arguments)
                paths.add(path)
                if rule.endpoint.startswith("pages."):
                    chosen = (
                        views[arguments["slug"]] if rule.endpoint == _CALENDAR_ENDPOINT else [{}]
                    )
                    pages += [_page(path, view, one.tag) for view in chosen for one in LANGUAGES]
    files = [Page(path, "", _file_of(path)) for path in paths - {page.path for page in pages}]
    for path, source in snapshot.sources.items():
        for options in list_feed_options(source):
            files.append(Page(path, options.query(), feed_file_path(path, options)[1:]))
    for row in snapshot.rows():
        path = f"/calendars/{row.calendar}/{row.slug}.ics"
        for tag in sorted({form.language for form in row.vevents if form.language}):
            options = FeedOptions(language=tag)
            files.append(Page(path, options.query(), feed_file_path(path, options)[1:]))
    return sorted([*pages, *files], key=lambda page: page.file)


def list_views(found: PublishedCalendar, as_of: datetime) -> list[dict[str, str]]:
    """Return the query parameters of the views of a calendar that become files.

    Months and years range from the first to the last date in the year of `as_of` and the next.
    The month of `as_of` is included, so that all can be reached from there.
    """
    views = [{}, {"view": "month"}, {"view": "year"}]
    zone = ZoneInfo(found.calendar.time_zone)
    today = as_of.astimezone(zone).date()
    begin, end = date(as_of.year, 1, 1), date(as_of.year + 1, 12, 31)
    days: set[date] = set()
    for _, occurrence in found.timeline.overlapping(begin, end, zone):
        earliest, latest = days_of(occurrence, zone)
        days |= {max(begin, earliest), min(end, latest)}
    if not days:
        return views
    month, last = min(today, *days).replace(day=1), max(today, *days)
    views += [{"view": "year", "year": f"{year}"} for year in range(month.year, last.year + 1)]
    while month <= last:
        views.append({"view": "month", "month": f"{month:%Y-%m}"})
        month = step_month(month, 1)
    return views


def _page(path: str, view: Mapping[str, str], tag: str) -> Page:
    """Return a page in a view and a language; English has no parameter."""
    language = {"lang": tag} if tag != ENGLISH.tag else {}
    query = urlencode(sorted({**view, **language}.items()))
    stem, _, ending = _file_of(path).rpartition(".")
    return Page(path, query, ".".join([stem, *view.values(), *language.values(), ending]))


def _is_page(page: Page) -> bool:
    return page.file.endswith((".html", _OCCURRENCES_SUFFIX)) and "lang=" not in page.query


def _in_english(page: Page) -> str:
    """Return the URL of a page with English as parameter."""
    query = urlencode(sorted([("lang", ENGLISH.tag), *parse_qsl(page.query)]))
    return f"{page.path}?{query}"


def list_feed_options(source: FeedSource) -> list[FeedOptions]:
    """Return the options of a feed that become files: languages, with and without alarms."""
    tags = {*source.languages, ""}
    variants = [
        FeedOptions(language=tag, alarms=alarms) for tag in tags for alarms in (True, False)
    ]
    return [options for options in variants if options != DEFAULT_OPTIONS]


def feed_file_path(path: str, options: FeedOptions) -> str:
    """Return the path of the file of a feed with options: `/calendars/desk.ur.no-alarms.ics`."""
    parts = [options.language, "" if options.alarms else "no-alarms", "ics"]
    return ".".join([path.removesuffix(".ics"), *filter(None, parts)])


def _file_of(path: str) -> str:
    return path[1:] + ("index.html" if path.endswith("/") else "")


def _as_files(source: FeedSource) -> FileSource:
    return FileSource(**{field.name: getattr(source, field.name) for field in fields(source)})


def _former_names(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return pairs of current and former names of public calendars.

    A static file cannot redirect, so the same files exist under former names.
    """
    return sorted(
        (new, old)
        for old, new in snapshot.renamed.items()
        if new in snapshot.calendars and old not in snapshot.all_calendars
    )


def _fetch(client: Client, page: Page, status: int, files: dict[str, str], prefix: str) -> bytes:
    response = client.get(page.path, query_string=page.query, headers={"Accept": "text/html"})
    if response.status_code != status:
        raise CalfeedError(
            f"the page {page.address} failed with status {response.status_code}, so the site was "
            "not exported"
        )
    if page.path.endswith(_OCCURRENCES_SUFFIX):
        items = [{**item, "url": prefix + files[item["url"]]} for item in response.get_json()]
        return json.dumps(items, ensure_ascii=False).encode()
    if response.mimetype != "text/html":
        return response.get_data()

    def rewrite(link: re.Match[str]) -> str:
        target = unescape(link[2])
        return f'{link[1]}="{escape(prefix + files.get(target, target))}'

    text = _LINK.sub(rewrite, response.get_data(as_text=True))
    return _EMBED.sub(lambda found: files[found[0]], text).encode()
