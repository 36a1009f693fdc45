"""Stop PostgreSQL at once while calfeed works, start it again, and prove that nothing is lost.

`python -m tests.acceptance.outages` does so five times, with 4 workers and a web server: they go
on by themselves, the feeds all the time. It prints the figures.
"""

from __future__ import annotations

import argparse
import random
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

from calfeed.store.watching.heartbeats import ProcessKind
from tests.acceptance.fleet import Fleet
from tests.acceptance.postgresql import Postgresql, run_postgresql
from tests.acceptance.proof import Proof
from tests.acceptance.site import Site, until
from tests.acceptance.trial import FOUR, Scale, trial

SCALE = Scale(FOUR * 5, due=22, over=timedelta(seconds=4))

_OUTAGE = 2.0  # seconds
_FEED = "/calendars/un-observances.ics"


def stop_again_and_again(
    folder: Path, server: Postgresql, *, workers: int, stops: int, scale: Scale = SCALE
) -> Proof:
    """Stop the database so many times in the middle of the work, let it settle, and compare.

    Prints how long it took each time, from a publish after the outage, until the web server
    served it.
    """
    choose = random.Random(0)
    with trial(folder, server.url, scale, choose) as one:
        with Fleet(one.site, workers) as fleet, one.site.running("web") as web:
            before = until(lambda: _fetch(one.site, _FEED), "the feed")
            # One that is still starting ends without a database, as it should.
            until(
                lambda: len(one.list_pids(ProcessKind.WORKER)) == workers,
                "the heartbeats of the workers",
            )
            for _ in range(stops):
                posts = choose.randrange(1, one.drills.deliveries_each // 2)
                with one.until_posted(posts):
                    one.publish_drill()
                server.stop_at_once()
                ends = time.monotonic() + _OUTAGE
                while time.monotonic() < ends:
                    assert _fetch(one.site, _FEED) == before, "the feed went on from memory"
                server.start()
                one.publish_drill()
                seconds = _await_feed(one.site, f"/calendars/{one.drills.newest}.ics")
                print(f"{seconds:>8.2f}  seconds from a publish until it is served")
            one.settle()
            fleet.check()
            assert web.process.poll() is None, web.everything
        return one.prove([])


def check(proof: Proof) -> None:
    """Raise AssertionError where anything was lost, or came twice: nobody was killed."""
    proof.check()
    assert proof.duplicates == 0, proof


def _await_feed(site: Site, path: str) -> float:
    began = time.monotonic()
    until(lambda: _fetch(site, path), f"{path} is served")
    return time.monotonic() - began


def _fetch(site: Site, path: str) -> bytes:
    """A feed; nothing where it is not there, or the server is not up yet."""
    with suppress(URLError, ConnectionError):
        return site.get(path)[0]
    return b""


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--stops", type=int, default=5)
    asked = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(prefix="calfeed-outages-") as name, run_postgresql() as server:
        proof = stop_again_and_again(
            Path(name) / "site", server, workers=asked.workers, stops=asked.stops
        )
    print(proof)
    print(f"{time.monotonic() - began:>8,.0f}  seconds")
    check(proof)


if __name__ == "__main__":
    main()
