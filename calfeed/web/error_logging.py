"""Logging of unexpected errors, without secrets."""

from __future__ import annotations

import logging
from types import TracebackType

from flask import Flask, request

_log = logging.getLogger(__name__)


class RedactingFlask(Flask):
    """A Flask application that logs the route of a failed request, not its URL.

    URLs of private feeds contain a token, and URLs of own pages contain a secret.
    """

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        route = request.url_rule.rule if request.url_rule else "an unknown route"
        mounted = request.environ.get("SCRIPT_NAME", "")
        _log.error("%s %s%s failed", request.method, mounted, route, exc_info=exc_info)
