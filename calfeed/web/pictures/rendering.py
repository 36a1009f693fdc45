"""Draw SVG as PNG in a separate process; a drawing takes a tenth of a second of processor time.

In the process of the backend, a drawing would delay all pages, because resvg keeps the global
interpreter lock; and a logo that needs too much time or memory would end the backend.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from calfeed.errors import CalfeedError
from calfeed.web.pictures.fontfiles import FAMILIES, font_file

_SECONDS = 10
_MAX_MEMORY_BYTES = 1_000_000_000
_NICENESS = 10


@dataclass(frozen=True)
class Drawing:
    """An SVG in its size, and whether it needs fonts of the system."""

    svg: str
    system_fonts: bool = False


class DrawingError(CalfeedError):
    """A PNG could not be made: the SVG or an image in it cannot be drawn, or took too long."""


def can_draw() -> bool:
    """Whether the extra `pictures` is installed."""
    return find_spec("resvg_py") is not None and find_spec("uharfbuzz") is not None


def render(drawing: Drawing) -> bytes:
    """Draw a PNG in another process. Raises DrawingError."""
    command = [sys.executable, "-m", __name__]
    if drawing.system_fonts:
        command.append("--system-fonts")
    try:
        done = subprocess.run(
            command, input=drawing.svg.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DrawingError(f"a picture took longer than {_SECONDS} seconds") from None
    if done.returncode != 0:
        raise DrawingError(f"a picture cannot be drawn (exit status {done.returncode})")
    return done.stdout


def render_here(drawing: Drawing) -> bytes:
    """Draw a PNG in this process. Raises DrawingError."""
    import resvg_py

    try:
        return resvg_py.svg_to_bytes(
            svg_string=drawing.svg,
            font_files=[font_file(name) for name in FAMILIES],
            skip_system_fonts=not drawing.system_fonts,
            sans_serif_family=FAMILIES["NotoSans-Regular"],
        )
    except ValueError as error:
        raise DrawingError("a picture cannot be drawn") from error


def main(arguments: list[str]) -> None:
    """Draw the SVG of the standard input to the standard output."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    svg = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(render_here(Drawing(svg, "--system-fonts" in arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
