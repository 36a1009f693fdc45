"""The elements that the Tab key reaches on a page, and whether the focus is visible."""

from __future__ import annotations

from playwright.sync_api import Page

_MOST = 400

_PREPARE = """() => { window.reached = new Set(); window.unmarked = new Set();
  return document.activeElement !== document.body }"""

_LOOK = """() => { const one = document.activeElement;
  if (one === document.body) return false;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) unmarked.add(one);
  reached.add(one);
  return true }"""

_FIND = """() => {
  const usable = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter(one => one.type !== "hidden" && !one.disabled && one.checkVisibility());
  const tell = why => one => `${why}: ${one.outerHTML.slice(0, 120)}`;
  return [...usable.filter(one => !reached.has(one)).map(tell("not reached")),
    ...[...unmarked].map(tell("no mark"))] }"""


def keyboard_faults(page: Page) -> list[str]:
    """What can be used but is not reached by Tab, and what is reached without a mark that shows it.

    It goes round the page that was just opened once, whatever had the focus.
    """
    if page.evaluate(_PREPARE):
        _go_on(page)
    _go_on(page)
    return [str(fault) for fault in page.evaluate(_FIND)]


def _go_on(page: Page) -> None:
    """Press Tab until the focus has left the page at its end."""
    for _ in range(_MOST):
        page.keyboard.press("Tab")
        if not page.evaluate(_LOOK):
            return
    raise AssertionError(f"Tab does not leave {page.url}")
