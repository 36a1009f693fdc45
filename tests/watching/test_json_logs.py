"""Logs as JSON have one event a line, and no more secrets than those for people."""

from __future__ import annotations

import json
import logging
import logging.config
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest

from calfeed import logs
from calfeed.errors import StoreError
from calfeed.web.serving import server

SECRET = "zq7-undisclosed-8842"
KEYS = ["time", "level", "process", "logger", "message"]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Where the log of a worker goes."""
    root = logging.getLogger()
    for name in ("sys.excepthook", "threading.excepthook"):
        monkeypatch.setattr(name, None)
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    stream = StringIO()
    logs.configure("worker", stream)
    return stream


def read(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_event_is_one_line_with_the_same_keys(stream: StringIO) -> None:
    logs.use_json("worker")
    before = datetime.now(UTC)
    logging.getLogger("calfeed.delivery").warning("%s failed:\nsee %s", "delivery 7", "a “log”")
    logging.getLogger("calfeed").info("again")
    first, second = read(stream)
    assert list(first) == list(second) == KEYS
    assert (first["level"], first["process"], first["logger"]) == (
        "warning",
        "worker",
        "calfeed.delivery",
    )
    assert first["message"] == "delivery 7 failed:\nsee a “log”"
    at = datetime.fromisoformat(first["time"])
    assert at.tzinfo == UTC
    assert abs((at - before).total_seconds()) < 60


def test_an_error_has_its_type_and_its_trace_but_not_its_text(stream: StringIO) -> None:
    logs.use_json("worker")
    log = logging.getLogger("somebody.else")
    try:
        try:
            raise KeyError(f"/private/{SECRET}/vault.ics")
        except KeyError as error:
            log.warning("cannot: %s", error)
            log.warning(error)
            raise StoreError("the database is away; start it") from error
    except StoreError:
        log.exception("failed", stack_info=True)
    cannot, bare, failed = read(stream)
    assert cannot["message"] == "cannot: builtins.KeyError"
    assert bare["message"] == "builtins.KeyError"
    assert list(failed) == [*KEYS, "exception", "trace"]
    assert failed["message"] == "failed"
    assert failed["exception"] == "calfeed.errors.StoreError"
    assert "the database is away; start it" in failed["trace"]
    assert "builtins.KeyError" in failed["trace"]
    assert "test_json_logs.py" in failed["trace"]
    assert SECRET not in stream.getvalue()


def test_without_the_setting_a_line_is_time_process_and_message(stream: StringIO) -> None:
    logging.getLogger("calfeed").warning("delivery %d failed", 7)
    time, _, rest = stream.getvalue().partition(" ")
    assert datetime.strptime(time, "%H:%M:%S").second < 60  # noqa: DTZ007 - a time of day
    assert rest == "worker: delivery 7 failed\n"


def test_granian_logs_json_as_well() -> None:
    for formatter in server.JSON_LOGGING["formatters"].values():
        made = logging.config.DictConfigurator({"version": 1}).configure_formatter(formatter)
        line = made.format(logging.makeLogRecord({"msg": "slow", "name": "_granian"}))
        assert json.loads(line)["message"] == "slow"
        assert json.loads(line)["process"] == "web"
