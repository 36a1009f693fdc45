"""A database that is away is reported once, now and then, and when it is back."""

from __future__ import annotations

import logging
import threading

import pytest

from calfeed.delivery.engine.recorder import Steps
from calfeed.errors import StoreError


class Work:
    """Steps by a clock that goes on a second with each."""

    def __init__(self) -> None:
        self.time = 0.0
        stopping = threading.Event()
        stopping.set()  # nothing is waited for
        self._steps = Steps(stopping, lambda: self.time)

    def do(self, *failures: str, times: int = 1) -> None:
        """Take steps, of which each fails in one of these ways; one without a name succeeds."""
        for failure in failures * times:
            self.time += 1
            assert self._steps.take(lambda failure=failure: fail(failure)) is not bool(failure)  # type: ignore[misc] # bound at once


def fail(why: str) -> None:
    if why:
        raise StoreError(why)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_what_fails_at_each_write_is_reported_once(said: pytest.LogCaptureFixture) -> None:
    """Steps that only read succeed in between, and others fail in another way."""
    Work().do("it can only be read", "", "", "it is locked", "", times=100)
    assert [one.getMessage().partition(";")[0] for one in said.records] == [
        "it can only be read",
        "it is locked",
    ]


def test_what_lasts_is_reported_again_after_ten_minutes(said: pytest.LogCaptureFixture) -> None:
    Work().do("it is away", times=1_300)
    assert len(said.records) == 3


def test_the_end_of_it_is_reported_and_what_comes_then_is_new(
    said: pytest.LogCaptureFixture,
) -> None:
    work = Work()
    work.do("it is away", times=10)
    work.do("", times=20)
    work.do("it is away")
    assert [one.getMessage() for one in said.records] == [
        "it is away; trying again until it is back",
        "the database can be used again",
        "it is away; trying again until it is back",
    ]
