"""Pages kept ready: the same bytes as Flask's, and never a minute, a state or a language old."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

import calfeed.web.pages
from calfeed.web.app import make_flask
from calfeed.web.pages.page_cache import PageCache
from calfeed.web.pages.query import KNOWN
from calfeed.web.published.responses import Application, StartResponse, StoredResponseMiddleware
from tests.web.published import BASE, Published, make_site

DESK = """
name: {en: Desk, ur: ڈیسک}
time_zone: Asia/Karachi
events:
  call: {summary: Call, start: 2026-11-24 23:00}
"""
PAGES = ["/", "/calendars/desk/", "/calendars/desk/call/", "/subscribe/", "/embed/desk/?lang=ps"]


class Ready:
    """A site whose pages are kept ready; `made` are the paths that Flask was asked for."""

    def __init__(self, site: Published, most_bytes: int = 1_000_000) -> None:
        self.site = site
        self.made: list[str] = []
        self.application: Application = make_flask(site.state, BASE).wsgi_app

        def count(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            self.made.append(environ["PATH_INFO"])
            return self.application(environ, start_response)

        self.pages = PageCache(count, site.state, most_bytes)
        self.client = Client(StoredResponseMiddleware(self.pages, site.state.snapshot))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    yield site
    site.database.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_made_once_and_is_flasks(site: Published, path: str) -> None:
    ready = Ready(site)
    first, second = ready.client.get(path), ready.client.get(path)
    flask = site.get(path)
    assert first.data == second.data == flask.data
    assert len(ready.made) == 1
    for name in ("Content-Security-Policy", "Cache-Control", "Referrer-Policy", "Content-Type"):
        assert second.headers[name] == flask.headers[name]
    assert second.headers["Vary"] == "Accept-Encoding, Accept-Language"


def test_a_page_answers_conditional_requests_gzip_and_head(site: Published) -> None:
    ready = Ready(site)
    head = ready.client.head("/")
    whole = ready.client.get("/")
    assert head.data == b""
    assert dict(head.headers) == dict(whole.headers)
    packed = ready.client.get("/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == whole.data
    tag = whole.headers["ETag"]
    again = ready.client.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert "Last-Modified" not in whole.headers
    assert len(ready.made) == 1


def test_a_publish_a_minute_and_a_language_make_a_page_anew(site: Published) -> None:
    ready = Ready(site)
    assert "tomorrow" in ready.client.get("/").text
    site.now += timedelta(days=1)
    assert "today" in ready.client.get("/").text
    assert "آج" in ready.client.get("/", headers={"Accept-Language": "ur"}).text
    assert "today" in ready.client.get("/", headers={"Accept-Language": "de"}).text
    assert len(ready.made) == 3
    site.publish({"desk": DESK.replace("Call", "Talk")})
    assert "Talk" in ready.client.get("/").text
    assert len(ready.made) == 4


def test_searches_errors_and_writing_are_not_kept(site: Published) -> None:
    ready = Ready(site)
    for path in ("/?q=call", "/none", "/readyz"):
        before = len(ready.made)
        ready.client.get(path)
        ready.client.get(path)
        assert len(ready.made) == before + 2, path
    assert ready.client.post("/").status_code == 405
    assert ready.client.head("/none").data == b""


def test_the_pages_that_are_kept_have_a_bound(site: Published) -> None:
    ready = Ready(site, most_bytes=60_000)
    for number in range(40):
        assert ready.client.get(f"/?view={number}").status_code == 200
        assert ready.pages.size <= 60_000
    assert len(ready.made) == 40
    assert ready.pages.size > 0


@pytest.mark.parametrize("query", ["utm_source={}", "{}", "=&{}=%FF", "lang=en&lang={}", "q=&{}=ü"])
def test_a_parameter_that_means_nothing_makes_no_new_page(site: Published, query: str) -> None:
    ready = Ready(site)
    pages = {ready.client.get(f"/?{query.format(number)}").data for number in range(20)}
    assert pages <= {site.get("/").data, site.get("/?lang=en").data}
    assert len(ready.made) == len(pages) == 1


@pytest.mark.parametrize(
    ("tag", "as_if"),
    [
        ("en-x-{}", "?lang=en"),
        ("ur-Arab-PK-x-{}", "?lang=ur"),
        ("fa-AF-u-nu-latn-x-{}", "?lang=fa-AF"),
        ("qaa-x-{}", ""),
        ("x-{}", ""),
        ("{}-", ""),
        ("ur_{}", ""),
        ("9" * 5_000 + "{}", ""),
    ],
)
def test_there_are_as_many_pages_as_languages(site: Published, tag: str, as_if: str) -> None:
    ready = Ready(site)
    expected = site.get(f"/calendars/desk/{as_if}").data
    for number in range(20):
        page = ready.client.get(f"/calendars/desk/?lang={tag.format(number)}")
        assert page.data == expected
    assert len(ready.made) == 1


def test_a_language_that_only_texts_are_in_is_kept(site: Published) -> None:
    site.publish({"desk": DESK.replace("summary: Call", "summary: {en: Call, de-AT: Anruf}")})
    ready = Ready(site)
    for tag in ("de-AT", "de-AT-1996", "DE-at-x-1"):
        assert "Anruf" in ready.client.get(f"/calendars/desk/?lang={tag}").text
    assert len(ready.made) == 1


def test_parameters_in_any_order_make_one_page(site: Published) -> None:
    site.publish({"desk": DESK.replace("00}", "00, categories: [a, b]}")})
    ready = Ready(site)
    pages = {
        ready.client.get(f"/calendars/desk/?{query}").data
        for query in (
            "category=a&category=b&lang=ur",
            "lang=ur&category=b&category=a",
            "category=b&x=1&category=a&category=b&lang=ur&lang=en",
        )
    }
    assert len(pages) == len(ready.made) == 1


def test_every_parameter_that_a_page_reads_is_known() -> None:
    """An unknown one never reaches a page."""
    read = re.compile(r"""request\.args\.(?:get|getlist)\(\s*"([^"]+)""")
    names = {
        name
        for path in Path(calfeed.web.pages.__file__).parent.rglob("*.py")
        for name in read.findall(path.read_text("utf-8"))
    }
    assert "category" in names
    assert names <= KNOWN


def test_a_page_that_was_in_the_making_as_the_day_turned_is_not_kept_for_the_next(
    site: Published,
) -> None:
    ready = Ready(site)
    flask = ready.application

    def make_slowly(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        page = flask(environ, start_response)
        site.now += timedelta(days=1)
        ready.application = flask
        ready.client.get("/subscribe/")  # somebody else, on the next day
        return page

    ready.application = make_slowly
    late = ready.client.get("/").text
    assert "tomorrow" in late
    assert "today" in ready.client.get("/").text


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "private, no-cache"},
        {"Cache-Control": "no-store"},
        {"Cache-Control": "no-cache"},
        {},
    ],
)
def test_only_what_is_called_public_is_kept(site: Published, headers: dict[str, str]) -> None:
    ready = Ready(site)
    ready.application = Response("somebody's own", headers=headers)
    for _ in range(2):
        assert ready.client.get("/calendars/desk/").text == "somebody's own"
    assert len(ready.made) == 2
    assert ready.pages.size == 0
