"""Notify systemd that a service is ready, that it still works, and that it stops (sd_notify(3))."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.request import urlopen

from calfeed.settings import ServiceManager

_START_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 5.0

READY, WORKING, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"

_log = logging.getLogger("calfeed")


@contextmanager
def reporting_to(manager: ServiceManager | None, works: Callable[[], bool]) -> Iterator[None]:
    """Report to the service manager during a `with` block; does nothing without one.

    `works` is called on a thread of its own. The service is ready once it returns True. With a
    watchdog, the manager restarts a service for which `works` does not return True in time.
    """
    if manager is None:
        yield
        return
    stopping = threading.Event()
    thread = threading.Thread(
        target=_report, args=(manager, works, stopping), name="calfeed-systemd", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(_ANSWER_SECONDS)
        _notify(manager, STOPPING)


def responds(url: str) -> bool:
    """Return whether a URL of this machine's web server responds within five seconds."""
    with suppress(OSError), urlopen(url, timeout=_ANSWER_SECONDS):
        return True
    return False


def _report(manager: ServiceManager, works: Callable[[], bool], stopping: threading.Event) -> None:
    while not works():
        if stopping.wait(_START_POLL_SECONDS):
            return
    _notify(manager, READY)
    if manager.watchdog_seconds is None:
        return
    _notify(manager, WORKING)
    while not stopping.wait(manager.watchdog_seconds / 3):
        if works():
            _notify(manager, WORKING)


def _notify(manager: ServiceManager, state: str) -> None:
    # A name that begins with @ is in the abstract namespace (unix(7)).
    address = "\0" + manager.socket[1:] if manager.socket.startswith("@") else manager.socket
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(state.encode(), address)
    except OSError as error:
        _log.warning("systemd could not be notified of %s: %s", state, error.strerror)
