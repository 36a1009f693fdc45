"""Whether the pages show events on the days on which a browser would.

Random events in many zones are published. For readers in 20 zones Chromium opens the months, the
years and the agenda, reads what stands there, and works out from the moments of the occurrences,
with its own clock and zones, on which of the reader's days each has to be.

    python -m tests.acceptance.views --events 1000 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError
from calfeed.publish.apply import publish
from tests.browser.house import NOW, serve_published, start_chromium
from tests.migrated import migrated_sqlite
from tests.ports import free_port

ZONES = [
    *("UTC", "Pacific/Kiritimati", "Pacific/Niue", "Pacific/Chatham", "Pacific/Auckland"),
    *("Australia/Lord_Howe", "Asia/Tokyo", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Karachi"),
    *("Asia/Kabul", "Asia/Tehran", "Africa/Nairobi", "Africa/Cairo", "Europe/Berlin"),
    *("Europe/London", "America/St_Johns", "America/New_York", "America/Los_Angeles"),
    "America/Sao_Paulo",
]
MONTHS = [f"{year}-{month:02}" for year, month in [(2026, 12), *((2027, n) for n in range(1, 13))]]

_EDGES = ["00:00", "00:30", "09:00", "12:00", "18:00", "22:00", "23:00", "23:30", "23:59"]
_FIRST = date(2026, 11, 20)

_READ = """
() => [...document.querySelectorAll("td[id^=d2]")].flatMap(day =>
  [...day.querySelectorAll("a.chip")].map(chip => [
    day.id.slice(1), chip.querySelector("bdi").textContent,
    [...chip.querySelectorAll(".word")].map(word => word.textContent).sort().join(" "),
  ].join("|")))
"""
_READ_YEAR = """
() => [...document.querySelectorAll(".small")].flatMap((month, number) =>
  [...month.querySelectorAll("td a")].map(day => {
    const titles = day.title.split(" · ");
    const more = /^(\\d+) more$/.exec(titles.at(-1));
    const count = more ? titles.length - 1 + Number(more[1]) : titles.length;
    const text = day.querySelector(".number").textContent;
    return `${String(number + 1).padStart(2, "0")}-${text.padStart(2, "0")} ${count}`;
  }))
"""
_READ_AGENDA = """
() => [...document.querySelectorAll("section:not(.past) > .month")].flatMap(month =>
  [...month.querySelectorAll(".entry")].map(entry => {
    const name = month.querySelector(".month-name").textContent;
    const day = new Date(`${entry.querySelector(".number").textContent} ${name} 00:00 UTC`);
    const found = day.toISOString().slice(0, 10);
    return `${found}|${entry.querySelector(".title bdi").textContent}`;
  }))
