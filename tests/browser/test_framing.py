"""Other sites can frame the embedded list, and no other page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
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

    def frame(self, page: Page, address: str, style: str = "") -> None:
        self.body = (
            '<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">'
            f"<style>{style}</style>"
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


@pytest.mark.parametrize(
    ("theme", "ground", "accent"),
    [("light", "rgb(255, 255, 255)", "#0b6161"), ("dark", "rgb(28, 32, 37)", "#7dcfc6")],
)
@pytest.mark.parametrize("preferred", ["light", "dark"])
def test_an_embed_has_the_theme_that_its_address_names_whatever_the_browser_prefers(
    house: str,
    chromium: Browser,
    elsewhere: OtherSite,
    theme: str,
    ground: str,
    accent: str,
    preferred: Literal["light", "dark"],
) -> None:
    with chromium.new_context(color_scheme=preferred) as context:
        page = context.new_page()
        elsewhere.frame(page, f"{house}/embed/desk/?theme={theme}")
        inside = page.frame_locator("iframe")
        expect(inside.locator("body")).to_have_css("background-color", ground)
        expect(inside.get_by_role("link", name="Subscribe")).to_have_css("color", to_rgb(accent))


def test_an_embed_without_a_border_stands_on_the_page_around_it_in_its_accent(
    house: str, chromium: Browser, elsewhere: OtherSite
) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        look = "theme=light&border=none&accent=7a1f5c"
        elsewhere.frame(page, f"{house}/embed/desk/?{look}", "body { background: #fdf6e3 }")
        inside = page.frame_locator("iframe")
        expect(inside.locator("body")).to_have_css("background-color", "rgba(0, 0, 0, 0)")
        expect(inside.locator("body")).to_have_css("padding", "0px")
        link = inside.get_by_role("link", name="Subscribe")
        expect(link).to_have_css("color", to_rgb("#7a1f5c"))
        inside.get_by_label("Times in").select_option("Asia/Tokyo")
        inside.get_by_role("button", name="Show").click()
        expect(inside.get_by_label("Times in")).to_have_value("Asia/Tokyo")
        expect(link).to_have_css("color", to_rgb("#7a1f5c"))


@pytest.mark.parametrize("accent", ["ffff00", "000000", "ffffff", "7a1f5c"])
def test_an_embed_can_be_read_with_any_accent(visit: Visit, accent: str) -> None:
    assert violations(visit(f"/embed/desk/?accent={accent}")) == []


def test_the_list_to_paste_is_copied_whole(visit: Visit) -> None:
    page = visit("/calendars/desk/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_text("Show this agenda on your own site").click()
    box = page.locator("#plain")
    box.locator("xpath=..").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == box.input_value()
    assert copied.startswith('<ul lang="en" dir="ltr">')
    assert violations(page) == []


def to_rgb(color: str) -> str:
    return f"rgb({', '.join(str(part) for part in bytes.fromhex(color[1:]))})"


def test_a_calendars_page_is_not_framed(
    house: str, chromium: Browser, elsewhere: OtherSite
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            elsewhere.frame(page, f"{house}/calendars/desk/")
        expect(page.frame_locator("iframe").get_by_text("The desk's meetings")).to_have_count(0)
