"""The parts of a page of docs/, for tests that compare it with the code."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from calfeed.model.events import Event
from calfeed.model.revision import Revision

DOCS = Path(__file__).parents[1] / "docs"
RECEIVING = (DOCS / "receiving.md").read_text("utf-8")


def blocks_of(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def section_of(heading: str, text: str) -> str:
    """What stands under a heading, up to the next of any level."""
    (_, section) = text.split(f"\n{heading}\n")
    return re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]


def rows_of(heading: str, text: str, table: int = 0) -> list[list[str]]:
    """The cells of a table under a heading, the first or another, without its head."""
    tables = re.findall(r"(?:^\|.*\n)+", section_of(heading, text), re.MULTILINE)
    _, _, *lines = tables[table].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def codes_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def make_revision(event: Event, sequence: int) -> Revision:
    return Revision(
        event=event,
        sequence=sequence,
        created=datetime(2030, 1, 7, 6, tzinfo=UTC),
        modified=datetime(2030, 5, 2, 9, 30, tzinfo=UTC),
    )
