"""Database errors are logged once, again while they last, and at their end."""

from __future__ import annotations

import logging
import threading

import pytest

from calfeed.delivery.engine.recorder import StepRunner
from calfeed.errors import StoreError


class Work:
    """Runs steps by a clock that advances a second with each."""

    def __init__(self) -> None:
        self.time = 0.0
        stopping = threading.Event()
        stopping.set()  # so that there is no waiting
        self._steps = StepRunner(stopping, lambda: self.time)

    def do(self, *failures: str, times: int = 1) -> None:
        """Run steps that each fail with one of these errors; an empty one succeeds."""
        for failure in failures * times:
            self.time += 1
            assert self._steps.run(lambda failure=failure: fail(failure)) is not bool(failure)  # type: ignore[misc] # bound at once


def fail(why: str) -> None:
    if why:
        raise StoreError(why)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_an_error_of_every_write_is_logged_once(said: pytest.LogCaptureFixture) -> None:
    """Steps without a write succeed in between, and others fail differently."""
    Work().do("it can only be read", "", "", "it is locked", "", times=100)
    assert [one.getMessage().partition(";")[0] for one in said.records] == [
        "it can only be read",
        "it is locked",
    ]


def test_a_lasting_error_is_logged_again_after_ten_minutes(said: pytest.LogCaptureFixture) -> None:
    Work().do("it is away", times=1_300)
    assert len(said.records) == 3


def test_recovery_is_logged_and_later_errors_are_new(
    said: pytest.LogCaptureFixture,
) -> None:
    work = Work()
    work.do("it is away", times=10)
    work.do("", times=20)
    work.do("it is away")
    assert [one.getMessage() for one in said.records] == [
        "it is away; retrying until the database is available",
        "the database is available again",
        "it is away; retrying until the database is available",
    ]
