"""The images and the style sheet of a site, under names that change with their content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from calfeed.model.contrast import legible, make_accent
from calfeed.model.site import Image, Site

MOUNT = "/site/"
"""The path of the files."""

_EMBED_THEME = "embed"

_TYPES = {"svg": "image/svg+xml", "png": "image/png", "css": "text/css; charset=utf-8"}


@dataclass(frozen=True)
class SiteFile:
    """A file of a site: its name, and its content and type."""

    name: str
    content: bytes
    content_type: str

    @property
    def path(self) -> str:
        return MOUNT + self.name


@dataclass(frozen=True)
class SiteFiles:
    """The files of a site; None for those that it does not have."""

    logo: SiteFile | None
    icon: SiteFile | None
    theme: SiteFile | None

    def find(self, name: str) -> SiteFile | None:
        found = (self.logo, self.icon, self.theme)
        return next((file for file in found if file is not None and file.name == name), None)

    @property
    def names(self) -> list[str]:
        return [file.name for file in (self.logo, self.icon, self.theme) if file is not None]


@lru_cache(maxsize=4)
def _make_theme(accent: str) -> SiteFile:
    content = _write_theme(accent)
    return _make_file("theme", "css", content, sha256(content).hexdigest()[:12])


@lru_cache(maxsize=64)
def make_embed_theme(accent: str) -> SiteFile:
    """Return the style sheet for an accent (`#rrggbb`); its colours are changed to be legible."""
    return _make_file(_EMBED_THEME, "css", _write_theme(accent), accent[1:])


def find_embed_theme(name: str) -> SiteFile | None:
    """Return the style sheet of an embed by its name, None if the name is of another file."""
    found = re.fullmatch(rf"{_EMBED_THEME}-([0-9a-f]{{6}})\.css", name)
    return make_embed_theme(f"#{found[1]}") if found else None


def _write_theme(accent: str) -> bytes:
    light = make_accent(legible(accent), dark=False)
    dark = make_accent(legible(accent, dark=True), dark=True)
    names = {"--accent": "color", "--accent-ink": "ink", "--tint": "tint"}
    lines = [
        f"  {name}: light-dark({getattr(light, part)}, {getattr(dark, part)});\n"
        for name, part in names.items()
    ]
    return (":root {\n" + "".join(lines) + "}\n").encode()


def list_files(site: Site) -> SiteFiles:
    """Return the files of a site."""
    return SiteFiles(
        logo=_make_image("logo", site.logo),
        icon=_make_image("icon", site.icon),
        theme=_make_theme(site.accent) if site.accent else None,
    )


def _make_image(stem: str, image: Image | None) -> SiteFile | None:
    return _make_file(stem, image.suffix, image.content, image.digest) if image else None


def _make_file(stem: str, suffix: str, content: bytes, digest: str) -> SiteFile:
    return SiteFile(f"{stem}-{digest}.{suffix}", content, _TYPES[suffix])
