"""`serve`, `web`, `worker`: the processes that run by day and by night."""

from __future__ import annotations

import logging
import math
import os
import random
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from calfeed import logs
from calfeed.cli import output
from calfeed.cli.gc_tuning import spare_start
from calfeed.errors import ReplacedError, StoreError
from calfeed.settings import environment_with, load_settings

if TYPE_CHECKING:
    from calfeed.cli.serving.supervisor import Supervisor
    from calfeed.clock import SteadyClock
    from calfeed.delivery.engine.worker import Worker

_PATIENCE = 10.0
"""Seconds to wait at the start for definitions that are being changed, if others are published."""

_processes = click.option(
    "--processes",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes of the web server.",
)
# `serve` holds the other end of standard input: when it is gone, however it went, so are its parts.
_supervised = click.option("--supervised", is_flag=True, hidden=True)


_LOOK = 0.25
"""Seconds between two looks at a clock that is not certain."""


@click.command()
@_processes
@_supervised
def web(processes: int, supervised: bool) -> None:
    """Serve feeds and pages of what is published. Any number of these may run."""
    from calfeed.cli.serving.supervisor import Part, Supervisor
    from calfeed.web.serving.ipc import private_address
    from calfeed.web.serving.server import check_address
    from calfeed.web.serving.server import serve as serve_web

    settings = load_settings()
    with output.opened(settings) as database:
        pass  # better to fail here, in one line, than in each process
    check_address(settings.host, settings.port)
    if supervised:
        _end_with_parent()
    with private_address() as address:
        backend = Part(
            "web server's backend", [sys.executable, "-m", "calfeed.web.serving.backend", address]
        )
        with Supervisor([backend], output.say) as supervisor:
            stopping = threading.Event()
            reviving = threading.Thread(target=_revive, args=(supervisor, stopping))
            reviving.start()
            os.register_at_fork(after_in_child=_heed_sigterm_alone)
            try:
                serve_web(settings, processes, address)
            finally:
                stopping.set()
                reviving.join()
    database.identify()  # what was counted last is lost where the file is


@click.command()
@_supervised
def worker(supervised: bool) -> None:
    """Send what is due. Any number of these may run beside each other on PostgreSQL."""
    from calfeed.cli.operating.keys import describe_lost
    from calfeed.clock import SteadyClock
    from calfeed.delivery.engine.worker import Worker
    from calfeed.delivery.scheduler import WorkerClock
    from calfeed.delivery.senders import load_channels, open_sender, warn_of_plain
    from calfeed.services.channels import keep_channels
    from calfeed.services.installation import find_lost
    from calfeed.store.endpoints.records import list_endpoints
    from calfeed.store.notices import Listener
    from calfeed.store.outbox.clock_skew import last_recorded_time

    logs.configure("worker")
    settings = load_settings()
    channels = load_channels(settings)
    stopping = threading.Event()
    _on_signal(stopping.set)
    if supervised:
        _end_with_parent()
    with (
        output.opened(settings, pinned=True) as database,
        open_sender(settings, channels) as sender,
    ):
        with database.read() as connection:
            last = last_recorded_time(connection)
            endpoints = list_endpoints(connection)
            lost = find_lost(connection)
        for line in describe_lost(lost):
            logging.getLogger("calfeed").error("%s", line)
        if plain := warn_of_plain(settings, endpoints):
            logging.getLogger("calfeed").warning("%s", plain)
        now = SteadyClock(last)
        if not _await_certainty(now, last, stopping):
            return
        keep_channels(database, channels, now())
        keep = timedelta(days=settings.keep_bodies)
        one = Worker(database, sender, settings.base_url, now, random.random, keep_bodies=keep)
        _on_signal(one.stop)
        if stopping.is_set():
            return
        clock = WorkerClock(one, now)
        clock.start()
        with Listener(database, one.wake):
            spare_start()
            _run_worker(one)
        clock.stop()
        database.identify()


