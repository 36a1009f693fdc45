"""The same posts through the two task queues that people reach for: Procrastinate and Celery.

Each is set up as its makers would: Procrastinate on PostgreSQL with an async worker, Celery on
Redis with two forked processes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from subprocess import check_output
from urllib.parse import urlsplit

from benchmarks.machine import fetch, free_port, on_core, running, wait_for_port
from benchmarks.messages import make_body, make_message_id

BROKER = "BENCHMARK_BROKER"
"""The environment variable with the URL of the Redis that holds Celery's tasks."""

JOBS = 3_000
"""Few beside calfeed's deliveries: at their rates as many would take minutes."""

COUNTER = "location = /requests { stub_status; }"
"""Where the sink says how many requests it had, for nginx's configuration."""

_WARM = JOBS // 10
_LONGEST = 120.0
_LOOK = 0.05


def post_with_procrastinate(database: str, urls: Sequence[str], core: int) -> float:
    """Jobs per second of one worker of Procrastinate, its jobs in a new database."""
    # Not as the main module: Procrastinate wants its tasks to have a name that can be imported.
    script = "from benchmarks.procrastinate_posts import main; main()"
    command = [sys.executable, "-c", script, database, str(JOBS), *urls]
    return JOBS / float(check_output(on_core(core, command)))


def post_with_celery(urls: Sequence[str], core: int | None) -> float:
    """Tasks per second of a worker of Celery, from the tenth part of them to the last.

    The URLs are of a sink with `COUNTER`, which tells how many have arrived.
    """
    from celery import Celery  # here, so that a machine without it is told what to install

    with _redis() as broker, Celery(broker=broker) as queue:
        for number in range(JOBS):
            url, text = urls[number % len(urls)], make_body(number).decode()
            queue.send_task("post", (url, make_message_id(number), text))
        counter = urlsplit(urls[0])._replace(path="/requests").geturl()
        before = _count_requests(counter)
        # It warns of being run by root, as benchmarks often are.
        command = [sys.executable, "-W", "ignore", "-m", "celery"]
        command += ["--app", "benchmarks.celery_posts", "worker", "--loglevel", "ERROR"]
        command += ["--pool", "prefork", "--concurrency", "2"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with running(on_core(core, command), {BROKER: broker}):
            return _watch(counter, before)


def _watch(counter: str, before: int) -> float:
    """Posts per second, once all have arrived."""
    deadline = time.monotonic() + _LONGEST
    warm: tuple[float, int] | None = None
    looks = 0
    while time.monotonic() < deadline:
        time.sleep(_LOOK)
        looks += 1
        arrived = _count_requests(counter) - before - looks  # each look is a request, too
        now = time.perf_counter()
        if arrived >= JOBS and warm is not None:
            return (arrived - warm[1]) / (now - warm[0])
        if arrived >= _WARM and warm is None:
            warm = now, arrived
    raise TimeoutError(f"Celery was not done after {_LONGEST:.0f} s")


def _count_requests(counter: str) -> int:
    """How many requests nginx has had, this one included."""
    text = fetch(counter)[0].decode()
    # "server accepts handled requests", and on the next line the three numbers.
    return int(text.splitlines()[2].split()[2])


@contextmanager
def _redis() -> Iterator[str]:
    """A Redis with the settings it comes with; gives its URL."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir"]
    with (
        tempfile.TemporaryDirectory(prefix="calfeed-redis-") as folder,
        running([*command, folder]),
    ):
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
