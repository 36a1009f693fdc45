"""`serve`, `web`, `worker`: the commands that keep running."""

from __future__ import annotations

import logging
import math
import os
import random
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Set
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from calfeed import logs
from calfeed.cli import output
from calfeed.cli.serving.reporting import open_report
from calfeed.cli.serving.service_manager import reporting_to, responds
from calfeed.errors import ReplacedError, StoreError
from calfeed.garbage import freeze_startup_objects
from calfeed.settings import environment_with, find_service_manager, load_settings

if TYPE_CHECKING:
    from calfeed.cli.serving.supervisor import Supervisor
    from calfeed.clock import SteadyClock
    from calfeed.delivery.engine.worker import Worker

_STARTUP_WAIT_SECONDS = 10.0
"""How long a starting `serve` waits for a folder that is changing, if it can already serve."""

_processes = click.option(
    "--processes",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Number of web server processes that handle requests.",
)
# With this option a process ends when its standard input, a pipe from `serve`, is closed.
_supervised = click.option("--supervised", is_flag=True, hidden=True)

_POLL_SECONDS = 0.25

_MAX_STEP_SECONDS = 60.0
"""How long a step of a worker may take before it counts as stuck."""


@click.command()
@_processes
@_supervised
def web(processes: int, supervised: bool) -> None:
    """Serve the published feeds and pages. Several web servers may run at once."""
    from calfeed.cli.serving.supervisor import TERMINAL_SIGNALS, Part, Supervisor
    from calfeed.web.serving.ipc import private_address
    from calfeed.web.serving.server import check_address
    from calfeed.web.serving.server import serve as serve_web

    settings = load_settings()
    manager = None if supervised else find_service_manager()
    with output.opened(settings) as database:
        pass  # fail here once, not in each process
    check_address(settings.host, settings.port)
    if supervised:
        _end_with_parent()
    with private_address() as address:
        backend = Part("web server's backend", [sys.executable, "-m", "calfeed.web", address])
        with Supervisor([backend], open_report("web", settings)) as supervisor:
            stopping = threading.Event()
            reviving = threading.Thread(target=_revive, args=(supervisor, stopping))
            reviving.start()
            os.register_at_fork(after_in_child=partial(_reset_signals, TERMINAL_SIGNALS))
            try:
                with reporting_to(manager, lambda: responds(f"{settings.local_base_url}/healthz")):
                    serve_web(settings, processes, address)
            finally:
                stopping.set()
                reviving.join()
    database.identify()  # fails if the database is gone; the last poll counts are then lost


@click.command()
@_supervised
def worker(supervised: bool) -> None:
    """Send due messages. On PostgreSQL several workers may run at once."""
    from calfeed.cli.operating.keys import describe_lost
    from calfeed.cli.serving.composers import open_composers
    from calfeed.clock import SteadyClock
    from calfeed.delivery.engine.spans import reporting_spans
    from calfeed.delivery.engine.worker import Worker
    from calfeed.delivery.scheduler import WorkerScheduler
    from calfeed.delivery.senders import (
        load_channels,
        open_sender,
        plain_http_warning,
    )
    from calfeed.services.channels import store_channels
    from calfeed.services.installation import find_lost
    from calfeed.services.mail.bounces import poll_bounces
    from calfeed.services.watching.dead_man import has_space, is_on_time, pinging
    from calfeed.services.watching.heartbeat_writer import beating
    from calfeed.services.watching.metrics_server import check_installed, serving_metrics
    from calfeed.store.endpoints.records import list_endpoints
    from calfeed.store.notices import Listener
    from calfeed.store.outbox.clock_skew import last_recorded_time
    from calfeed.store.watching.heartbeats import ProcessKind

    logs.configure("worker")
    settings = load_settings()
    open_report("worker", settings)
    check_installed(settings)
    channels = load_channels(settings)
    stopping = threading.Event()
    _on_signal(stopping.set)
    if supervised:
        _end_with_parent()
    with (
        output.opened(settings, pinned=True) as database,
        open_sender(settings, channels) as sender,
        reporting_spans(settings.traces_url) as report,
    ):
        with database.read() as connection:
            last = last_recorded_time(connection)
            endpoints = list_endpoints(connection)
            lost = find_lost(connection)
        for line in describe_lost(lost):
            logging.getLogger("calfeed").error("%s", line)
        if warning := plain_http_warning(settings, endpoints):
            logging.getLogger("calfeed").warning("%s", warning)
        clock = SteadyClock(last)
        if not _wait_for_clock(clock, last, stopping):
            return
        store_channels(database, channels, clock())
        keep = timedelta(days=settings.keep_bodies)
        engine = Worker(
            database,
            sender,
            settings.base_url,
            clock,
            random.random,
            keep_bodies=keep,
            composers=open_composers(settings, clock),
            report=report,
        )
        _on_signal(engine.stop)
        if stopping.is_set():
            return

        def steps() -> bool:
            return engine.seconds_since_step() < _MAX_STEP_SECONDS

        def is_well() -> bool:
            return is_on_time(database, clock()) and has_space(database)

        scheduler = WorkerScheduler(engine, clock)
        scheduler.start()
        manager = None if supervised else find_service_manager()
        with (
            Listener(database, engine.wake),
            poll_bounces(database, settings, clock),
            serving_metrics(database, settings, clock),
            beating(database, ProcessKind.WORKER, clock) as heartbeats,
            pinging(settings, lambda: steps() and heartbeats.is_beating() and is_well()),
            reporting_to(manager, steps),
        ):
            freeze_startup_objects()
            _run_worker(engine)
        scheduler.stop()
        database.identify()


