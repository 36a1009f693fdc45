"""libical, ical.js and sabre/vobject: parsers in other languages, each a process that reads feeds.

Each is a small program in this folder. It gets the feeds of a batch as arguments (FILE BEGIN END,
again and again) and prints a line for each thing it reads, its parts separated by tabs:

    NUMBER  occurrence  UID  START  END
    NUMBER  alarm       UID  START  MOMENT
    NUMBER  error       UID  MESSAGE

NUMBER is the feed's place in the batch. Times are as in iCalendar: a date, a time in UTC with Z,
or one without a zone. `make parts` installs what they need.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import NamedTuple

import pytest

_FOLDER = Path(__file__).parent
_ICAL_JS = Path(sys.prefix, "parsers", "node_modules", "ical.js", "dist", "ical.js")
_SABRE = Path("/usr/share/php/Sabre/VObject/includes.php")

TIMEOUT_SECONDS = 300
"""For a whole batch. A parser that never ends on a rule is found; a slow machine is not."""


class Feed(NamedTuple):
    """A feed, and the time in which occurrences are of interest."""

    text: bytes
    begin: datetime
    end: datetime


class Occurrence(NamedTuple):
    """Dates are of what is all day; times are in UTC, or naive where they have no zone."""

    uid: str
    start: date
    end: date


class Alarm(NamedTuple):
    """An alarm of the occurrence that starts at `start`; naive for what is all day."""

    uid: str
    start: date
    moment: datetime


@dataclass
class Reading:
    """What a parser makes of one feed: what starts in its time, and some more beside it."""

    occurrences: set[Occurrence] = field(default_factory=set)
    alarms: set[Alarm] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)


class MissingParserError(Exception):
    """A parser, or what it needs, is not installed."""


@cache
def _libical() -> list[str]:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/usr/include/libical/ical.h").exists():
        raise MissingParserError("there is no C compiler with libical-dev")
    program = Path(mkdtemp(prefix="calfeed-libical-"), "libical")
    source = str(_FOLDER / "libical.c")
    subprocess.run([compiler, source, "-O1", "-o", str(program), "-lical"], check=True)
    return [str(program)]


@cache
def _ical_js() -> list[str]:
    node = shutil.which("node")
    if node is None or not _ICAL_JS.exists():
        raise MissingParserError("there is no Node with ical.js")
    return [node, str(_FOLDER / "icaljs.mjs"), str(_ICAL_JS)]


@cache
def _sabre() -> list[str]:
    php = shutil.which("php")
    if php is None or not _SABRE.exists():
        raise MissingParserError("there is no PHP with php-sabre-vobject")
    return [php, str(_FOLDER / "sabre.php")]


PARSERS = {"libical": _libical, "ical.js": _ical_js, "sabre": _sabre}


def read_feeds(parser: str, feeds: Sequence[Feed]) -> list[Reading]:
    """What one of `PARSERS` makes of each feed, in one process.

    Raises `MissingParserError`.
    """
    command = PARSERS[parser]()
    readings = [Reading() for _ in feeds]
    with TemporaryDirectory(prefix="calfeed-feeds-") as folder:
        words = []
        for number, feed in enumerate(feeds):
            path = Path(folder, f"{number}.ics")
            path.write_bytes(feed.text)
            words += [str(path), f"{feed.begin:%Y%m%d}", f"{feed.end:%Y%m%d}"]
        run = subprocess.run(
            [*command, *words],
            capture_output=True,
            check=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    for line in run.stdout.splitlines():
        place, kind, uid, *rest = line.split("\t")
        reading = readings[int(place)]
        if kind == "error":
            reading.errors.append(": ".join(filter(None, [uid, *rest])))
            continue
        start, other = map(_parse, rest)
        if kind == "occurrence":
            reading.occurrences.add(Occurrence(uid, start, other))
        else:
            assert isinstance(other, datetime)
            reading.alarms.add(Alarm(uid, start, other))
    if run.stderr:
        readings[0].errors.append(run.stderr)
    return readings


@contextmanager
def parsers_required() -> Iterator[None]:
    """Skip the rest of a test where a parser is missing; under CI, fail."""
    try:
        yield
    except MissingParserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error}; `make parts` installs what is missing")


def _parse(text: str) -> date:
    if "T" not in text:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    if text.endswith("Z"):
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.fromisoformat(text)
