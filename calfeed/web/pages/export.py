"""The site as files, for hosts that only have files: what the application answers, address by
address, so that both are the same bytes.

A file host knows no query strings, so a choice is part of a file's name: `?lang=ur&alarms=0` of
`/calendars/desk.ics` is `/calendars/desk.ur.no-alarms.ics`, `/calendars/desk/?lang=ur&view=month`
is `/calendars/desk/index.month.ur.html`, `/calendars/desk/?month=2027-06&view=month` is
`/calendars/desk/index.month.2027-06.html`. Of the months and years of this year and the next, there
are those between a calendar's first and last date.
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
from calfeed.web.feeds.choices import DEFAULT, Choice
from calfeed.web.pages.lists.months import step_month
from calfeed.web.pages.reader.languages import ENGLISH, LANGUAGES
from calfeed.web.published.responses import LookUp
from calfeed.web.published.snapshot import ALL, PublishedCalendar, Snapshot, load_snapshot
from calfeed.web.published.state import State

# What is for operators and for those who have a token.
_NOT_PUBLIC = ("/healthz", "/readyz", "/metrics", "/api/", "/console", "/private/")

_LINK = re.compile(r'\b(href|src)="(/[^"#]*)')

# The address in the snippet for other sites, which is text in a page.
_EMBED = re.compile(r"/embed/[a-z0-9-]+/\?lang=[A-Za-z-]+(?=&#34;)")

_STATIC = ("icon.svg", "page.js", "style.css")
"""What public pages load."""

_CALENDAR = "pages.calendar"
_OCCURRENCES = "/occurrences.json"


class FileSource(FeedSource):
    """A feed whose choices are files."""

    def address(self, choice: Choice) -> str:
        """Where the file of a choice is."""
        return self.base_url + feed_file(self.path, choice)


@dataclass(frozen=True)
class Page:
    """Something to ask the application for, and the file that its answer becomes."""

    path: str
    query: str
    file: str

    @property
    def address(self) -> str:
        """What a link to it says in the application."""
        return f"{self.path}?{self.query}" if self.query else self.path


def make_site(
    database: Database, base_url: str, now: datetime, time_zone: str = ""
) -> Iterator[tuple[str, bytes]]:
    """Each file of the site, by its path in the folder: everything public that is published.

    The same state gives the same bytes on every day of a year: what is coming and what is past is
    told as of the last publish, or as of the year's first day (UTC) where that is later.
    `base_url` is where the site will be; it may have a path. `time_zone` is that of pages about
    all calendars. Raises StoreError where the database
    does not answer, CalfeedError where the application does not.
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
    client = Client(LookUp(app.wsgi_app, snapshot))
    pages = list_pages(app, snapshot, as_of)
    files = {page.address: "/" + page.file.removesuffix("index.html") for page in pages}
    # English is what a page is in where its address does not say.
    files |= {_in_english(page): files[page.address] for page in pages if _is_page(page)}
    app.jinja_env.globals.update(as_of=as_of.date(), files=files)
    prefix = urlsplit(base_url).path
    names = _former_names(snapshot)
    for page in pages:
        body = _fetch(client, page, 200, files, prefix)
        yield page.file, body
        for new, old in names:
            room, _, rest = page.file.partition("/")
            if rest.startswith((f"{new}.", f"{new}/")):
                yield f"{room}/{old}{rest.removeprefix(new)}", body
    yield "404.html", _fetch(client, Page("/404.html", "", "404.html"), 404, files, prefix)
    static = Path(app.root_path, "static")
    for name in _STATIC:
        yield f"static/{name}", (static / name).read_bytes()


def list_pages(app: Flask, snapshot: Snapshot, as_of: datetime) -> list[Page]:
    """Everything that anybody may read: what is looked up, its choices, and Flask's routes."""
    views = {slug: list_views(one, as_of) for slug, one in snapshot.calendars.items()}
    paths = {*snapshot.answers, *snapshot.shapes}
    values: dict[frozenset[str], list[dict[str, str]]] = {
        frozenset(): [{}],
        frozenset({"slug"}): [{"slug": slug} for slug in snapshot.calendars],
        frozenset({"slug", "event_slug"}): [
            {"slug": slug, "event_slug": event}
            for slug, one in snapshot.calendars.items()
            for event in one.by_slug
        ],
    }
    adapter = app.url_map.bind("")
    pages = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(_NOT_PUBLIC):
            for each in values.get(frozenset(rule.arguments), []):
                path = adapter.build(rule.endpoint, each)
                paths.add(path)
                if rule.endpoint.startswith("pages."):
                    chosen = views[each["slug"]] if rule.endpoint == _CALENDAR else [{}]
                    pages += [_page(path, view, one.tag) for view in chosen for one in LANGUAGES]
    files = [Page(path, "", _file_of(path)) for path in paths - {page.path for page in pages}]
    for path, source in snapshot.sources.items():
        for choice in list_choices(source):
            files.append(Page(path, choice.query(), feed_file(path, choice)[1:]))
    for row in snapshot.rows():
        path = f"/calendars/{row.calendar}/{row.slug}.ics"
        for tag in sorted({form.language for form in row.vevents if form.language}):
            choice = Choice(language=tag)
            files.append(Page(path, choice.query(), feed_file(path, choice)[1:]))
    return sorted([*pages, *files], key=lambda page: page.file)


