"""Where a process that keeps running reports what it does: a terminal, or a log of JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable

from calfeed import logs
from calfeed.cli import output
from calfeed.settings import Settings


def open_report(process: str, settings: Settings) -> Callable[[str], None]:
    """Set the format of the log, and return the function that reports a line.

    It prints the line, or logs it as JSON.
    """
    if settings.log == "text":
        return output.echo
    logs.configure(process)
    logs.use_json(process)
    return lambda line: logging.getLogger("calfeed").info("%s", line)
