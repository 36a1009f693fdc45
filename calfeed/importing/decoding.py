"""Decode the bytes of an iCalendar file into unfolded lines (RFC 5545, 3.1)."""

from __future__ import annotations

import base64
import codecs
import quopri
import re
from collections.abc import Iterable, Iterator

from calfeed.counting import count
from calfeed.errors import InvalidInputError
from calfeed.importing.losses import LossReporter

MAX_LINES = 1_000_000
"""The maximum number of lines of a file."""

# UTF-32 comes first, as its mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = (
    (b"\x1f\x8b", "is compressed with gzip"),
    (b"PK\x03\x04", "is a ZIP archive"),
    (b"%PDF", "is a PDF document"),
)
# With `surrogateescape`, bytes that are not UTF-8 become these characters.
_UNDECODED = re.compile("[\udc80-\udcff]")
_WINDOWS_1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", errors="replace") for byte in range(0x80, 0x100)
}
# vCalendar 1.0 and mail: a line that ends with "=" continues on the next one.
_QUOTED = re.compile(r";ENCODING=QUOTED-PRINTABLE[;:]", re.IGNORECASE)


def read_lines(data: bytes, report: LossReporter) -> Iterator[str]:
    """Return the unfolded, non-empty lines of a file.

    The encoding is that of the byte order mark, else UTF-8, else Windows-1252, which is reported.
    So are lines of UTF-8 with wrong bytes.
    Raises InvalidInputError for other file formats.
    """
    for beginning, what in _OTHER_FORMATS:
        if data.startswith(beginning):
            raise InvalidInputError(f"the file {what}, not iCalendar; unpack or export it as .ics")
    text = _unfold(_decode(data, report))
    if text.count("\n") > MAX_LINES:
        raise InvalidInputError(f"the file has more than {MAX_LINES:,} lines")
    lines = (line for line in _split(text) if line.strip())
    return _join_quoted(lines) if _QUOTED.search(text) else lines


def _split(text: str) -> Iterator[str]:
    """Yield the lines one by one; a list would take several times the file's size."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _unfold(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")


def decode_value(value: str, encoding: str, charset: str) -> str:
    """Decode a BASE64 or QUOTED-PRINTABLE value to escaped TEXT; raise ValueError if invalid.

    QUOTED-PRINTABLE text may already be escaped; BASE64 text is not.
    """
    if encoding in ("BASE64", "B"):
        text = _text(base64.b64decode("".join(value.split()), validate=True), charset)
        text = re.sub(r"([\\;,])", r"\\\1", text)
    else:
        text = _text(quopri.decodestring(value.encode()), charset)
    return re.sub("\r\n|\r|\n", r"\\n", text)


def _text(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset or "utf-8")
    except LookupError as error:
        raise ValueError(f'the character set "{charset}" is not known') from error


def _decode(data: bytes, report: LossReporter) -> str:
    encoding = next(
        (name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), _guess(data[:200])
    )
    try:
        text = data.decode(encoding) if encoding else _decode_utf8(data, report)
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"the file begins like {encoding}, but is damaged") from error
    return text if "\n" in text else text.replace("\r", "\n")


def _decode_utf8(data: bytes, report: LossReporter) -> str:
    """Decode UTF-8 or Windows-1252, whichever most of the file is.

    Bytes that are not UTF-8, such as half a character at the end of a text, are Windows-1252.
    """
    # A fold may split a character, so bytes are unfolded before decoding.
    lines = data.replace(b"\r\n", b"\n").replace(b"\n ", b"").replace(b"\n\t", b"")
    text = lines.decode("utf-8-sig", errors="surrogateescape")
    if not _UNDECODED.search(text):
        return text
    decoded = text.encode(errors="ignore").decode()
    others = len(decoded) - len(decoded.encode("ascii", errors="ignore"))
    if len(text) - len(decoded) >= others:
        report("the file", "is not UTF-8, which iCalendar is written in; read as Windows-1252")
        return data.decode("cp1252", errors="replace")
    lines_of_text = _split(text.replace("\r", "\n"))
    wrong = sum(1 for line in lines_of_text if _UNDECODED.search(line))
    report(
        "the file",
        f"is not UTF-8 in {count(wrong, 'line')}; the wrong bytes are read as Windows-1252",
    )
    return text.translate(_WINDOWS_1252)


def _guess(beginning: bytes) -> str:
    """Detect UTF-16 without a byte order mark: every second byte is zero."""
    half = len(beginning) // 2
    if half and beginning[1::2].count(0) > half * 0.8:
        return "utf-16-le"
    return "utf-16-be" if half and beginning[::2].count(0) > half * 0.8 else ""


def _join_quoted(lines: Iterable[str]) -> Iterator[str]:
    """Join QUOTED-PRINTABLE lines that end with "=" with the next one."""
    begun = ""
    for line in lines:
        whole = begun + line
        if line.endswith("=") and _QUOTED.search(whole):
            begun = whole[:-1]
        else:
            begun = ""
            yield whole
    if begun:
        yield begun
