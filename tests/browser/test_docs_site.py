"""The site of the docs is complete, loads nothing from elsewhere, and is searched offline."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import visiting
from tests.loopback import Handler, Loopback
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def docs_site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of the site, built once for all workers as `make docs` does."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "docs"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = tmp_path_factory.mktemp("docs-site")
            words = ["-q", "-W", "--keep-going", "-c", "docs", "-d", str(made / "trees")]
            done = subprocess.run(
                [sys.executable, "-m", "sphinx", *words, ".", str(made / "site")],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            assert (done.returncode, done.stdout + done.stderr) == (0, "")
            made.rename(folder)
    return folder / "site"


class Parts(HTMLParser):
    """The anchors of a page, where its links lead, and what a browser loads with it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self._style = False
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        addresses = [given[name] for name in ("href", "src", "data", "poster") if name in given]
        addresses += [part.split()[0] for part in given.get("srcset", "").split(",") if part]
        (self.links if tag in ("a", "area", "form") else self.loaded).extend(addresses)
        self.loaded += find_addresses_in_css(given.get("style", ""))
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._style:
            self.loaded += find_addresses_in_css(data)


def find_addresses_in_css(text: str) -> list[str]:
    found = re.findall(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", text)
    return [first or second for first, second in found]


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(docs_site: Path) -> None:
    pages = {page: Parts(page) for page in docs_site.rglob("*.html")}
    assert len(pages) > 50
    problems: dict[str, set[str]] = defaultdict(set)

    def check(place: Path, address: str, loaded: bool) -> None:
        parts = urlsplit(urljoin(place.as_uri(), address))
        if parts.scheme == "data":
            return
        if parts.scheme != "file" or parts.netloc:
            if loaded:
                problems["from elsewhere"].add(f"{place.name}: {address}")
            return
        target = Path(unquote(parts.path))
        if not target.is_file() or docs_site not in target.parents:
            problems["no file"].add(f"{place.name}: {address}")
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            problems["no anchor"].add(f"{place.name}: {address}")

    for page, parts in pages.items():
        for address in parts.links:
            check(page, address, loaded=False)
        for address in parts.loaded:
            check(page, address, loaded=True)
    for sheet in docs_site.rglob("*.css"):
        for address in find_addresses_in_css(sheet.read_text("utf-8")):
            check(sheet, address, loaded=True)
    assert dict(problems) == {}


class _Files(Handler, SimpleHTTPRequestHandler):
    """Serves the files of a folder."""


@pytest.fixture
def docs_url(docs_site: Path) -> Iterator[str]:
    files = partial(_Files, directory=str(docs_site))
    with Loopback(files) as server:  # type: ignore[arg-type]  # called like a class of handlers
        yield f"http://127.0.0.1:{server.port}"


def test_a_word_is_found_without_the_network(docs_url: str, chromium: Browser) -> None:
    """`visiting` fails if a page asks another host for anything, or complains in the console."""
    with visiting(chromium, docs_url) as visit:
        page = visit("/")
        expect(page.get_by_role("heading", level=1)).to_contain_text("calfeed")
        field = page.get_by_role("textbox", name="Search")
        field.fill("ETag")
        field.press("Enter")
        results = page.locator("#search-results li")
        expect(results.get_by_role("link", name="Feeds", exact=True)).to_be_visible()
        results.get_by_role("link", name="Feeds", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Feeds")
