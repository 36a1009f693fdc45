"""Files that want to be a burden, and all that packages ship, through `calfeed import`.

`python -m tests.acceptance.hostile` imports a file of each kind, made from a seed, and those that
it is given as arguments (files, or folders that are searched for `*.ics`); each in a process of its
own, whose processor time and memory are measured from outside. It prints what came of each, and
ends with 1 where one took too much, ended with a traceback, or gave an event another instant than
the file's own VTIMEZONE does without a remark.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import icalendar
from dateutil.tz import tzical

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError
from tests.patience import PATIENCE

MOST_SECONDS = 10.0
"""Of processor time, the user's and the system's, from the start of Python."""

MOST_MEMORY = 300_000_000

_LAUNCHER = """
import json, resource, subprocess, sys
with open(sys.argv[1], "wb") as out, open(sys.argv[2], "wb") as err:
    code = subprocess.call(sys.argv[3:], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""
"""A small process of its own: the kernel counts the memory of whoever starts a command as the
command's own."""


@dataclass(frozen=True)
class Outcome:
    """What came of an import: `code` is negative where a signal ended it."""

    code: int
    seconds: float
    memory: int
    output: str
    said: str


@dataclass
class File:
    """A file to import, and at which instants (UTC) its events begin, by their summaries."""

    data: bytes
    begins: Mapping[str, datetime] = field(default_factory=dict)


def run_import(path: Path) -> Outcome:
    """Import a file, by the command, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="calfeed-hostile-") as name:
        out, err = Path(name, "out"), Path(name, "err")
        Path(name, "events").mkdir()
        command = [sys.executable, "-m", "calfeed", "import", str(path.resolve()), "--verbose"]
        # A folder calendar is written where there are too many events for one file.
        command += ["--slug", "hostile"]
        done = subprocess.run(
            [sys.executable, "-c", _LAUNCHER, str(out), str(err), *command],
            cwd=name,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE * 4,
            check=True,
        )
        code, seconds, memory = json.loads(done.stdout)
        written = sorted(Path(name).rglob("*.yaml"))
        text = "\n".join(one.read_text("utf-8") for one in written) if len(written) == 1 else ""
        return Outcome(code, seconds, memory, text, err.read_text("utf-8", "replace"))


def find_faults(outcome: Outcome, begins: Mapping[str, datetime]) -> Iterator[str]:
    """What is wrong about an import."""
    if "Traceback" in outcome.said:
        yield "a traceback: " + outcome.said.strip().splitlines()[-1]
    elif outcome.code not in (0, 1):
        yield f"it ended with {outcome.code}"
    elif outcome.code and not outcome.said.strip():
        yield "it failed without a word"
    if outcome.seconds > MOST_SECONDS:
        yield f"it took {outcome.seconds:.1f} s of processor time"
    if outcome.memory > MOST_MEMORY:
        yield f"it took {outcome.memory / 1e6:.0f} MB"
    if outcome.code == 0 and outcome.output:
        yield from _find_other_instants(outcome, begins)


def _find_other_instants(outcome: Outcome, begins: Mapping[str, datetime]) -> Iterator[str]:
    try:
        (calendar,) = read_definitions({"events/hostile.yaml": outcome.output.encode()}).calendars
    except DefinitionError as error:
        yield f"what was written is refused: {error}"
        return
    for event in calendar.events:
        for name in {event.uid, event.summary.get(event.language, "")} & begins.keys():
            found = event.instant(event.start)
            if found != begins[name] and not re.search(
                r"^(DTSTART|TZID|VTIMEZONE|RRULE|RDATE|X-WR-TIMEZONE|DTEND)\b", outcome.said, re.M
            ):
                yield f"{name} begins at {found}, not {begins[name]}"


def read_begins(data: bytes) -> dict[str, datetime]:
    """The instants of timed events by their own VTIMEZONE, by UID, as far as dateutil reads it."""
    found: dict[str, datetime] = {}
    try:
        calendars: Any = icalendar.Calendar.from_ical(data, multiple=True)
    except (ValueError, IndexError, KeyError):
        return {}
    for calendar in calendars:
        zones: dict[str, Any] = {}
        for zone in calendar.walk("VTIMEZONE"):
            text = "BEGIN:VCALENDAR\r\n" + zone.to_ical().decode() + "END:VCALENDAR\r\n"
            try:
                zones[str(zone["TZID"])] = tzical(StringIO(text)).get()
            except (ValueError, KeyError, IndexError):
                continue
        for event in calendar.walk("VEVENT"):
            start: Any = event.get("DTSTART")
            named = getattr(start, "params", {}).get("TZID")
            if "RRULE" in event or "UID" not in event or "RECURRENCE-ID" in event:
                continue
            if named in zones and isinstance(start.dt, datetime):
                wall = start.dt.replace(tzinfo=zones[named])
                found[str(event["UID"])] = wall.astimezone(UTC)
    return found


def _calendar(*parts: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hostile//EN", *parts, "END:VCALENDAR", ""]
    return "\r\n".join(lines).encode()


def _event(number: int, *lines: str, start: str = ":20300614T090000Z", uid: str = "") -> str:
    own = [f"UID:{uid or number}", "DTSTAMP:20300101T000000Z", f"SUMMARY:e{number}"]
    return "\r\n".join(["BEGIN:VEVENT", *own, f"DTSTART{start}", *lines, "END:VEVENT"])


def _zone(name: str, *observances: str) -> str:
    return "\r\n".join(["BEGIN:VTIMEZONE", f"TZID:{name}", *observances, "END:VTIMEZONE"])


def _observance(start: str, before: int, after: int, *lines: str, kind: str = "STANDARD") -> str:
    """Offsets are minutes."""
    offsets = [f"TZOFFSETFROM:{_offset(before)}", f"TZOFFSETTO:{_offset(after)}"]
    return "\r\n".join([f"BEGIN:{kind}", f"DTSTART:{start}", *offsets, *lines, f"END:{kind}"])


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"


def _many_events(random: Random) -> File:
    return File(_calendar(*(_event(n) for n in range(40_000))))


def _far_too_many_events(random: Random) -> File:
    return File(_calendar(*(_event(n) for n in range(200_000))))


def _one_uid(random: Random) -> File:
    return File(_calendar(*(_event(n, uid="same") for n in range(20_000))))


def _overrides(random: Random) -> File:
    """A storm of RECURRENCE-IDs: far more changed occurrences than there are."""
    master = _event(0, "RRULE:FREQ=DAILY", uid="s")
    first = datetime(2030, 6, 14, 9)  # noqa: DTZ001 (written as UTC)
    days = [first + timedelta(days=random.randrange(20_000)) for _ in range(20_000)]
    changed = [
        _event(n, f"RECURRENCE-ID:{day:%Y%m%dT%H%M%SZ}", start=f":{day:%Y%m%dT%H%M%SZ}", uid="s")
        for n, day in enumerate(days, 1)
    ]
    return File(_calendar(master, *changed))


def _orphans(random: Random) -> File:
    """Changed occurrences of events that are not there."""
    return File(
        _calendar(*(_event(n, "RECURRENCE-ID:20300614T090000Z") for n in range(20_000))),
    )


def _dates(name: str) -> Callable[[Random], File]:
    def make(random: Random) -> File:
        first = datetime(2030, 6, 14, 9)  # noqa: DTZ001 (written as UTC)
        days = [f"{first + timedelta(days=n):%Y%m%dT%H%M%SZ}" for n in range(100_000)]
        return File(_calendar(_event(0, "RRULE:FREQ=DAILY", f"{name}:{','.join(days)}")))

    return make


def _rules(random: Random) -> File:
    rules = [
        *("FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=SECONDLY;COUNT=1000000000"),
        *("FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        "FREQ=DAILY;INTERVAL=" + "9" * 400,
        "FREQ=DAILY;COUNT=" + "9" * 5_000,
        "FREQ=DAILY;BYSETPOS=" + ",".join(map(str, range(1, 366))),
        "FREQ=YEARLY;BYDAY=" + ",".join(f"{n}MO" for n in range(1, 54)),
        "FREQ=DAILY;" * 5_000 + "COUNT=1",
        "FREQ=YEARLY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,1,2,3;BYSECOND=0,1",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
        "FREQ=SECONDLY;BYSECOND=" + ",".join(map(str, range(61))) + ";UNTIL=99991231T235959Z",
        "FREQ=HOURLY;BYYEARDAY=366;BYHOUR=3",
        "FREQ=YEARLY;INTERVAL=10000",
        "FREQ=;COUNT=;=",
    ]
    return File(_calendar(*(_event(n, f"RRULE:{rule}") for n, rule in enumerate(rules * 50))))


def _nested(random: Random) -> File:
    depth = 50_000
    parts = ["BEGIN:VEVENT"] * depth + ["END:VEVENT"] * depth
    return File(_calendar(*parts))


def _nested_calendars(random: Random) -> File:
    depth = 5_000
    opened = "BEGIN:VCALENDAR\r\n" * depth
    return File((opened + _event(0) + "\r\nEND:VCALENDAR" * depth).encode())


def _unclosed(random: Random) -> File:
    return File(b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nUID:a\r\n" * 100_000)


def _giant_line(random: Random) -> File:
    return File(_calendar(_event(0, "DESCRIPTION:" + "x" * 20_000_000)))


def _folded(random: Random) -> File:
    return File(_calendar(_event(0, "DESCRIPTION:" + "\r\n ".join(["y"] * 2_000_000))))


def _escapes(random: Random) -> File:
    return File(_calendar(_event(0, "DESCRIPTION:" + "\\n\\,\\;\\\\" * 500_000)))


def _attachment(random: Random) -> File:
    body = "QUJD" * 3_000_000
    return File(_calendar(_event(0, f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{body}")))


def _quoted_printable(random: Random) -> File:
    body = "=C3=A9" * 1_000_000
    return File(_calendar(_event(0, f"DESCRIPTION;ENCODING=QUOTED-PRINTABLE:{body}")))


def _parameters(random: Random) -> File:
    many = "".join(f";X-{n}=v" for n in range(20_000))
    odd = [";=", ";X", ';X="', ";X=a=b=c", ';X="a"b"', ";TZID=", ";VALUE=;VALUE=DATE", ";X=^^n^'"]
    events = [
        _event(n, start=f"{text}:20300614T090000Z") for n, text in enumerate([many, *odd] * 20)
    ]
    return File(_calendar(*events))


def _bytes(make: Callable[[str], bytes]) -> Callable[[Random], File]:
    def produce(random: Random) -> File:
        return File(make(_calendar(*(_event(n) for n in range(50))).decode()))

    return produce


def _noise(random: Random) -> File:
    return File(random.randbytes(3_000_000))


def _damaged(random: Random) -> File:
    """A file in which bytes were changed at random."""
    data = bytearray(_calendar(*(_event(n, "RRULE:FREQ=WEEKLY") for n in range(500))))
    for _ in range(2_000):
        data[random.randrange(len(data))] = random.randrange(256)
    return File(bytes(data))


def _durations(random: Random) -> File:
    spans = [
        "P" + "9" * 400 + "D",
        "-P1D",
        "PT0S",
        "P1000000W",
        "PT99999999999S",
        "P",
        "P1Y",
        "+P1D",
    ]
    periods = ["20300614T090000Z/P99999999D", "20300614T090000Z/20200101T000000Z", "/", "x/y"]
    events = [_event(n, f"DURATION:{span}") for n, span in enumerate(spans * 20)]
    events += [
        _event(n, "RRULE:FREQ=DAILY;COUNT=2", f"RDATE;VALUE=PERIOD:{one}")
        for n, one in enumerate(periods * 20, 1_000)
    ]
    triggers = ["-P" + "9" * 300 + "W", "P1000Y", "-PT1S", "19000101T000000Z"]
    alarms = [
        _event(n, "BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:{one}", "END:VALARM")
        for n, one in enumerate(triggers * 20, 2_000)
    ]
    return File(_calendar(*events, *alarms))


def _years(random: Random) -> File:
    days = ["00010101", "99991231", "00000000", "20300231", "19000101", "22001231", "18991231"]
    starts = [f";VALUE=DATE:{day}" for day in days]
    starts += [f":{day}T235959Z" for day in days]
    starts += [f";TZID=Asia/Karachi:{day}T000000" for day in days]
    events = [_event(n, start=start) for n, start in enumerate(starts)]
    events += [_event(n, "RRULE:FREQ=YEARLY", start=one) for n, one in enumerate(starts, 100)]
    events += [_event(n, "DTEND:99991231T235959Z", start=one) for n, one in enumerate(starts, 200)]
    return File(_calendar(*events))


def _zones(count: int) -> Callable[[Random], File]:
    """As many zones, each with an offset of its own."""

    def make(random: Random) -> File:
        zones, events, begins = [], [], {}
        wall = datetime(2030, 6, 14, 9)  # noqa: DTZ001 (a wall time)
        for number in range(count):
            minutes = random.randrange(-47, 57) * 15
            zones.append(_zone(f"Zone {number}", _observance("19700101T000000", minutes, minutes)))
            events.append(_event(number, start=f";TZID=Zone {number}:{wall:%Y%m%dT%H%M%S}"))
            begins[f"e{number}"] = (wall - timedelta(minutes=minutes)).replace(tzinfo=UTC)
        return File(_calendar(*zones, *events), begins)

    return make


def _many_observances(random: Random) -> File:
    """A zone that changes its offset each month, for centuries."""
    parts, changes = [], []
    before = 0
    for month in range(12 * 400):
        after = random.randrange(-8, 9) * 60
        at = datetime(1800 + month // 12, month % 12 + 1, 1)  # noqa: DTZ001 (a wall time)
        parts.append(_observance(f"{at:%Y%m%dT%H%M%S}", before, after))
        changes.append((at, after))
        before = after
    begins, events = {}, []
    for number in range(200):
        wall = datetime(2030, 1, 15, 9) + timedelta(days=30 * number)  # noqa: DTZ001 (likewise)
        wall = wall.replace(day=15)
        minutes = [after for at, after in changes if at <= wall][-1]
        events.append(_event(number, start=f";TZID=Odd:{wall:%Y%m%dT%H%M%S}"))
        begins[f"e{number}"] = (wall - timedelta(minutes=minutes)).replace(tzinfo=UTC)
    return File(_calendar(_zone("Odd", *parts), *events), begins)


def _odd_zones(random: Random) -> File:
    """Zones that are named for a place and follow other rules, and some that are nonsense."""
    liar = _zone("Europe/Paris", _observance("19700101T000000", 345, 345))
    endless = _zone("Fast", _observance("19700101T000000", 60, 0, "RRULE:FREQ=SECONDLY"))
    twice = [_zone("Twice", _observance("19700101T000000", m, m)) for m in (60, 120)]
    empty, dates = _zone("Empty"), ",".join(f"{year}0101T000000" for year in range(1000, 9999))
    long = _zone("Long", _observance("10000101T000000", 60, 60, f"RDATE:{dates}"))
    wide = _zone("Wide", "BEGIN:STANDARD", "DTSTART:x", "TZOFFSETTO:+9999", "END:STANDARD")
    names = [
        "Europe/Paris",
        "Fast",
        "Twice",
        "Empty",
        "Long",
        "Wide",
        "",
        "a" * 10_000,
        "../../etc",
    ]
    events = [_event(n, start=f";TZID={name}:20300614T090000") for n, name in enumerate(names)]
    begins = {"e0": datetime(2030, 6, 14, 3, 15, tzinfo=UTC)}
    begins["e4"] = datetime(2030, 6, 14, 8, tzinfo=UTC)
    return File(_calendar(liar, endless, *twice, empty, long, wide, *events), begins)


KINDS: dict[str, Callable[[Random], File]] = {
    "40,000 events": _many_events,
    "200,000 events": _far_too_many_events,
    "one UID 20,000 times": _one_uid,
    "20,000 changed occurrences": _overrides,
    "20,000 orphans": _orphans,
    "100,000 EXDATEs": _dates("EXDATE"),
    "100,000 RDATEs": _dates("RDATE"),
    "rules": _rules,
    "nested events": _nested,
    "nested calendars": _nested_calendars,
    "nothing is closed": _unclosed,
    "a giant line": _giant_line,
    "a line folded a million times": _folded,
    "escapes": _escapes,
    "an attachment": _attachment,
    "quoted-printable": _quoted_printable,
    "parameters": _parameters,
    "UTF-16": _bytes(lambda text: text.encode("utf-16")),
    "UTF-16 without a mark": _bytes(lambda text: text.encode("utf-16-le")),
    "half of UTF-16": _bytes(lambda text: text.encode("utf-16")[:-1]),
    "UTF-32": _bytes(lambda text: text.encode("utf-32")),
    "marks": _bytes(lambda text: b"\xef\xbb\xbf" * 1_000 + text.encode()),
    "NUL": _bytes(lambda text: text.replace("SUMMARY:", "SUMMARY:\0").encode()),
    "broken UTF-8": _bytes(
        lambda text: text.encode().replace(b"SUMMARY:", b"SUMMARY:\xff\xc3\x28")
    ),
    "carriage returns": _bytes(lambda text: text.replace("\r\n", "\r").encode()),
    "nothing": lambda random: File(b""),
    "only line breaks": lambda random: File(b"\r\n" * 2_000_000),
    "noise": _noise,
    "damage": _damaged,
    "durations": _durations,
    "years": _years,
    "90 zones": _zones(90),
    "5,000 zones": _zones(5_000),
    "a zone of 4,800 observances": _many_observances,
    "odd zones": _odd_zones,
}
"""What is made, by its name."""


def try_kind(name: str, seed: int, folder: Path) -> tuple[Outcome, list[str]]:
    """Import a file of a kind; what came of it, and what is wrong with that."""
    file = KINDS[name](Random(f"{seed}/{name}"))
    path = folder / "hostile.ics"
    path.write_bytes(file.data)
    outcome = run_import(path)
    return outcome, list(find_faults(outcome, file.begins))


def main() -> int:
    """Import everything, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.hostile")
    parser.add_argument("paths", nargs="*", type=Path, help="files, or folders to search for *.ics")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    faulty = 0
    with tempfile.TemporaryDirectory(prefix="calfeed-hostile-") as folder:
        for name in KINDS:
            outcome, faults = try_kind(name, wanted.seed, Path(folder))
            faulty += _report(name, outcome, faults)
    seen: set[bytes] = set()
    for path in (file for one in wanted.paths for file in _find_files(one)):
        data = path.read_bytes()
        if data in seen:
            continue
        seen.add(data)
        outcome = run_import(path)
        faulty += _report(str(path), outcome, list(find_faults(outcome, read_begins(data))))
    print(f"{len(KINDS)} kinds and {len(seen)} files: {faulty} with faults")
    return 1 if faulty else 0


def _find_files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*.ics") if one.is_file()) if path.is_dir() else [path]


def _report(name: str, outcome: Outcome, faults: list[str]) -> bool:
    state = "imported"
    if outcome.code:
        state = f"refused ({' '.join(outcome.said.split())[-100:]})"
    print(
        f"{name}: {state}, {outcome.seconds:.1f} s, {outcome.memory / 1e6:.0f} MB",
        *(f"\n    {fault[:300]}" for fault in faults),
        flush=True,
    )
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
