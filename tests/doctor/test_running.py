"""All checks run at once, and none of them can stop the others or the report."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from calfeed.errors import CalfeedError
from calfeed.services.doctor.findings import Finding, Level, ok
from calfeed.services.doctor.running import Check, Once, run_checks
from tests.patience import PATIENCE


def test_findings_come_in_the_order_of_the_checks_whichever_ends_first() -> None:
    second_is_done = threading.Event()

    def first() -> Iterator[Finding]:
        assert second_is_done.wait(PATIENCE)
        yield ok("first", "a")
        yield ok("first", "b")

    def second() -> Iterator[Finding]:
        yield ok("second", "c")
        second_is_done.set()

    found = run_checks([Check("first", first), Check("second", second)], PATIENCE)
    assert [str(finding) for finding in found] == ["a", "b", "c"]


def test_a_check_that_fails_is_a_problem_and_its_error_is_not_quoted() -> None:
    def fail() -> Iterator[Finding]:
        yield ok("a", "it is there")
        raise ValueError("https://user:hunter2@example.org/")

    def refuse() -> list[Finding]:
        raise CalfeedError("one is wrong\ntwo is wrong")

    found = run_checks([Check("a", fail), Check("b", refuse)], PATIENCE)
    assert [finding.level for finding in found] == [Level.OK, Level.PROBLEM, Level.PROBLEM]
    _, *texts = [str(finding) for finding in found]
    assert texts == ["cannot be checked (ValueError)", "one is wrong / two is wrong"]


def test_a_check_without_end_is_left_behind() -> None:
    end = threading.Event()

    def hang() -> list[Finding]:
        end.wait()
        return []

    (found,) = run_checks([Check("mail", hang)], seconds=0.01)
    end.set()
    assert (found.subject, found.level) == ("mail", Level.WARNING)
    assert "no result within" in found.text


def test_what_several_checks_need_is_computed_once() -> None:
    calls: list[int] = []

    def compute() -> int:
        calls.append(1)
        return 7

    once = Once(compute)

    def ask() -> list[Finding]:
        return [ok("x", str(once()))]

    found = run_checks([Check("x", ask)] * 20, PATIENCE)
    assert [finding.text for finding in found] == ["7"] * 20
    assert calls == [1]
