"""What goes into the log: what happened and where in the code, and nothing that was given.

An error of a library can quote anything: an address with a token in it, a value of a statement, a
private title. So of such an error only its kind is written, with the way through the code to it;
calfeed's own errors are written for people, without secrets, and are logged in full.
"""

from __future__ import annotations

import copy
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any, TextIO

from calfeed.errors import CalfeedError


class SafeFormatter(logging.Formatter):
    """Writes the kind of an error and where it was raised; its words only where they are ours."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as text; a traceback that another formatter made of it is not used."""
        record = copy.copy(record)
        record.exc_text = None
        if isinstance(record.msg, BaseException):
            record.msg = _name(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(
                _name(each) if isinstance(each, BaseException) else each for each in record.args
            )
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        """The error and those that led to it, the first of them first."""
        error = ei[1]
        parts = [
            "".join(traceback.format_tb(each.__traceback__)) + _name(each) for each in _trace(error)
        ]
        return "\nwhich led to:\n".join(reversed(parts))


def set_up(part: str, stream: TextIO | None = None) -> None:
    """Let this process log to `stream` (standard error), with the name of its part.

    What nobody catches is logged like the rest.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeFormatter(f"%(asctime)s {part}: %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("calfeed").setLevel(logging.INFO)

    def report(kind: Any, error: Any, where: Any) -> None:
        if issubclass(kind, Exception):
            logging.getLogger("calfeed").critical("failed", exc_info=(kind, error, where))
        else:
            sys.__excepthook__(kind, error, where)

    sys.excepthook = report
    threading.excepthook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)


def _name(error: BaseException) -> str:
    """An error in a line."""
    if isinstance(error, CalfeedError):
        return str(error)
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _trace(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what led to it, backwards."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
