"""Tables as Markdown, and figures as they are written in them."""

from __future__ import annotations

from collections.abc import Sequence


def draw_table(rows: Sequence[Sequence[str]]) -> str:
    """A table of these rows, the first of them its head."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_beside(rate: float, other: float | None) -> str:
    """A rate, and what part of another it is."""
    return f"{rate:,.0f}" if other is None else f"{rate:,.0f} ({rate / other:.2f})"


def write_microseconds(seconds: float) -> str:
    """A short time."""
    return f"{seconds * 1e6:,.1f} µs"


def write_milliseconds(seconds: float) -> str:
    """A time of some milliseconds."""
    return f"{seconds * 1e3:,.1f} ms"


def write_megabytes(size: float) -> str:
    """A size of memory or of files."""
    return f"{size / 1e6:,.0f} MB"
