"""The embed stands in pages of others; no other page lets itself be framed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.loopback import Handler, Loopback


class _Answer(Handler):
    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        body = self.server.owner.body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class OtherSite(Loopback):
    """A site of somebody else, with one page that frames what it is told to."""

    def __init__(self) -> None:
        super().__init__(_Answer)
        self.body = ""

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def frame(self, page: Page, address: str) -> None:
        self.body = (
            '<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">'
            f'<iframe title="Dates" src="{address}" width="400" height="600"></iframe>'
        )
        page.goto(f"http://localhost:{self.port}/")


@pytest.fixture
def elsewhere() -> Iterator[OtherSite]:
    with OtherSite() as site:
        yield site


def test_the_embed_works_in_a_page_of_another_site(
    house: str, chromium: Browser, elsewhere: OtherSite
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        elsewhere.frame(page, f"{house}/embed/desk/")
        inside = page.frame_locator("iframe")
        expect(inside.get_by_role("heading", level=1)).to_contain_text("The desk's meetings")
        with context.expect_page() as opened:
            inside.get_by_role("link", name="Visa applications close").click()
        expect(opened.value.get_by_role("heading", level=1)).to_have_text("Visa applications close")
        assert opened.value.url.startswith(f"{house}/calendars/desk/visa/")
        assert page.url.startswith("http://localhost"), "the page around it stays"


def test_a_calendars_page_is_not_framed(
    house: str, chromium: Browser, elsewhere: OtherSite
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            elsewhere.frame(page, f"{house}/calendars/desk/")
        expect(page.frame_locator("iframe").get_by_text("The desk's meetings")).to_have_count(0)
