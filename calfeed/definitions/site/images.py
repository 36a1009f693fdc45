"""Read logos and icons: SVG and PNG."""

from __future__ import annotations

import re
import struct
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from calfeed.model.site import Image

MAX_IMAGE_BYTES = 200_000

_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_PIXELS = 4_000
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)(?:px)?\s*")
_ACTIVE = frozenset({"foreignobject", "handler", "iframe", "script"})
"""The elements of SVG that can run scripts or hold HTML."""

_SVG_ROOTS = ("{http://www.w3.org/2000/svg}svg", "svg")


def read_image(file: str, data: bytes) -> Image:
    """Read an image by the suffix of its name; raise ValueError, with a fix, if it is invalid."""
    suffix = file.rpartition(".")[2].lower()
    if len(data) > MAX_IMAGE_BYTES:
        raise ValueError(
            f"has {len(data):,} bytes; the maximum is {MAX_IMAGE_BYTES:,}, as every page shows it"
        )
    match suffix:
        case "svg":
            return _read_svg(data)
        case "png":
            return _read_png(data)
    raise ValueError("is neither an SVG nor a PNG file; convert it, and name it .svg or .png")


def _read_png(data: bytes) -> Image:
    # The first chunk has the size (PNG specification, 11.2.1).
    if not data.startswith(_PNG) or len(data) < 24 or data[12:16] != b"IHDR":
        raise ValueError("is not a PNG file, whatever its name says; export it as PNG")
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= _MAX_PIXELS and 0 < height <= _MAX_PIXELS):
        raise ValueError(f"is {width} by {height} pixels; the maximum is {_MAX_PIXELS} each way")
    return Image(suffix="png", content=data, width=width, height=height)


def _read_svg(data: bytes) -> Image:
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise ValueError(
            f"cannot be read as SVG ({_describe(error)}); export it again as plain SVG"
        ) from None
    if root.tag not in _SVG_ROOTS:
        raise ValueError("is not an SVG file, whatever its name says; export it as SVG")
    if any(map(_has_script, root.iter())):
        raise ValueError("contains a script; export it again as plain SVG, without interaction")
    width, height = _size_of(root)
    return Image(suffix="svg", content=data, width=width, height=height)


def _has_script(element: Element) -> bool:
    """Return whether something in an element could run if the file is opened by itself."""
    if not isinstance(element.tag, str):  # a comment
        return False
    if element.tag.rpartition("}")[2].lower() in _ACTIVE:
        return True
    return any(
        name.rpartition("}")[2].lower().startswith("on")
        or "".join(value.split()).lower().startswith("javascript:")
        for name, value in element.attrib.items()
    )


def _size_of(root: Element) -> tuple[int, int]:
    """Return the width and height of an SVG in pixels, or if they are unknown, their ratio."""
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    shape = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    try:
        sizes = [float(found[1]) for found in shape if found]
        sizes = sizes if len(sizes) == 2 else [float(text) for text in box[2:4]]
        width, height = sizes
        if not (0 < width <= 1e6 and 0 < height <= 1e6):
            raise ValueError
    except ValueError:
        raise ValueError(
            'has no size: give its <svg> a viewBox, such as viewBox="0 0 120 40"'
        ) from None
    scale = min(1.0, _MAX_PIXELS / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _describe(error: Exception) -> str:
    if isinstance(error, DefusedXmlException):
        return "it has a document type or entities"
    return str(error)
