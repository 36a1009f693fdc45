"""A site to look at: the shipped calendars and a desk's own, served on loopback at a fixed time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.pages.page_cache import PageCache
from calfeed.web.pages.reader.offers import make_site_languages
from calfeed.web.published.responses import Application, StartResponse, StoredResponseMiddleware
from calfeed.web.published.state import State
from tests.acceptance.site import SHIPPED
from tests.migrated import migrated_sqlite
from tests.ports import free_port

# The headless shell has the same engine without windows to draw: pages cost half as much.
_BROWSERS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((path for path in _BROWSERS if path.exists()), _BROWSERS[0])
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_DESK = """
name: {en: The desk's meetings, ur: ڈیسک کے اجلاس}
description: Where the desk comes together, and what it must not miss.
time_zone: America/New_York
color: crimson
reminders: [1 day, 2 hours]
events:
  weekly:
    summary: {en: The desk meets, ur: ڈیسک کا اجلاس}
    start: 2026-09-21 10:30
    duration: 45 minutes
    location: Room 4
    categories: [meeting]
    repeat: {rule: FREQ=WEEKLY}
  visa:
    summary: {en: Visa applications close, ur: ویزا درخواستوں کی آخری تاریخ}
    description: {en: By midnight in New York., ur: نیویارک کی آدھی رات تک۔}
    start: 2026-12-11
    kind: deadline
    categories: [deadline]
{note}    sources: [{title: The consulate's notice, url: "https://example.org/n", date: 2026-11-01}]
  hearing:
    summary: Hearing on the new rules
    start: 2026-12-15 14:00
    duration: 2 hours
    status: cancelled
    categories: [hearing]
  talks:
    summary: Talks in Geneva
    start: 2026-12-02
    end: 2026-12-05
    status: tentative
    time_zone: Europe/Zurich
    location: Palais des Nations, Geneva
    categories: [meeting]
"""
_NOTE = (
    "    note: {en: the consulate asked for another week, ur: قونصل خانے نے ایک ہفتہ اور مانگا}\n"
)
"""Why the date was moved at last; it comes with that move."""


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Nobody reads which pages a test asks for."""


def _whole(application: Application) -> Application:
    """Answers in one piece: werkzeug does not close a file where the browser went away."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        made = application(environ, start_response)
        body = b"".join(made)
        if hasattr(made, "close"):
            made.close()
        return [body]

    return answer


@contextmanager
def serve_house(folder: Path) -> Iterator[str]:
    """A site in a folder, served until the end of the context: its address."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with serve_published(make_house(folder, base_url), base_url, port):
        yield base_url


def make_house(folder: Path, base_url: str) -> Database:
    """A site in a folder, with a date that moved twice."""
    database = migrated_sqlite(folder)
    shipped = {f"events/{path.name}": path.read_bytes() for path in SHIPPED.glob("*.yaml")}
    for day, old, note in (
        (1, "2026-11-27", ""),
        (10, "2026-12-04", ""),
        (20, "2026-12-11", _NOTE),
    ):
        text = _DESK.replace("2026-12-11", old).replace("{note}", note)
        files = shipped | {"events/desk.yaml": text.encode()}
        at = NOW.replace(day=day)
        publish(database, read_definitions(files), at, base_url)
    return database


@contextmanager
def serve_published(
    database: Database,
    base_url: str,
    port: int,
    *,
    mails: bool = False,
    languages: Sequence[str] = (),
) -> Iterator[None]:
    """Serve what is published, as it is at the fixed time, and close the database in the end.

    `languages` are those of the pages, if not those of a site that names none.
    """
    state = State(database, base_url, lambda: NOW)
    state.refresh()
    state.snapshot = replace(state.snapshot, offered=make_site_languages(languages))
    pages = PageCache(make_flask(state, base_url, mails=mails).wsgi_app, state)
    server = make_server(
        "127.0.0.1",
        port,
        _whole(StoredResponseMiddleware(pages, state.snapshot)),
        threaded=True,
        request_handler=Quiet,
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        database.close()


def start_chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium with a profile of its own, which asks nobody for anything."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
