"""`serve`, `web`, `worker`: the processes that run by day and by night."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading

import click

from calfeed.cli import output
from calfeed.errors import StoreError
from calfeed.settings import load_settings

_processes = click.option(
    "--processes",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes of the web server.",
)
# `serve` holds the other end of standard input: when it is gone, however it went, so are its parts.
_supervised = click.option("--supervised", is_flag=True, hidden=True)


@click.command()
@_processes
@_supervised
def web(processes: int, supervised: bool) -> None:
    """Serve feeds and pages of what is published. Any number of these may run."""
    from calfeed.web.server import serve as serve_web

    settings = load_settings()
    with output.opened(settings):
        pass  # better to fail here, in one line, than in each process
    if supervised:
        _end_with_parent()
    serve_web(settings, processes)


@click.command()
@_supervised
def worker(supervised: bool) -> None:
    """Send what is due. Any number of these may run beside each other on PostgreSQL."""
    from calfeed.delivery.clock import WorkerClock
    from calfeed.delivery.sender import Sender
    from calfeed.delivery.worker import Worker

    _log_to_stderr("worker")
    settings = load_settings()
    with (
        output.opened(settings) as database,
        Sender(allow_private=settings.allow_private_endpoints) as sender,
    ):
        one = Worker(database, sender, settings.base_url, output.now, random.random)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: one.stop())
        if supervised:
            _end_with_parent()
        clock = WorkerClock(one, output.now)
        clock.start()
        one.run()
        clock.stop()


@click.command()
@_processes
def serve(processes: int) -> None:
    """Migrate, publish, watch the definitions, serve and send: everything, on one machine."""
    from calfeed.cli.supervisor import Part, Supervisor
    from calfeed.cli.watching import Publisher, describe_start
    from calfeed.store.database import Database
    from calfeed.store.migrate import migrate
    from calfeed.web.server import check_address

    settings = load_settings()
    check_address(settings.host, settings.port)
    database = Database(settings.database)
    migrate(database)
    publisher = Publisher(database, settings, click.echo)
    if not publisher.publish() and not publisher.anything_published():
        raise StoreError("nothing was published yet, so there is nothing to serve")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    command = [sys.executable, "-m", "calfeed"]
    parts = [
        Part("web server", [*command, "web", "--supervised", "--processes", str(processes)]),
        Part("worker", [*command, "worker", "--supervised"]),
    ]
    with Supervisor(parts, click.echo) as supervisor:
        supervisor.wait_until(settings.base_url_here + "/readyz", stopping)
        for line in describe_start(database, settings):
            click.echo(line)
        publisher.watch(stopping, supervisor.revive)
        click.echo("stopping")
    database.close()


def _end_with_parent() -> None:
    def follow() -> None:
        # Not sys.stdin: a fork while it is being read would inherit its lock, held for ever.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="calfeed-parent", daemon=True).start()


def _log_to_stderr(part: str) -> None:
    logging.basicConfig(
        level=logging.WARNING,
        format=f"%(asctime)s {part}: %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    logging.getLogger("calfeed").setLevel(logging.INFO)
