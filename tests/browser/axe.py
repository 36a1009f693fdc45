"""What axe-core, which knows the rules of WCAG, finds wrong with a page."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import axe_playwright_python  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Page

_AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


_Scheme = Literal["light", "dark"]
_ASKED: tuple[tuple[_Scheme, list[str]], ...] = (("light", []), ("dark", ["color-contrast"]))


def violations(page: Page) -> list[str]:
    """Each fault of a page in light, and of its colours in dark: the rule, the element, why."""
    page.evaluate(_AXE)
    return [
        f"{scheme}, {fault}" for scheme, rules in _ASKED for fault in _find(page, scheme, rules)
    ]


def _find(page: Page, scheme: _Scheme, rules: list[str]) -> list[str]:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    # Of what it finds right, nothing is wanted but that it is.
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    found = page.evaluate("options => axe.run(options).then(({violations}) => violations)", options)
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