@click.command()
@_processes
def serve(processes: int) -> None:
    """Run everything on one machine: migrate, publish, watch definitions, serve, send."""
    from calfeed.cli.serving.composers import open_composers
    from calfeed.cli.serving.publisher import Publisher
    from calfeed.cli.serving.startup import describe_console, describe_start, migrate_database
    from calfeed.cli.serving.supervisor import Part, Supervisor
    from calfeed.cli.serving.watching import Watcher
    from calfeed.clock import SteadyClock
    from calfeed.delivery.engine.spans import check_tracing
    from calfeed.delivery.senders import load_channels
    from calfeed.services.starting.folder import require_calendars
    from calfeed.services.watching.metrics_server import check_installed
    from calfeed.services.watching.silent_workers import report_ended
    from calfeed.store.database import Database
    from calfeed.web.serving.server import check_address

    logs.configure("serve")
    settings = load_settings()
    report = open_report("serve", settings)
    if not settings.has_database:
        require_calendars(settings.events)
    token = settings.admin_token or SecretStr(secrets.token_urlsafe(32))
    # Fail here rather than in each worker.
    load_channels(settings)
    open_composers(settings, output.now)
    check_installed(settings)
    check_tracing(settings.traces_url)
    stopping = threading.Event()
    _on_signal(stopping.set)
    check_address(settings.host, settings.port)
    database = Database(settings.database, settings.keys)
    migrate_database(database, report)
    clock = SteadyClock()
    publisher = Publisher(database, settings, report, clock)
    watcher = Watcher(publisher, settings, report)
    freeze_startup_objects()
    wait = _STARTUP_WAIT_SECONDS if publisher.anything_published() else math.inf
    if not watcher.begin(stopping, wait) and not publisher.anything_published():
        raise StoreError("nothing is published yet, so there is nothing to serve")
    command = [sys.executable, "-m", "calfeed"]
    parts = [
        Part(
            "web server",
            [*command, "web", "--supervised", "--processes", str(processes)],
            environment_with(token),
        ),
        Part("worker", [*command, "worker", "--supervised"]),
    ]

    def report_end(pid: int) -> None:
        report_ended(database, pid, clock())

    with Supervisor(parts, report, report_end) as supervisor:
        supervisor.wait_until(settings.local_base_url + "/readyz", stopping)
        for line in describe_start(database, settings):
            output.echo(line)
        new_token = None if settings.admin_token else token
        for line in describe_console(database, settings, new_token):
            output.echo(line)
        for line in output.describe_new_keys(database):
            output.echo(line)
        output.echo("Ctrl-C ends it.")

        def poll() -> None:
            clock()  # the clock detects jumps only if it is read often
            supervisor.revive()

        def works() -> bool:
            return supervisor.all_run() and responds(f"{settings.local_base_url}/healthz")

        with reporting_to(find_service_manager(), works):
            watcher.watch(stopping, poll)
        report("stopping")
    database.identify()
    database.close()


def _wait_for_clock(clock: SteadyClock, last: datetime | None, stopping: threading.Event) -> bool:
    """Wait until the time is certain; False if this process has to stop."""
    from calfeed.clock import CONFIRM_AFTER

    if not clock.certain and last is not None:
        logging.getLogger("calfeed").warning(
            "the clock says %s UTC, but the last worker's clock said %s; nothing is sent until the "
            "clock has run steadily for %d seconds, or is corrected",
            f"{clock():%Y-%m-%d %H:%M}",
            f"{last:%Y-%m-%d %H:%M}",
            CONFIRM_AFTER.total_seconds(),
        )
    while not clock.certain and not stopping.wait(_POLL_SECONDS):
        pass
    return not stopping.is_set()


def _run_worker(worker: Worker) -> None:
    try:
        worker.run()
    except ReplacedError as error:
        # The state of this process belongs to the former database.
        logging.getLogger("calfeed").warning("%s; restarting with it", error)
        os.execv(sys.executable, [sys.executable, "-m", "calfeed", *sys.argv[1:]])


def _revive(supervisor: Supervisor, stopping: threading.Event) -> None:
    while not stopping.wait(_POLL_SECONDS):
        supervisor.revive()


def _on_signal(stop: Callable[[], None]) -> None:
    """Call `stop`, on a thread of its own, when SIGTERM, SIGINT or SIGHUP arrives.

    A signal handler interrupts the main thread. `Event.set` needs a lock that this thread may hold
    at that moment.
    """

    def handle(*_: object) -> None:
        threading.Thread(target=stop, name="calfeed-stop").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    # The terminal was closed; nohup ignores that.
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, handle)


def _reset_signals(blocked: Set[signal.Signals]) -> None:
    """Prepare a process of the web server to be stopped by SIGTERM from the main process.

    Until granian installs its handlers, a process has the inherited ones, which would ignore
    SIGTERM. `blocked` are the signals that a terminal sends to all processes: they would interrupt
    the shutdown.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, blocked)


def _end_with_parent() -> None:
    """Stop this process when its standard input, a pipe from `serve`, is closed."""

    def wait_for_end() -> None:
        # Not by sys.stdin, whose lock would stay locked in a process that is forked during a read.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_end, name="calfeed-parent", daemon=True).start()
