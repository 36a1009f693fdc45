"""Make the pictures of the README: `python -m tests.browser.pictures` writes docs/pictures/."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.house import serve_house, start_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
DESK = (1100, 760)
TELEPHONE = (390, 760)


@dataclass(frozen=True)
class Picture:
    """A page as it is shown; `size` is in CSS pixels, `opens` says that its dialog is open."""

    name: str
    path: str
    size: tuple[int, int] = DESK
    scheme: Literal["light", "dark"] = "light"
    opens: bool = False


PICTURES = [
    Picture("home", "/"),
    Picture("event", "/calendars/desk/visa/"),
    Picture("subscribe", "/calendars/desk/", opens=True),
    Picture("month", "/calendars/desk/?view=month&month=2026-12"),
    Picture("home-urdu", "/?lang=ur", TELEPHONE),
    Picture("event-urdu-dark", "/calendars/desk/visa/?lang=ur", TELEPHONE, "dark"),
]


def take(browser: Browser, base_url: str, picture: Picture) -> None:
    """Take one picture of a site."""
    context = browser.new_context(
        base_url=base_url,
        viewport=ViewportSize(width=picture.size[0], height=picture.size[1]),
        color_scheme=picture.scheme,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Asia/Karachi",
    )
    page = context.new_page()
    page.goto(picture.path)
    page.wait_for_load_state("networkidle")
    if picture.opens:
        page.locator("a[data-opens]").click()
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()


def main() -> None:
    """Take them all, in the place of those before."""
    FOLDER.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        serve_house(Path(folder)) as base_url,
        sync_playwright() as playwright,
    ):
        browser = start_chromium(playwright)
        for picture in PICTURES:
            take(browser, base_url, picture)
        browser.close()


if __name__ == "__main__":
    main()