def list_views(found: PublishedCalendar, as_of: datetime) -> list[dict[str, str]]:
    """The views of a calendar that become files, as what their addresses say.

    Months and years are those of the year of `as_of` and the next, from the first to the last that
    has a date. The month of `as_of` is one of them, so that each can be reached from there.
    """
    views = [{}, {"view": "month"}, {"view": "year"}]
    zone = ZoneInfo(found.calendar.time_zone)
    today = as_of.astimezone(zone).date()
    days = found.timeline.by_day(date(as_of.year, 1, 1), date(as_of.year + 1, 12, 31), zone)
    if not days:
        return views
    month, last = min(today, *days).replace(day=1), max(today, *days)
    views += [{"view": "year", "year": f"{year}"} for year in range(month.year, last.year + 1)]
    while month <= last:
        views.append({"view": "month", "month": f"{month:%Y-%m}"})
        month = step_month(month, 1)
    return views


def _page(path: str, view: Mapping[str, str], tag: str) -> Page:
    """A page in a view and a language; English is where no language is named."""
    language = {"lang": tag} if tag != ENGLISH.tag else {}
    query = urlencode(sorted({**view, **language}.items()))
    stem, _, ending = _file_of(path).rpartition(".")
    return Page(path, query, ".".join([stem, *view.values(), *language.values(), ending]))


def _is_page(page: Page) -> bool:
    return page.file.endswith((".html", _OCCURRENCES)) and "lang=" not in page.query


def _in_english(page: Page) -> str:
    """The address of a page that names English."""
    query = urlencode(sorted([("lang", ENGLISH.tag), *parse_qsl(page.query)]))
    return f"{page.path}?{query}"


def list_choices(source: FeedSource) -> list[Choice]:
    """The choices of a feed that become files: each of its languages, with and without alarms."""
    tags = {*source.languages, ""}
    choices = [Choice(language=tag, alarms=alarms) for tag in tags for alarms in (True, False)]
    return [choice for choice in choices if choice != DEFAULT]


def feed_file(path: str, choice: Choice) -> str:
    """The path under which a feed's choice is a file: `/calendars/desk.ur.no-alarms.ics`."""
    parts = [choice.language, "" if choice.alarms else "no-alarms", "ics"]
    return ".".join([path.removesuffix(".ics"), *filter(None, parts)])


def _file_of(path: str) -> str:
    return path[1:] + ("index.html" if path.endswith("/") else "")


def _as_files(source: FeedSource) -> FileSource:
    return FileSource(**{each.name: getattr(source, each.name) for each in fields(source)})


def _former_names(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Pairs of a public calendar's name and one that it had, which has no other calendar now.

    A file cannot send anybody on, so under a former name there is the same again.
    """
    return sorted(
        (new, old)
        for old, new in snapshot.renamed.items()
        if new in snapshot.calendars and old not in snapshot.everything
    )


def _fetch(client: Client, page: Page, status: int, files: dict[str, str], prefix: str) -> bytes:
    response = client.get(page.path, query_string=page.query, headers={"Accept": "text/html"})
    if response.status_code != status:
        raise CalfeedError(
            f"the page {page.address} cannot be made (status {response.status_code}), so there "
            "is no site"
        )
    if page.path.endswith(_OCCURRENCES):
        items = [{**one, "url": prefix + files[one["url"]]} for one in response.get_json()]
        return json.dumps(items, ensure_ascii=False).encode()
    if response.mimetype != "text/html":
        return response.get_data()

    def point(link: re.Match[str]) -> str:
        target = unescape(link[2])
        return f'{link[1]}="{escape(prefix + files.get(target, target))}'

    text = _LINK.sub(point, response.get_data(as_text=True))
    return _EMBED.sub(lambda found: files[found[0]], text).encode()