"""
_WORK_OUT = """
async ([calendar, zone, first, last]) => {
  const step = (day, days) =>
    new Date(Date.parse(day) + days * 864e5).toISOString().slice(0, 10);
  const window = `start=${step(first, -3)}&end=${step(last, 3)}`;
  const answer = await fetch(`/calendars/${calendar}/occurrences.json?${window}`);
  const clock = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", calendar: "gregory",
  });
  return (await answer.json()).flatMap(one => {
    let from = one.start, to = one.start;
    if (one.allDay) {
      if (one.end) to = step(one.end, -1);
    } else {
      const [begins, ends] = [Date.parse(one.start), Date.parse(one.end ?? one.start)];
      from = clock.format(begins);
      to = clock.format(Math.max(begins, ends - 1));
    }
    const days = [];
    for (let day = from < first ? first : from; day <= to && day <= last; day = step(day, 1))
      days.push([day, one.title, one.classNames.sort().join(" ")].join("|"));
    return days;
  });
}
"""


def make_events(dice: random.Random, count: int) -> dict[str, Any]:
    """Events that begin and end at all hours, all day, over days, in series, of every status."""
    return {f"event-{number}": _make_event(dice, number) for number in range(count)}


def _make_event(dice: random.Random, number: int) -> dict[str, Any]:
    day = _FIRST + timedelta(days=dice.randrange(400))
    event: dict[str, Any] = {"summary": f"Event {number}", "time_zone": dice.choice(ZONES)}
    if dice.random() < 0.3:
        event["start"] = f"{day}"
        if dice.random() < 0.5:
            event["end"] = f"{day + timedelta(days=dice.randrange(1, 9))}"
    else:
        begins = datetime.combine(day, time.fromisoformat(dice.choice(_EDGES)))
        event["start"] = f"{begins:%Y-%m-%d %H:%M}"
        if dice.random() < 0.6:
            event["duration"] = dice.choice(
                ["15 minutes", "1 hour", "90 minutes", "1 day", "2 days"]
            )
    if dice.random() < 0.2 and "end" not in event:
        rule = dice.choice(["WEEKLY", "MONTHLY", "DAILY;INTERVAL=5"])
        event["repeat"] = {"rule": f"FREQ={rule};COUNT={dice.randrange(2, 30)}"}
    if dice.random() < 0.3:
        event["status"] = dice.choice(["tentative", "cancelled"])
    if dice.random() < 0.3:
        event["kind"] = "deadline"
    return event


@contextmanager
def serve_events(folder: Path, seed: int, count: int) -> Iterator[str]:
    """A site with so many random events, and its address."""
    dice = random.Random(seed)
    defined, events = None, make_events(dice, count)
    while defined is None:
        calendar = {"name": "Views", "time_zone": "UTC", "events": events}
        try:
            defined = read_definitions({"events/views.yaml": yaml.safe_dump(calendar).encode()})
        except DefinitionError as error:  # a time that the clocks of its zone skip
            for problem in error.problems:
                events.pop(problem.key.split(".")[1], None)
    database = migrated_sqlite(folder)
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    publish(database, defined, NOW, base_url)
    with serve_published(database, base_url, port):
        yield base_url


def compare_month(page: Page, zone: str, month: str, worked_out: Sequence[str]) -> list[str]:
    """What a month shows and a browser does not work out, and the other way round."""
    page.goto(f"/calendars/views/?view=month&month={month}&zone={zone}")
    return [f"{zone} {month}: {one}" for one in differ(page.evaluate(_READ), worked_out)]


def compare_year(page: Page, zone: str, year: int, months: Mapping[str, list[str]]) -> list[str]:
    """The same of a year: on each day of these months as many dates as a browser works out."""
    page.goto(f"/calendars/views/?view=year&year={year}&zone={zone}")
    counts = Counter(
        one[5:10] for found in months.values() for one in found if one[:4] == f"{year}"
    )
    shown = [one for one in page.evaluate(_READ_YEAR) if f"{year}-{one[:2]}" in months]
    worked_out = [f"{day} {count}" for day, count in counts.items()]
    return [f"{zone} {year}: {one}" for one in differ(shown, worked_out)]


def compare_agenda(page: Page, zone: str, months: Mapping[str, list[str]]) -> list[str]:
    """The same of the agenda, page by page: what is in some months stands there, on its first day.

    The dates of a series are one line on a page, on the day of the first of them.
    """
    worked_out = {one.rpartition("|")[0] for found in months.values() for one in found}
    page.goto(f"/calendars/views/?zone={zone}")
    lines: list[str] = page.evaluate(_READ_AGENDA)
    while (later := page.locator("main .turns a[rel~=next]")).count():
        page.goto(later.first.get_attribute("href") or "")
        lines += page.evaluate(_READ_AGENDA)
    wrong = [line for line in lines if line[:7] in months and line not in worked_out]
    titles = {one.partition("|")[2] for one in worked_out}
    missing = titles - {line.partition("|")[2] for line in lines}
    return [f"{zone} agenda: {one}" for one in (*wrong, *sorted(missing))]


def days_of_month(month: str) -> tuple[str, str]:
    """The first and the last day of "2027-03"."""
    first = date.fromisoformat(f"{month}-01")
    return f"{first}", f"{(first + timedelta(days=31)).replace(day=1) - timedelta(days=1)}"


def differ(shown: Sequence[str], worked_out: Sequence[str]) -> list[str]:
    """What is in one of two lists alone."""
    return [
        *(f"shown only: {one}" for one in sorted(set(shown) - set(worked_out))),
        *(f"worked out only: {one}" for one in sorted(set(worked_out) - set(shown))),
        *(["some of it twice"] if len(set(shown)) != len(shown) else []),
    ]


def compare(browser: Browser, base_url: str, zone: str, months: Sequence[str]) -> list[str]:
    """Every difference, in some months and their years, for a reader in a zone."""
    context = browser.new_context(base_url=base_url, timezone_id=zone, locale="en-GB")
    page = context.new_page()
    page.goto(f"/calendars/views/?zone={zone}")
    worked_out = {
        month: page.evaluate(_WORK_OUT, ["views", zone, *days_of_month(month)]) for month in months
    }
    found = [one for month in months for one in compare_month(page, zone, month, worked_out[month])]
    for year in sorted({int(month[:4]) for month in months}):
        found += compare_year(page, zone, year, worked_out)
    found += compare_agenda(page, zone, worked_out)
    context.close()
    return found


def main() -> None:
    """Compare all of it, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with (
        TemporaryDirectory() as folder,
        serve_events(Path(folder), given.seed, given.events) as base_url,
        sync_playwright() as playwright,
    ):
        browser = start_chromium(playwright)
        different = 0
        for zone in ZONES:
            found = compare(browser, base_url, zone, MONTHS)
            different += len(found)
            print("\n".join([*found, f"{zone}: {len(found)} differ"]), flush=True)
        browser.close()
    print(f"{given.events} events, {len(ZONES)} zones, {len(MONTHS)} months: {different} differ")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
