"""The icons that browsers and telephones ask for by themselves, made from the site's icon."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from struct import pack
from typing import Any

from calfeed.model.site import Image, Site
from calfeed.web.pictures.rendering import DrawingError, render
from calfeed.web.site.files import list_files

FAVICON = "/favicon.ico"
TOUCH_ICON = "/apple-touch-icon.png"

TOUCH_SIDE = 180
_FAVICON_SIDE = 48
_MAX_ICO_SIDE = 256
_SHIPPED = Path(__file__).with_name("icons")


def make_favicon(icon: Image | None, *, drawn: bool) -> bytes | None:
    """Return the icon as ICO; None if it has to be drawn, but drawing is off or fails."""
    if icon is None:
        return (_SHIPPED / "favicon.ico").read_bytes()
    if _fits_ico(icon):
        return wrap_ico(icon.content, icon.width, icon.height)
    png = _draw(icon, _FAVICON_SIDE, ground=False) if drawn else None
    return wrap_ico(png, _FAVICON_SIDE, _FAVICON_SIDE) if png else None


def make_touch_icon(icon: Image | None, *, drawn: bool) -> bytes | None:
    """Return the icon as PNG for the home screens of telephones, None as for `make_favicon`."""
    if icon is None:
        return (_SHIPPED / "apple-touch-icon.png").read_bytes()
    png = _draw(icon, TOUCH_SIDE, ground=True) if drawn else None
    return png or (icon.content if icon.suffix == "png" else None)


def has_touch_icon(icon: Image | None, *, drawn: bool) -> bool:
    """Whether there is an icon for the home screens of telephones."""
    return drawn or icon is None or icon.suffix == "png"


def list_missing_icons(icon: Image | None, *, drawn: bool) -> list[str]:
    """Return the paths of the icons that the site does not have."""
    missing = [] if has_touch_icon(icon, drawn=drawn) else [TOUCH_ICON]
    return missing if drawn or icon is None or _fits_ico(icon) else [*missing, FAVICON]


def wrap_ico(png: bytes, width: int, height: int) -> bytes:
    """Return an ICO that contains a PNG, unchanged, of at most 256 pixels each way."""
    header = pack("<HHH", 0, 1, 1)
    entry = pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, 32, len(png), 22)
    return header + entry + png


def make_manifest(
    site: Site, name: str, direction: str, colors: tuple[str, str], *, drawn: bool
) -> dict[str, Any]:
    """Return the web app manifest; its URLs are relative, so that the site may have a path.

    `colors` are those of the site and of the background of its pages.
    """
    icons = [{"src": "static/icon.svg", "sizes": "any", "type": "image/svg+xml"}]
    found = list_files(site).icon
    if site.icon is not None and found is not None:
        sizes = "any" if site.icon.suffix == "svg" else f"{site.icon.width}x{site.icon.height}"
        icons = [{"src": found.path[1:], "sizes": sizes, "type": found.content_type}]
    if has_touch_icon(site.icon, drawn=drawn):
        sizes = f"{TOUCH_SIDE}x{TOUCH_SIDE}"
        icons.append({"src": TOUCH_ICON[1:], "sizes": sizes, "type": "image/png"})
    return {
        "name": name,
        "lang": site.language,
        "dir": direction,
        "start_url": "./",
        "scope": "./",
        "display": "browser",
        "theme_color": colors[0],
        "background_color": colors[1],
        "icons": icons,
    }


def _draw(icon: Image, side: int, *, ground: bool) -> bytes | None:
    try:
        return _draw_once(icon, side, ground)
    except DrawingError:
        return None  # not cached, because the machine may only have been too busy


@lru_cache(maxsize=8)
def _draw_once(icon: Image, side: int, ground: bool) -> bytes:
    from calfeed.web.pictures.drawing import draw_icon

    return render(draw_icon(icon, side, ground=ground))


def _fits_ico(icon: Image) -> bool:
    return icon.suffix == "png" and max(icon.width, icon.height) <= _MAX_ICO_SIDE
