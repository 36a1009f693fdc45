"""Two sites that differ only in what is private or under embargo, compared in all that is served.

`python -m tests.acceptance.twins` publishes to the private calendar 50 times: events come, move,
are cancelled and go, the calendar takes another name, goes and comes back. In one of the sites the
public calendar has dates under embargo too. Now and then something public changes in both. After
each publish, every address, header and validator of the two has to be the same, for strangers and
for a token that may not read what is private. It prints how much was compared, and fails where
anything differs. `--publishes 5` is a short form.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from werkzeug.test import TestResponse

from calfeed.store.access import tokens
from calfeed.web.api.app import MOUNT
from calfeed.web.pages import export
from tests.web.published import BASE, NOW, Published, make_site
from tests.web.whole import make_whole

OPEN = """
name: Open days
time_zone: Asia/Karachi
reminders: [1 week]
events:
  fair: {{summary: Spring fair, start: 2027-02-{day:02}, categories: [fairs], location: Lahore}}
  rounds: {{summary: Rounds, start: 2027-01-04 09:00, repeat: {{rule: FREQ=WEEKLY;COUNT=60}}}}
"""
NAMES = ("vault-zx9", "strongroom-zx9")
TOKEN = "a-token-that-may-read-what-is-public"
WINDOW = "from=2027-01-01&to=2027-03-01"

PATHS = [
    *("/", "/?lang=ur", "/search?q=Zircon", "/search?q=fair", "/agenda", "/changes.atom"),
    *("/calendars.ics", "/calendars.ics?category=fairs", "/calendars.ics?category=vaults"),
    *("/calendars/open/", "/calendars/open/?view=month&month=2027-01", "/calendars/open.ics"),
    *("/calendars/open.json", "/calendars/open.jcal", "/calendars/open.csv"),
    *("/calendars/open/changes.atom", "/calendars/open/fair/", "/calendars/open/fair.ics"),
    *("/calendars/open.todo.ics", "/calendars/open/vault/", "/calendars/open/vault.ics"),
    *("/calendars/open/count/", "/search?q=Zircon+count", "/calendars/open.ics?open=none"),
    *("/embed/open/", "/sitemap.xml", "/robots.txt", "/healthz", "/readyz", "/nothing"),
    *(f"{MOUNT}/v1{path}" for path in ("/calendars", "/calendars/open", "/calendars/open/events")),
    *(f"{MOUNT}/v1{path}" for path in ("/changes", "/changes?limit=1", "/tokens", "/endpoints")),
    *(f"{MOUNT}/v1{path}?{WINDOW}" for path in ("/occurrences", "/reminders")),
    *(f"{MOUNT}/openapi.json", "/console/sign-in"),
    *(
        path.format(name)
        for name in NAMES
        for path in (
            *("/calendars/{}.ics", "/calendars/{}/", "/calendars/{}.json", "/embed/{}/"),
            *("/calendars/{}/handover/", "/calendars/{}/changes.atom", "/private/guess/{}.ics"),
            *(f"{MOUNT}/v1/calendars/{{}}", f"{MOUNT}/v1/changes?calendar={{}}"),
        )
    ),
]
"""What is asked for, besides what the pages, feeds and answers lead to."""


class Twin:
    """One of the two sites, with what was answered last at each address."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.site = make_site(folder)
        self.client = make_whole(self.site).client
        self.validators: dict[str, dict[str, str]] = {}
        with self.site.database.write() as connection:
            tokens.add_token(connection, TOKEN, None, "", NOW, ["read:open", "tokens"])

    def ask(self, path: str, method: str, **headers: str) -> TestResponse:
        """Ask for an address, with these headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, headers=named, buffered=True)


class Twins:
    """Both sites, published to at the same moments."""

    def __init__(self, folder: Path) -> None:
        self.busy, self.quiet = Twin(folder / "busy"), Twin(folder / "quiet")
        self.compared: Counter[str] = Counter()

    def publish(self, private: dict[str, str], day: int, embargoed: str = "") -> None:
        """Publish to both what is public, and to one what is private or under embargo."""
        public = OPEN.format(day=day)
        self.busy.site.publish({"open": public + embargoed} | private)
        self.quiet.site.publish({"open": public})

    def wait(self, span: timedelta) -> None:
        """Let time go by in both."""
        for twin in (self.busy, self.quiet):
            twin.site.now += span

    def compare(self) -> None:
        """See that nothing differs in anything that can be asked for."""
        cursors = [f"{MOUNT}/v1/changes?cursor={self._cursor()}"] if self._cursor() else []
        for path in (*PATHS, *cursors):
            for method in ("GET", "HEAD"):
                self._compare(path, method)
            self._compare(path, "GET", Authorization=f"Bearer {TOKEN}")
            self._compare(path, "GET", Accept="application/json", Accept_Encoding="gzip")
            # Whoever was here before the publish asks whether there is anything new.
            for name, value in self.quiet.validators.get(path, {}).items():
                self._compare(path, "GET", **{name: value})
        files = [dict(_export(twin.site)) for twin in (self.busy, self.quiet)]
        assert files[0] == files[1]
        self.compared["exported files"] += len(files[0])

    def _cursor(self) -> str:
        answer = self.quiet.ask(f"{MOUNT}/v1/changes", "GET").json or {}
        return str(answer.get("next") or "")

    def _compare(self, path: str, method: str, **headers: str) -> None:
        busy, quiet = (twin.ask(path, method, **headers) for twin in (self.busy, self.quiet))
        said = [(one.status, _headers(one), one.data) for one in (busy, quiet)]
        assert said[0] == said[1], f"{method} {path} {headers}: {said[0]} is not {said[1]}"
        self.compared[f"answers {quiet.status_code}"] += 1
        if not headers and method == "GET":
            names = {"ETag": "If_None_Match", "Last-Modified": "If_Modified_Since"}
            self.quiet.validators[path] = {
                header: quiet.headers[name]
                for name, header in names.items()
                if name in quiet.headers
            }

    def close(self) -> None:
        """Close both databases."""
        for twin in (self.busy, self.quiet):
            twin.site.database.close()


def _headers(response: TestResponse) -> list[tuple[str, str]]:
    """The headers, but for the time of the response, and what counts this asker's requests."""
    kept = [each for each in response.headers if not each[0].startswith("X-RateLimit-")]
    return [each for each in kept if each[0] != "Date"]