@click.command()
@_processes
def serve(processes: int) -> None:
    """Migrate, publish, watch the definitions, serve and send: everything, on one machine."""
    from calfeed.cli.serving.publisher import Publisher
    from calfeed.cli.serving.starting import describe_console, describe_start, prepare
    from calfeed.cli.serving.supervisor import Part, Supervisor
    from calfeed.cli.serving.watching import Watcher
    from calfeed.clock import SteadyClock
    from calfeed.delivery.senders import load_channels
    from calfeed.store.database import Database
    from calfeed.web.serving.server import check_address

    logs.configure("serve")
    settings = load_settings()
    token = settings.admin_token or SecretStr(secrets.token_urlsafe(32))
    load_channels(settings)  # better to fail here, in a few lines, than in each worker
    stopping = threading.Event()
    _on_signal(stopping.set)
    check_address(settings.host, settings.port)
    database = Database(settings.database, settings.keys)
    prepare(database, output.say)
    clock = SteadyClock()
    publisher = Publisher(database, settings, output.say, clock)
    watcher = Watcher(publisher, settings, output.say)
    spare_start()
    patience = _PATIENCE if publisher.anything_published() else math.inf
    if not watcher.begin(stopping, patience) and not publisher.anything_published():
        raise StoreError("nothing was published yet, so there is nothing to serve")
    command = [sys.executable, "-m", "calfeed"]
    parts = [
        Part(
            "web server",
            [*command, "web", "--supervised", "--processes", str(processes)],
            environment_with(token),
        ),
        Part("worker", [*command, "worker", "--supervised"]),
    ]
    with Supervisor(parts, output.say) as supervisor:
        supervisor.wait_until(settings.local_base_url + "/readyz", stopping)
        for line in describe_start(database, settings):
            output.say(line)
        made = None if settings.admin_token else token
        for line in describe_console(database, settings, made):
            output.say(line)
        for line in output.describe_new_keys(database):
            output.say(line)
        output.say("Ctrl-C ends it.")

        def tend() -> None:
            clock()  # it has to be looked at to see how long it has stood
            supervisor.revive()

        watcher.watch(stopping, tend)
        output.say("stopping")
    database.identify()
    database.close()


def _await_certainty(clock: SteadyClock, last: datetime | None, stopping: threading.Event) -> bool:
    """Wait until the time is certain; False where this process is to end."""
    from calfeed.clock import CONFIRM_AFTER

    if not clock.certain and last is not None:
        logging.getLogger("calfeed").warning(
            "the clock says %s UTC, and the last worker's said %s; nothing is sent until it has "
            "stood for %d seconds, or is put right",
            f"{clock():%Y-%m-%d %H:%M}",
            f"{last:%Y-%m-%d %H:%M}",
            CONFIRM_AFTER.total_seconds(),
        )
    while not clock.certain and not stopping.wait(_LOOK):
        pass
    return not stopping.is_set()


def _run_worker(one: Worker) -> None:
    try:
        one.run()
    except ReplacedError as error:
        # Nothing that this process remembers is of that database.
        logging.getLogger("calfeed").warning("%s; beginning anew with it", error)
        os.execv(sys.executable, [sys.executable, "-m", "calfeed", *sys.argv[1:]])


def _revive(supervisor: Supervisor, stopping: threading.Event) -> None:
    while not stopping.wait(_LOOK):
        supervisor.revive()


def _on_signal(end: Callable[[], None]) -> None:
    """Call `end` when a signal asks this process to end, on a thread of its own.

    A handler runs in the main thread, in the middle of whatever it does there: it may hold the
    very lock that setting an event needs.
    """

    def handle(*_: object) -> None:
        threading.Thread(target=end, name="calfeed-end").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _heed_sigterm_alone() -> None:
    """Prepare a process of the web server for its end, which the main one asks for by SIGTERM.

    Until granian installs the handlers of its processes they have those of the main one, which
    would swallow that signal; and Ctrl-C, which comes to all of them, would be a second one in
    the middle of handling the first.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _end_with_parent() -> None:
    def follow() -> None:
        # Not sys.stdin: a fork while it is being read would inherit its lock, held for ever.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="calfeed-parent", daemon=True).start()
