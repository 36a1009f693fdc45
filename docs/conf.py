"""How Sphinx makes a site of these pages: `make docs`.

The sources are the Markdown files of the repository as they are, so that their links work on a
code host and on the site. The README is the home page. Its lists under *Documentation* are the
navigation: a page that is in none of them is a warning, and so an error.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]

(release,) = re.findall('__version__ = "(.*)"', (ROOT / "calfeed" / "__init__.py").read_text())
project = "calfeed"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**"]
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "docs"]
myst_heading_anchors = 4  # with the anchors that code hosts make

html_theme = "furo"
html_title = f"calfeed {release}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6161", "color-brand-content": "#0b6161"},
    "dark_css_variables": {"color-brand-primary": "#7cc7c7", "color-brand-content": "#7cc7c7"},
}

_LISTED = re.compile(r"^- \[[^\]]*\]\(([^)#]+)\.md\)", re.MULTILINE)


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Make a table of contents of each list of the README, and one of the decisions."""
    if name == root_doc:
        documentation = source[0].partition("\n## Documentation\n")[2]
        for part in documentation.split("\n### ")[1:]:
            source[0] += _write_toctree(part.partition("\n")[0], _LISTED.findall(part))
    elif name == "docs/decisions/README":
        source[0] += _write_toctree("", re.findall(r"^\| \[\d+\]\((.*)\.md\)", source[0], re.M))


def _write_toctree(caption: str, pages: list[str]) -> str:
    options = f":hidden:\n:caption: {caption}" if caption else ":hidden:"
    return "\n".join(["\n\n```{toctree}", options, "", *pages, "```\n"])


def add_index(app: Sphinx, error: Exception | None) -> None:
    """Put the home page where a web server looks for it."""
    if error is None:
        shutil.copy(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", add_navigation)
    app.connect("build-finished", add_index)
