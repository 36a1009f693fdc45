"""Kill and upgrade two web servers and two workers one by one, while deliveries go out.

`python -m tests.acceptance.rolling` does so on PostgreSQL behind nginx with TLS until 10,000
deliveries were made, and a client reads feeds and pages all the while. It prints the figures, and
fails where a delivery is lost or a request fails. With `--containers` the services are those of
`deploy/container/compose.postgresql.yaml`, in images built from the Containerfile: that needs root,
mmdebstrap, buildah and systemd-nspawn, and takes minutes longer.
"""

from __future__ import annotations

import argparse
import random
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from calfeed.store.database import Database
from calfeed.store.migrate import HEAD
from tests.acceptance.killing import SCALE
from tests.acceptance.postgresql import run_postgresql
from tests.acceptance.proof import Proof
from tests.acceptance.proxies import proxied
from tests.acceptance.services import (
    WEB,
    WORKER,
    ContainedService,
    ProcessService,
    Service,
    built_images,
)
from tests.acceptance.site import Site
from tests.acceptance.trial import Scale, Trial, trial
from tests.patience import PATIENCE
from tests.ports import free_port

_STEADY = "/calendars/un-observances.ics"
"""A feed that no drill changes."""

_PATHS = (_STEADY, "/calendars.ics", "/", "/calendars/un-observances/")
_PAUSE = 0.02  # seconds between two requests of the client
_POSTS = 20  # between two kills

MakeService = Callable[[Site, str, int], Service]
"""Makes a service of a site, of a kind, under a number."""


@dataclass
class Reader:
    """A client that reads over TLS without a break: what it read, and what went wrong."""

    url: str
    certificate: Path
    count: int = 0
    longest: float = 0.0
    failures: list[str] = field(default_factory=list)
    feeds: set[bytes] = field(default_factory=set)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read during the `with` block."""
        stopping = threading.Event()
        trusting = ssl.create_default_context(cafile=self.certificate)

        def read() -> None:
            while not stopping.wait(_PAUSE):
                path = _PATHS[self.count % len(_PATHS)]
                began = time.monotonic()
                try:
                    with urllib.request.urlopen(
                        self.url + path, timeout=PATIENCE, context=trusting
                    ) as response:
                        body = response.read()
                except OSError as error:
                    self.failures.append(f"{path}: {error!r}")
                else:
                    self.longest = max(self.longest, time.monotonic() - began)
                    if path == _STEADY:
                        self.feeds.add(body)
                self.count += 1

        thread = threading.Thread(target=read, name="reader")
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()


@dataclass(frozen=True)
class Roll:
    """What a run has shown: of the deliveries, of the client, and how often services were ended."""

    proof: Proof
    reader: Reader
    kills: int
    upgrades: int
    versions: frozenset[str]

    def check(self) -> None:
        """Raise AssertionError where anything is wrong."""
        self.proof.check()
        assert self.reader.failures == []
        assert len(self.reader.feeds) == 1, "a feed that is not changed is the same to all"


def roll(
    folder: Path,
    url: str,
    *,
    deliveries: int,
    scale: Scale = SCALE,
    seed: int = 1,
    hurried: bool = False,
    make_service: MakeService = ProcessService,
) -> Roll:
    """Deliver at least so much, kill services and then upgrade each, again and again.

    The upgrade is this version under another number, and back, with a migration that processes of
    the version before need not notice. `hurried` lets what was in the hands of a killed worker come
    back without a wait.
    """
    kills: list[float] = []
    upgrades = killed = 0
    versions: set[str] = set()
    with trial(folder, url, scale, random.Random(seed)) as one, ExitStack() as stack:
        site, port = one.site, free_port()
        site.environment |= {
            "CALFEED_PUBLIC_URL": f"https://127.0.0.1:{port}",
            "CALFEED_TRUSTED_PROXIES": "1",
        }
        services = [make_service(site, kind, number) for kind in (WEB, WORKER) for number in (1, 2)]
        for service in services:
            stack.enter_context(service)
        _await_all(services)
        ports = [service.port for service in services if service.port]
        certificate = stack.enter_context(proxied("nginx", folder / "proxy", port, ports))
        reader = Reader(f"https://127.0.0.1:{port}", certificate)
        drills = 1 + -(-deliveries // one.drills.deliveries_each)
        with reader.reading():
            rounds = 0
            while one.drills.count < drills or not upgrades:
                # One of each kind in a round, and the other ones in the next.
                for service in services[rounds % 2 :: 2]:
                    _publish_more(one, drills)
                    if service.kind == WORKER:
                        kills.append(time.monotonic())
                    service.kill()
                    killed += 1
                    service.begin()
                    service.await_start()
                versions |= {process["version"] for process in site.ask("status")["processes"]}
                _migrate(one.database)
                for service in services:
                    _publish_more(one, drills)
                    service.stop()
                    service.newer = not service.newer
                    service.begin()
                    service.await_start()
                    upgrades += 1
                    versions |= {process["version"] for process in site.ask("status")["processes"]}
                rounds += 1
            if hurried:
                workers = [service for service in services if service.kind == WORKER]
                for worker in workers:
                    kills.append(time.monotonic())
                    worker.kill()
                one.end_leases()
                workers[0].begin()
            one.settle()
        print(f"{reader.count:>8,}  requests, the longest {reader.longest:.2f} s")
        print(f"{killed:>8,}  kills, {upgrades} upgrades, versions {sorted(versions)}")
        return Roll(one.prove(kills), reader, killed, upgrades, frozenset(versions))


def _await_all(services: Sequence[Service]) -> None:
    for service in services:
        service.await_start()


def _publish_more(one: Trial, drills: int) -> None:
    """Publish another drill, if there are to be more, and wait until it is being delivered."""
    if one.drills.count < drills:
        with one.until_posted(_POSTS):
            one.publish_drill()


def _migrate(database: Database) -> None:
    """Let the schema be a later step of this version's."""
    with database.write_migration() as connection:
        later = {"step": f"{HEAD.partition('.')[0]}.9"}
        connection.execute(text("UPDATE alembic_version SET version_num = :step"), later)


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--containers", action="store_true", help="run them in containers")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="calfeed-rolling-")))
        make_service: MakeService = ProcessService
        if asked.containers:
            images = stack.enter_context(built_images(folder / "images"))
            make_service = partial(ContainedService, images=images)
        server = stack.enter_context(run_postgresql())
        if asked.containers:
            server.server.pgdata.chmod(0o711)  # the services are other users than its own
        began = time.monotonic()
        done = roll(
            folder / "site",
            server.url,
            deliveries=asked.deliveries,
            seed=asked.seed,
            make_service=make_service,
        )
    print(done.proof)
    print(f"{time.monotonic() - began:>8,.0f}  seconds")
    done.check()


if __name__ == "__main__":
    main()
