"""The look of a list that is embedded in other pages, from its address: theme, border, accent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import abort, request

from calfeed.model.texts import shortened
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.site.files import make_embed_theme

THEMES = ("auto", "light", "dark")

_ACCENT = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True)
class EmbedLook:
    """How an embed looks; `accent` is a colour (`#rrggbb`), or empty for that of the site.

    The theme `auto` is the one that the browser prefers. Without a `border`, the list has neither
    margin nor background of its own, so that the page around it shows through.
    """

    theme: str = "auto"
    border: bool = True
    accent: str = ""

    @property
    def root_class(self) -> str:
        """The class of the root element."""
        return f"theme-{self.theme}" if self.theme != "auto" else ""

    @property
    def body_class(self) -> str:
        return "embedded" if self.border else "embedded flush"

    @property
    def stylesheet(self) -> str:
        """The path of the style sheet of its accent; empty if it has no accent."""
        return make_embed_theme(self.accent).path if self.accent else ""


def read_look() -> EmbedLook:
    """Return the look that the address of this request names; abort with 400 if it is not valid."""
    theme = request.args.get("theme") or "auto"
    if theme not in THEMES:
        _refuse("theme", theme, gettext("auto, light or dark"))
    border = request.args.get("border", "")
    if border not in ("", "none"):
        _refuse("border", border, "none")
    accent = request.args.get("accent", "")
    found = _ACCENT.fullmatch(accent)
    if accent and found is None:
        _refuse("accent", accent, gettext("a colour such as 7a1f5c"))
    return EmbedLook(theme, not border, f"#{found[1].lower()}" if found else "")


def _refuse(name: str, value: str, right: str) -> None:
    text = gettext("“%(name)s” cannot be “%(value)s”. It is %(right)s.")
    abort(400, text % {"name": name, "value": shortened(value), "right": right})
