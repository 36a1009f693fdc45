"""The tables of what was measured of deliveries, and of growth."""

from __future__ import annotations

from benchmarks import backlogs, deliveries, faults, growth, lateness
from benchmarks.databases import KINDS
from benchmarks.markdown import draw_table, write_beside, write_megabytes, write_microseconds


def show_deliveries() -> str:
    """The tables of deliveries per second: beside aiohttp, and beside task queues."""
    rates = deliveries.measure()
    rows = [["deliveries per second (beside aiohttp)", *deliveries.RECEIVERS]]
    for client in deliveries.CLIENTS:
        cells = [client]
        for receivers in deliveries.RECEIVERS:
            rate, limit = rates[client, receivers], rates[deliveries.BARE, receivers]
            cells.append(write_beside(rate, None if client == deliveries.BARE else limit))
        rows.append(cells)
    _, receivers = deliveries.RECEIVERS
    beside = [[f"posts per second, {receivers}", "rate", *deliveries.WORKERS]]
    for queue in deliveries.QUEUES:
        rate = rates[queue, receivers]
        times = [f"{rates[one, receivers] / rate:.1f} times" for one in deliveries.WORKERS]
        beside.append([queue, f"{rate:,.0f}", *times])
    return f"{draw_table(rows)}\n\n{draw_table(beside)}"


def show_lateness() -> str:
    """The table of the time from due to received."""
    found = lateness.measure()
    rows = [[f"due to received, {lateness.RATE} a second for {lateness.SECONDS} s"]]
    rows[0] += lateness.SHARES
    for kind in KINDS:
        rows.append([kind, *(f"{found[kind, share]:.3f} s" for share in lateness.SHARES)])
    return draw_table(rows)


def show_faults() -> str:
    """The table of how late healthy endpoints are served beside bad ones."""
    found = faults.measure()
    rows = [[f"{faults.HEALTHY:,} healthy endpoints", *faults.SHARES, "latest of the worst round"]]
    for kind in KINDS:
        for case in faults.CASES:
            late = found[kind, case]
            seconds = [*late.shares.values(), late.worst]
            rows.append([f"{kind}, {case}", *(f"{one:.3f} s" for one in seconds)])
    return draw_table(rows)


def show_backlogs() -> str:
    """The table of what a delivery costs while many are pending."""
    costs = backlogs.measure()
    pending = ["10,000 pending", "1,000,000 pending"]
    head = ["deliveries per second; CPU for one", *pending, "ratio of CPU"]
    rows = [head]
    for kind in KINDS:
        for endpoints in backlogs.ENDPOINTS:
            few, many = (costs[kind, endpoints, each] for each in (backlogs.SMALL, backlogs.BIG))
            name = f"{kind}, {endpoints:,} endpoint{'' if endpoints == 1 else 's'}"
            cells = [_write_cost(one) for one in (few, many)]
            rows.append([name, *cells, f"{many.processor / few.processor:.2f}"])
    return draw_table(rows)


def show_growth() -> str:
    """The tables of docs/scaling.md."""
    tables = [_show_feeds(), _show_publishes(), _show_kept(), _show_sizes(), _show_fan_out()]
    return "\n\n".join(tables)


def _show_feeds() -> str:
    rows = [["events in a feed", "bytes", "compressed", "CPU: body", "gzip", "304"]]
    for one in growth.measure_feeds():
        costs = [write_microseconds(cost) for cost in one.costs.values()]
        rows.append([f"{one.events:,}", f"{one.size:,}", f"{one.packed:,}", *costs])
    return draw_table(rows)


def _show_publishes() -> str:
    head = ["events published", "first publish", "one changed", "peak", "SQLite", "web process"]
    rows = [head]
    for one in growth.measure_publishes():
        seconds = [f"{spent.seconds:.1f} s" for spent in (one.first, one.changed)]
        sizes = [write_megabytes(size) for size in (one.first.peak, one.database, one.web)]
        rows.append([f"{one.events:,}", *seconds, *sizes])
    return draw_table(rows)


def _show_kept() -> str:
    costs = growth.measure_kept()
    rows = [["deliveries per second; CPU for one", *(f"{kept:,} kept" for kept in growth.KEPT)]]
    for kind in KINDS:
        rows.append([kind, *(_write_cost(costs[kind, kept]) for kept in growth.KEPT)])
    return draw_table(rows)


def _show_sizes() -> str:
    sizes = growth.measure_sizes()
    rows = [["bytes kept", *growth.THINGS]]
    for kind in KINDS:
        rows.append([kind, *(f"{sizes[kind, thing]:,.0f}" for thing in growth.THINGS)])
    return draw_table(rows)


def _show_fan_out() -> str:
    found = growth.measure_fan_out()
    rows = [["one message, to the first and the last of", *(f"{told:,}" for told in growth.TOLD)]]
    for kind in KINDS:
        each = [found[kind, told] for told in growth.TOLD]
        rows.append([kind, *(f"{one.first:.2f} s, {one.last:.2f} s" for one in each)])
    return draw_table(rows)


def _write_cost(cost: backlogs.Cost) -> str:
    parts = write_microseconds(cost.worker)
    if cost.database:
        parts += f" + {write_microseconds(cost.database)}"
    return f"{1 / cost.seconds:,.0f}; {parts}"
