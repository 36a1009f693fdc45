"""Logging without user data.

The message of a library's error can quote anything: a URL with a token, a bound parameter, a
private title. Such an error is logged only as its type and stack trace. Messages of calfeed's own
errors contain no secrets and are logged in full.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from calfeed.errors import CalfeedError

_HANDLER = "calfeed"


class SafeFormatter(logging.Formatter):
    """Formats errors as type and stack trace, with the message only for calfeed's own errors."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, ignoring a traceback cached by another formatter."""
        record = copy.copy(record)
        record.exc_text = None
        if isinstance(record.msg, BaseException):
            record.msg = _name(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(
                _name(arg) if isinstance(arg, BaseException) else arg for arg in record.args
            )
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        """Format an error and its causes, the first cause first."""
        parts = [
            "".join(traceback.format_tb(error.__traceback__)) + _name(error)
            for error in _walk_causes(ei[1])
        ]
        return "\nwhich led to:\n".join(reversed(parts))


class JsonFormatter(SafeFormatter):
    """Formats a record as one line of JSON, without what `SafeFormatter` leaves out."""

    def __init__(self, process: str) -> None:
        super().__init__("%(message)s")
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; the stack trace of an error is in a key of its own."""
        bare = copy.copy(record)
        bare.exc_info = bare.stack_info = None
        values = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": super().format(bare),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            values["exception"] = f"{type(error).__module__}.{type(error).__qualname__}"
            values["trace"] = self.formatException(record.exc_info)
        return json.dumps(values, ensure_ascii=False)


def configure(process: str, stream: TextIO | None = None) -> None:
    """Log to `stream` (default: standard error), with the name of this process in each line.

    Uncaught exceptions are logged in the same way.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeFormatter(f"%(asctime)s {process}: %(message)s", "%H:%M:%S"))
    handler.set_name(_HANDLER)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("calfeed").setLevel(logging.INFO)

    def report(kind: Any, error: Any, where: Any) -> None:
        if issubclass(kind, Exception):
            logging.getLogger("calfeed").critical("failed", exc_info=(kind, error, where))
        else:
            sys.__excepthook__(kind, error, where)

    sys.excepthook = report
    threading.excepthook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)


def use_json(process: str) -> None:
    """Log as JSON from now on, after `configure`."""
    for handler in logging.getLogger().handlers:
        if handler.get_name() == _HANDLER:
            handler.setFormatter(JsonFormatter(process))


def _name(error: BaseException) -> str:
    """Describe an error in one line."""
    if isinstance(error, CalfeedError):
        return str(error)
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _walk_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, the latest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
