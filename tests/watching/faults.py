"""Let Prometheus watch running sites with faults: `python -m tests.watching.faults`.

Each site has a fault of its own, and one has none. They run for a while on PostgreSQL, until the
alerts of `deploy/prometheus/alerts.yml` have had their time; then all of them are stopped, so that
nothing serves metrics. It fails where an alert does not fire for its fault, or fires for another.
It needs Debian's prometheus and takes about 20 minutes, so no test runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.acceptance.postgresql import Postgresql, run_postgresql
from tests.acceptance.site import Running, Site, until
from tests.delivery.receiver import Receiver
from tests.ports import free_port
from tests.watching.test_alerts import ALERTS, FAULTS

NO_FAULT = "none"
NOT_WATCHED = "CalfeedIsNotWatched"

_LONGEST = timedelta(minutes=11)
"""How long the slowest alerts take to fire: ten minutes, and a moment."""

_TWO_HOURS = 7200  # seconds, in which all that happens here has happened

# What begins within 20 minutes has a reminder that is sent at once, and only until it begins.
_EVENTS = """\
name: Drill
time_zone: UTC
reminders: [20 minutes]
events:
  drill:
    summary: Drill
    start: {start:%Y-%m-%d %H:%M:%S}
"""
_CONFIGURATION = {
    "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
    "rule_files": [str(ALERTS)],
}


class WatchedSite:
    """A web server and a worker of a site, each of which can be stopped and started."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.site = Site(folder, url)
        self.url = url
        self.metrics = f"127.0.0.1:{free_port()}"
        self.site.environment |= {"CALFEED_METRICS": self.metrics}
        self.stack = stack
        self.site.do("publish")

    def subscribe(self, url: str) -> None:
        """Have an endpoint."""
        self.site.do("endpoint", "add", url)

    def publish_drill(self, after: timedelta) -> datetime:
        """Publish an event that begins after this time, and return when."""
        start = datetime.now(UTC) + after
        self.site.write("drill.yaml", _EVENTS.format(start=start))
        self.site.do("publish")
        return start

    def run(self, *words: str) -> Running:
        """Run a command until all is over."""
        return self.stack.enter_context(self.site.running(*words))

    def begin(self) -> tuple[Running, Running]:
        """Run a web server and a worker, and wait until both are known."""
        both = self.run("web"), self.run("worker")
        self.await_processes(2)
        return both

    def await_processes(self, count: int) -> None:
        until(lambda: len(self.site.ask("status")["processes"]) >= count, "heartbeats")

    def hold(self, statement: str) -> None:
        """Keep a transaction open that has locked something."""
        connection = self.stack.enter_context(psycopg.connect(self.url))
        connection.execute(statement.encode())


Fault = Callable[[WatchedSite, Receiver], None]


def have_none(one: WatchedSite, receiver: Receiver) -> None:
    one.begin()
    one.subscribe(receiver.url("/status/204"))
    one.publish_drill(timedelta(seconds=90))


def be_late(one: WatchedSite, receiver: Receiver) -> None:
    """Somebody keeps a lock on the table that workers send from, and a reminder falls due."""
    one.begin()
    one.subscribe(receiver.url("/status/204"))
    one.publish_drill(timedelta(minutes=21))
    one.hold("LOCK TABLE deliveries IN EXCLUSIVE MODE")


def lose_the_web_server(one: WatchedSite, receiver: Receiver) -> None:
    web, _ = one.begin()
    web.kill_group()


def lose_the_worker(one: WatchedSite, receiver: Receiver) -> None:
    """It hangs, but for what answers Prometheus."""
    one.begin()
    one.hold("SELECT * FROM heartbeats WHERE kind = 'worker' FOR UPDATE")


def miss_reminders(one: WatchedSite, receiver: Receiver) -> None:
    """No worker runs until the event is over."""
    one.subscribe(receiver.url("/status/204"))
    one.run("web")
    begins = one.publish_drill(timedelta(seconds=65))
    while (rest := (begins - datetime.now(UTC)).total_seconds()) > -5:
        time.sleep(max(1.0, rest))
    one.run("worker")
    one.await_processes(2)


def disable_an_endpoint(one: WatchedSite, receiver: Receiver) -> None:
    """It has failed for days: those before the attempts of these minutes are written to it."""
    one.begin()
    one.subscribe(receiver.url("/status/500"))
    one.publish_drill(timedelta(days=2))
    until(lambda: one.site.ask("delivery", "list", "--pending"), "a delivery")
    now = datetime.now(UTC)
    began, at = (int(when.timestamp() * 1_000_000) for when in (now - timedelta(days=6), now))
    with psycopg.connect(one.url) as connection:
        connection.execute("UPDATE deliveries SET attempts = 4, next_at = %s", [at])
        connection.execute("UPDATE endpoints SET failing_since = %s", [began])