def _export(site: Published) -> Iterator[tuple[str, bytes]]:
    return iter(export.make_site(site.database, BASE, site.now))


def write_private(choose: random.Random, number: int) -> dict[str, str]:
    """The private calendar of one publish; now and then there is none, or it has another name."""
    if choose.random() < 0.1:
        return {}
    name = choose.choice(NAMES)
    events = [
        f"  {slug}: {{summary: Zircon {number}, start: 2027-01-{choose.randint(1, 28):02} 10:00, "
        f"categories: [vaults], status: {choose.choice(['confirmed', 'tentative', 'cancelled'])}}}"
        for slug in ("handover", "audit", "count")
        if choose.random() < 0.8
    ]
    former = [one for one in NAMES if one != name]
    head = (
        f"name: Vaultroom\nformerly: {former}\ntime_zone: UTC\nvisibility: private\n"
        "reminders: [1 day]\n"
    )
    return {name: head + ("events:\n" + "\n".join(events) if events else "events: {}") + "\n"}


def write_embargoed(choose: random.Random, number: int) -> str:
    """Events of the public calendar that are under embargo, and dates counted from them."""
    day = choose.randint(1, 28)
    lines = [
        f"  vault: {{summary: Zircon {number}, start: 2027-01-{day:02} 10:00, "
        "categories: [vaults], embargo: 2027-06-01 00:01, note: Zircon}",
        "  count: {summary: Zircon count, start: 3 days after vault, kind: deadline}",
        "  audit: {summary: Zircon audit, start: monday before count, reminders: [1 day]}",
    ]
    return "\n".join(lines[: choose.randint(1, 3)]) + "\n"


def run(folder: Path, publishes: int, seed: int) -> Counter[str]:
    """Publish so many times and compare after each; what was compared, counted."""
    choose = random.Random(seed)
    twins = Twins(folder)
    try:
        day = 1
        twins.publish({}, day)
        twins.compare()
        for number in range(publishes):
            twins.wait(timedelta(seconds=choose.choice((1, 61, 7_200))))
            day += number % 2  # something public changes too
            twins.publish(write_private(choose, number), day, write_embargoed(choose, number))
            twins.compare()
    finally:
        twins.close()
    return twins.compared


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        compared = run(Path(folder), given.publishes, given.seed)
    for what, count in sorted(compared.items()):
        print(f"{what:<16} {count:>8,} the same")


if __name__ == "__main__":
    main()
