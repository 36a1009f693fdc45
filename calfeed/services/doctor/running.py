"""Run checks at the same time, so that one that hangs, fails or is slow does not affect others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

from calfeed.errors import CalfeedError
from calfeed.services.doctor.findings import Finding, problem, warning

Value = TypeVar("Value")


class Check(NamedTuple):
    """A subject, and the function that checks it."""

    subject: str
    find: Callable[[], Iterable[Finding]]


class Once(Generic[Value]):
    """A value that several checks need, computed once by the first of them. Thread-safe."""

    def __init__(self, compute: Callable[[], Value]) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._results: list[Value] = []

    def __call__(self) -> Value:
        with self._lock:
            if not self._results:
                self._results.append(self._compute())
            return self._results[0]


def run_checks(checks: Sequence[Check], seconds: float) -> list[Finding]:
    """Run checks on threads, and return their findings in the order of the checks.

    A check that raises an error yields a problem. If checks have not ended after `seconds`, each of
    them yields a warning, and its thread keeps running.
    """
    results: dict[int, list[Finding]] = {}

    def run(number: int) -> None:
        results[number] = _run(checks[number])

    threads = [
        threading.Thread(target=run, args=(number,), name=f"check-{check.subject}", daemon=True)
        for number, check in enumerate(checks)
    ]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    findings: list[Finding] = []
    for number, check in enumerate(checks):
        late = [warning(check.subject, f"is not known: no result within {seconds:.0f} seconds")]
        findings += results.get(number, late)
    return findings


def _run(check: Check) -> list[Finding]:
    findings: list[Finding] = []
    try:
        findings.extend(check.find())
    except CalfeedError as error:
        findings.append(problem(check.subject, str(error)))
    except Exception as error:
        # Only the type of the error: its text can quote anything.
        findings.append(problem(check.subject, f"cannot be checked ({type(error).__name__})"))
    return findings
