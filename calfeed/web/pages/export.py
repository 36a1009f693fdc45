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
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from flask import Flask
from werkzeug.test import Client

from calfeed.errors import CalfeedError
from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS, FeedOptions
from calfeed.web.pages.lists.months import step_month
from calfeed.web.pictures.addresses import Picture, make_picture
from calfeed.web.pictures.rendering import render_here
from calfeed.web.prefix import prefix_of
from calfeed.web.published.calendars import PublishedCalendar
from calfeed.web.published.responses import StoredResponseMiddleware
from calfeed.web.published.snapshot import ALL, Snapshot, load_snapshot
from calfeed.web.published.state import State
from calfeed.web.published.timeline import days_of
from calfeed.web.sharing.head import list_tags
from calfeed.web.sharing.icons import list_missing_icons
from calfeed.web.sharing.sitemap import SITEMAP, sitemap_path
from calfeed.web.site.files import list_files

# Paths that are not exported: for operators, with a token, or for the choice of a single reader.
_NOT_PUBLIC = (
    *("/healthz", "/readyz", "/metrics", "/api/", "/console", "/private/", "/.well-known/"),
    *("/choice.ics", "/choice/", "/embed/choice/"),
)

_LINK = re.compile(r'\b(href|src)="(/[^"#]*)')

# The URL in the embedding snippet, which is text in a page.
_EMBED = r"/embed/[a-z0-9-]+/\?lang=[A-Za-z0-9-]+(?=&#34;)"

_STATIC_FILES = ("icon.svg", "page.js", "style.css")

_CALENDAR_ENDPOINT = "pages.calendar"
_ABOUT_ENDPOINT = "site.about"
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
    database: Database,
    base_url: str,
    now: datetime,
    time_zone: str = "",
    *,
    pictures: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Iterate over the files of the site: path in the folder, and content.

    The same state gives the same bytes all year: upcoming and past dates are relative to the last
    publish, or to the first day of the year (UTC) if that is later. `base_url` is the site's URL;
    it may have a path. `time_zone` is used for pages about all calendars. With `pictures`, there is
    a picture of every page's date; these need the extra `pictures`, and take most of the time.
    Raises StoreError if the database is unavailable, CalfeedError if a page fails.
    """
    snapshot = load_snapshot(database, base_url, now)
    as_of = max(snapshot.sources[ALL].modified, datetime(now.year, 1, 1, tzinfo=UTC))
    snapshot = replace(
        snapshot,
        sources={path: _as_files(source) for path, source in snapshot.sources.items()},
    )
    state = State(database, base_url, lambda: as_of, time_zone)
    state.snapshot = snapshot
    app = make_flask(state, base_url, pictures=pictures)
    client = Client(StoredResponseMiddleware(app.wsgi_app, snapshot))
    missing = list_missing_icons(snapshot.site.icon, drawn=pictures)
    pages = [page for page in list_pages(app, snapshot, as_of) if page.path not in missing]
    files = {page.address: "/" + page.file.removesuffix("index.html") for page in pages}
    # Without a language in its URL, a page is in the default one.
    default = snapshot.offered.default.tag
    files |= {
        _in_default_language(page, default): files[page.address] for page in pages if _is_page(page)
    }
    drawings = list(_list_pictures(app, state)) if pictures else []
    files |= {picture.address: picture.path for picture in drawings}
    prefix = prefix_of(base_url)
    files = {prefix + address: prefix + file for address, file in files.items()}
    app.jinja_env.globals.update(as_of=as_of.date(), files=files)
    names = _former_names(snapshot)
    for page in pages:
        body = _fetch(client, page, 200, files, prefix)
        yield page.file, body
        if page.path == SITEMAP:
            for number in range(1, body.count(b"<sitemap>") + 1):
                part = sitemap_path(number)
                yield part[1:], _fetch(client, Page(part, "", part[1:]), 200, files, prefix)
        for new, old in names:
            folder, _, rest = page.file.partition("/")
            if rest.startswith((f"{new}.", f"{new}/")):
                yield f"{folder}/{old}{rest.removeprefix(new)}", body
    yield "404.html", _fetch(client, Page("/404.html", "", "404.html"), 404, files, prefix)
    for picture in drawings:
        yield picture.path[1:], _draw(app, picture)
    static = Path(app.root_path, "static")
    for name in _STATIC_FILES:
        yield f"static/{name}", (static / name).read_bytes()


def _list_pictures(app: Flask, state: State) -> Iterator[Picture]:
    """List the pictures of the site, of calendars and of events, in every language."""
    with app.test_request_context():
        app.preprocess_request()
        tags = list_tags()
    for tag in tags:
        with app.test_request_context(query_string={"lang": tag}):
            app.preprocess_request()
            yield make_picture(state)
            for found in state.snapshot.calendars.values():
                yield make_picture(state, found)
                yield from (make_picture(state, found, row) for row in found.by_slug.values())


def _draw(app: Flask, picture: Picture) -> bytes:
    from calfeed.web.pictures.drawing import draw  # needs the extra

    with app.app_context():
        return render_here(draw(picture.content))


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
        frozenset({"name"}): [{"name": name} for name in list_files(snapshot.site).names],
        frozenset({"about"}): [{"about": page} for page in snapshot.site.about],
    }
    # The default language has no parameter.
    languages = ["", *snapshot.offered.offer.tags[1:]]
    adapter = app.url_map.bind("")
    pages = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(_NOT_PUBLIC):
            for arguments in values.get(frozenset(rule.arguments), []):
                path = adapter.build(rule.endpoint, arguments)
                paths.add(path)
                if rule.endpoint.startswith("pages.") or rule.endpoint == _ABOUT_ENDPOINT:
                    chosen = (
                        views[arguments["slug"]] if rule.endpoint == _CALENDAR_ENDPOINT else [{}]
                    )
                    pages += [_page(path, view, tag) for view in chosen for tag in languages]
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

    Months and years range from the calendar's first date to its last, within the year of `as_of`
    and the year after it. The month of `as_of` is included, so that a reader can reach all months
    from it.
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
    """Return a page in a view and a language; the default one has no parameter."""
    language = {"lang": tag} if tag else {}
    query = urlencode(sorted({**view, **language}.items()))
    stem, _, ending = _file_of(path).rpartition(".")
    return Page(path, query, ".".join([stem, *view.values(), *language.values(), ending]))


def _is_page(page: Page) -> bool:
    return page.file.endswith((".html", _OCCURRENCES_SUFFIX)) and "lang=" not in page.query


def _in_default_language(page: Page, tag: str) -> str:
    """Return the URL of a page with the default language as parameter."""
    query = urlencode(sorted([("lang", tag), *parse_qsl(page.query)]))
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
    response = client.get(
        page.path,
        query_string=page.query,
        headers={"Accept": "text/html"},
        environ_overrides={"SCRIPT_NAME": prefix},
    )
    if response.status_code != status:
        raise CalfeedError(
            f"the page {page.address} failed with status {response.status_code}, so the site was "
            "not exported"
        )
    if page.path.endswith(_OCCURRENCES_SUFFIX):
        items = [{**item, "url": files[item["url"]]} for item in response.get_json()]
        return json.dumps(items, ensure_ascii=False).encode()
    if response.mimetype != "text/html":
        return response.get_data()

    def rewrite(link: re.Match[str]) -> str:
        target = unescape(link[2])
        return f'{link[1]}="{escape(files.get(target, target))}'

    text = _LINK.sub(rewrite, response.get_data(as_text=True))
    return re.sub(re.escape(prefix) + _EMBED, lambda found: files[found[0]], text).encode()
