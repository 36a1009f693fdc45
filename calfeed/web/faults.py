"""What is logged of a request that fails with an unforeseen error."""

from __future__ import annotations

import logging
from types import TracebackType

from flask import Flask, request

_log = logging.getLogger(__name__)


class QuietFlask(Flask):
    """A Flask that logs the route of a request that failed, and not its address.

    Addresses of private feeds hold their token.
    """

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Log what a request failed with."""
        route = request.url_rule.rule if request.url_rule else "an address without a route"
        mounted = request.environ.get("SCRIPT_NAME", "")
        _log.error("%s %s%s failed", request.method, mounted, route, exc_info=exc_info)