def fail_deliveries(one: WatchedSite, receiver: Receiver) -> None:
    """A receiver fails until it is too late for a reminder."""
    one.begin()
    one.subscribe(receiver.url("/status/500"))
    one.publish_drill(timedelta(seconds=70))


def refuse_a_publish(one: WatchedSite, receiver: Receiver) -> None:
    one.begin()
    one.site.write("wrong.yaml", "events: 7\n")
    assert one.site.run("publish").returncode == 1


_CAUSES: Mapping[str, Fault] = {
    NO_FAULT: have_none,
    "CalfeedIsLate": be_late,
    "CalfeedHasNoWebServer": lose_the_web_server,
    "CalfeedHasNoWorker": lose_the_worker,
    "CalfeedMissedReminders": miss_reminders,
    "CalfeedDisabledEndpoints": disable_an_endpoint,
    "CalfeedDeliveriesFail": fail_deliveries,
    "CalfeedPublishRefused": refuse_a_publish,
}


class Prometheus:
    """A running Prometheus; made by `watching`."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, query: str) -> Sequence[Mapping[str, Any]]:
        """Ask for the value that an expression has now, as `/api/v1/query` gives it."""
        words = urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(f"http://{self._address}/api/v1/query?{words}") as response:
            found: Sequence[Mapping[str, Any]] = json.load(response)["data"]["result"]
        return found

    def fired(self, seconds: int) -> dict[str, set[str]]:
        """Which alerts have fired within this time, by site."""
        found = defaultdict(set)
        query = f'count_over_time(ALERTS{{alertstate="firing"}}[{seconds}s])'
        for one in self.ask(query):
            found[one["metric"].get("site", "")].add(one["metric"]["alertname"])
        return dict(found)


@contextmanager
def watching(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Run Prometheus with these targets, by the names of their sites."""
    folder.mkdir()
    address = f"127.0.0.1:{free_port()}"
    jobs = [{"targets": [place], "labels": {"site": name}} for name, place in targets.items()]
    scraped = [{"job_name": "calfeed", "static_configs": jobs}]
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(_CONFIGURATION | {"scrape_configs": scraped}))  # JSON is YAML
    words = [f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", *words, f"--web.listen-address={address}"], stdout=log, stderr=log
        )
    try:
        prometheus = Prometheus(address)

        def is_ready() -> bool:
            with suppress(OSError):
                return bool(prometheus.ask("vector(1)"))
            return False

        until(is_ready, "Prometheus")
        yield prometheus
    finally:
        process.terminate()
        process.wait()


def _make_database(server: Postgresql, number: int) -> str:
    name = f"site_{number}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


def _compare(found: Mapping[str, set[str]], expected: Mapping[str, set[str]]) -> None:
    for name in sorted({*found, *expected}):
        print(f"{name or 'all':26} {', '.join(sorted(found.get(name, ()))) or 'no alert'}")
    if found != expected:
        sys.exit("An alert is missing, or fires for another fault.")


def main() -> None:
    """Print which alerts fired for which fault; exit with 1 if one is wrong."""
    assert {*_CAUSES, "CalfeedHasNoDatabase"} == {NO_FAULT, *FAULTS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="calfeed-faults-")))
        receiver = stack.enter_context(Receiver())
        server, lost = (stack.enter_context(run_postgresql()) for _ in range(2))
        running = stack.enter_context(ExitStack())
        sites = {
            name: WatchedSite(folder / name, _make_database(server, number), running)
            for number, name in enumerate(_CAUSES)
        }
        unhappy = sites["CalfeedHasNoDatabase"] = WatchedSite(folder / "lost", lost.url, running)
        targets = {name: one.metrics for name, one in sites.items()}
        prometheus = stack.enter_context(watching(folder / "prometheus", targets))
        began = time.monotonic()
        for name, cause in _CAUSES.items():
            cause(sites[name], receiver)
            print(f"{time.monotonic() - began:5.0f} s  {name}", flush=True)
        unhappy.begin()
        until(lambda: len(prometheus.ask("calfeed_database_up == 1")) == len(sites), "metrics")
        lost.stop_at_once()
        time.sleep(_LONGEST.total_seconds())
        _compare(prometheus.fired(_TWO_HOURS), {one: {one} for one in sites if one != NO_FAULT})
        running.close()
        ended = time.monotonic()
        firing = f'ALERTS{{alertname="{NOT_WATCHED}", alertstate="firing"}}'
        until(lambda: prometheus.ask(firing), NOT_WATCHED, 600)
        _compare(prometheus.fired(int(time.monotonic() - ended) - 60), {"": {NOT_WATCHED}})
        print(f"all as it should be, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
