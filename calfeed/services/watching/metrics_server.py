"""The server of metrics: a small HTTP server within a worker, which serves only /metrics."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from calfeed.errors import SettingsError
from calfeed.setting_checks import split_address
from calfeed.settings import Settings
from calfeed.store.database import Database

_log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


@contextmanager
def serving_metrics(
    database: Database, settings: Settings, clock: Callable[[], datetime]
) -> Iterator[None]:
    """Serve the metrics during the `with` block, if the settings name an address.

    If the address cannot be used, this is only logged, because sending messages matters more.
    Raises SettingsError if the library is not installed.
    """
    if settings.metrics is None:
        yield
        return
    check_installed(settings)
    application = make_application(database, clock)
    host, port = split_address(settings.metrics)
    try:
        server = _Server(host, port)
    except OSError as error:
        _log.error(
            "no metrics are served: CALFEED_METRICS=%s cannot be used (%s)",
            settings.metrics,
            error.strerror or type(error).__name__,
        )
        yield
        return
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, name="calfeed-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check_installed(settings: Settings) -> None:
    """Raise SettingsError if the settings ask for metrics and their library is not installed."""
    if settings.metrics is not None:
        try:
            import prometheus_client  # noqa: F401 - optional, and slow to import
        except ImportError as error:
            raise SettingsError(
                "CALFEED_METRICS is set, but prometheus-client, which writes metrics, is not "
                "installed; run pip install 'calfeed[metrics]'"
            ) from error


def make_application(database: Database, clock: Callable[[], datetime]) -> Application:
    """Make the WSGI application that serves the metrics of a database."""
    from prometheus_client import CollectorRegistry, make_wsgi_app

    from calfeed.services.watching.metrics import DatabaseCollector

    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseCollector(database, clock))
    metrics = make_wsgi_app(registry)

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"The metrics are at /metrics\n"]

    return respond


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False  # an idle client must not delay the end of the worker

    def __init__(self, host: str, port: int) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that is gone or too slow."""


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:
        """Log no requests."""
