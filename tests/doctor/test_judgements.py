"""What each check makes of what it has found: values in, a finding out."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError, StoreError
from calfeed.services.doctor.addresses import (
    judge_certificate,
    judge_identity,
    judge_proxies,
)
from calfeed.services.doctor.clocks import judge_clock, judge_worker
from calfeed.services.doctor.database import check_database, judge_condition
from calfeed.services.doctor.definitions import (
    judge_absence,
    judge_definitions,
    judge_problems,
    judge_site,
)
from calfeed.services.doctor.findings import Finding, Level
from calfeed.services.doctor.libraries import judge_libraries, judge_zone_data
from calfeed.services.doctor.probing import LINEAGE_HEADER, Answer
from calfeed.services.doctor.secrets import judge_keys, judge_missing_file, judge_rights
from calfeed.services.doctor.storage import (
    find_filesystem,
    is_network,
    judge_file,
    judge_space,
)
from calfeed.store.migrate import HEAD
from calfeed.store.reports.database_condition import Condition
from calfeed.store.watching.heartbeats import Heartbeat, ProcessKind

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FILE = Path("/srv/var/calfeed.sqlite3")
HOUR = timedelta(hours=1)
WORKER = Heartbeat("a", ProcessKind.WORKER, "one.example", 7, "1.0", NOW, NOW)
SILENT = replace(WORKER, beaten=NOW - HOUR)
WEB = replace(WORKER, kind=ProcessKind.WEB)


def check(finding: Finding, level: str, *words: str) -> None:
    """A finding that is not good says what to do."""
    assert finding.level == level, finding
    for word in words:
        assert word in str(finding)
    assert (finding.level is Level.OK) == (finding.advice == "")


def test_libraries_have_to_be_in_the_versions_that_are_asked_for() -> None:
    wanted = [
        Requirement("Flask>=3.1,<4"),
        Requirement("click>=8.2"),
        Requirement('apprise>=2.2; extra == "channels"'),
    ]
    check(judge_libraries(wanted, {"flask": "3.1.2", "click": "8.2"}), "ok", "2 libraries")
    both = judge_libraries(wanted, {"flask": "4.0", "apprise": "1.0"})
    check(both, "problem", "Flask 4.0 is installed, not <4,>=3.1", "click is not installed")
    check(both, "problem", "apprise 1.0", "install calfeed again")


@pytest.mark.parametrize(
    ("release", "level"), [("2026.6", "ok"), ("2025.1", "ok"), ("2024.2", "warning")]
)
def test_zone_data_of_more_than_a_year_ago_is_old(release: str, level: str) -> None:
    check(judge_zone_data(release, date(2026, 11, 30)), level, release)


def test_definitions_that_are_missing_stop_who_publishes_only() -> None:
    check(judge_absence(Path("events"), published=False), "problem", "`calfeed init`")
    check(judge_absence(Path("events"), published=True), "warning", "from here")


def test_definitions_with_problems_show_the_first_of_them() -> None:
    files = {f"events/{name}.yaml": b"nam: A\n" for name in "abcd"}
    with pytest.raises(DefinitionError) as caught:
        read_definitions(files)
    finding = judge_problems(caught.value)
    number = len(caught.value.problems)
    check(finding, "problem", f"{number} problems: events/a.yaml:1", "`calfeed check` shows all")


def test_valid_definitions_are_counted_and_a_site_without_a_name_is_named() -> None:
    calendar = b"name: A\ntime_zone: UTC\nevents: {x: {summary: X, start: 2030-01-02}}\n"
    defined = read_definitions({"events/a.yaml": calendar})
    text = "events is valid: 1 calendar, 1 event"
    check(judge_definitions(Path("events"), defined), "ok", text)
    check(judge_site(defined), "warning", "site.yaml")
    site = b"name: {fr: Agenda, ar: X}\nlanguages: [fr, ar]\n"
    named = read_definitions({"events/a.yaml": calendar, "events/site.yaml": site})
    check(judge_site(named), "ok", "Agenda, in fr, ar")


CURRENT = Condition(HEAD, last_publish=NOW - HOUR, last_worker=NOW)


@pytest.mark.parametrize(
    ("condition", "level", "words"),
    [
        (CURRENT, "ok", "last published 2026-11-30 11:00 UTC"),
        (None, "warning", "no tables yet"),
        (Condition(), "warning", "no tables yet"),
        (Condition("0001"), "problem", "`calfeed publish` brings it up to date"),
        (Condition("9999"), "problem", "made by a newer calfeed"),
        (Condition(HEAD, writable=False, last_publish=NOW), "problem", "can only be read"),
        (Condition(HEAD), "warning", "nothing is published"),
    ],
)
def test_a_database_has_to_be_of_this_version_writable_and_published_to(
    condition: Condition | None, level: str, words: str
) -> None:
    check(judge_condition("sqlite:///x", condition), level, words)


def test_a_database_that_cannot_be_read_is_named_with_its_reason() -> None:
    (finding,) = check_database("x", StoreError("the database x cannot be used: refused"))
    check(finding, "problem", "cannot be used: refused", "CALFEED_DATABASE_URL")


@pytest.mark.parametrize(
    ("condition", "level", "words"),
    [
        (CURRENT, "ok", "no recorded time is later"),
        (Condition(HEAD, clock=NOW - timedelta(seconds=50)), "ok", "agrees with the database's"),
        (Condition(HEAD, clock=NOW - timedelta(minutes=5)), "problem", "+300 seconds off"),
        (Condition(HEAD, clock=NOW + timedelta(minutes=5)), "problem", "-300 seconds off"),
        (Condition(HEAD, last_worker=NOW + HOUR), "problem", "`calfeed replan`"),
        (Condition(HEAD, last_worker=NOW - timedelta(days=8)), "warning", "more than a week"),
    ],
)
def test_a_clock_is_compared_with_the_database_and_with_its_records(
    condition: Condition, level: str, words: str
) -> None:
    check(judge_clock(condition, NOW), level, words)


@pytest.mark.parametrize(
    ("condition", "level", "words"),
    [
        (Condition(HEAD, heartbeats=(WORKER,)), "ok", "1 worker running on one.example (7)"),
        (Condition(HEAD, due=NOW + HOUR, heartbeats=(WORKER,)), "ok", "nothing is overdue"),
        (Condition(HEAD, due=NOW - HOUR, heartbeats=(WORKER,)), "problem", "sent; 1 worker run"),
        (Condition(HEAD, last_worker=NOW, due=NOW - HOUR), "problem", "11:00 UTC is not sent"),
        (Condition(HEAD), "warning", "none has run yet"),
        (Condition(HEAD, heartbeats=(WEB,)), "warning", "none has run yet"),
        (Condition(HEAD, heartbeats=(SILENT,)), "warning", "none has run since 2026-11-30 11"),
        (Condition(HEAD, last_worker=NOW - HOUR), "warning", "none has run since 2026-11-30 11"),
    ],
)
def test_a_worker_is_judged_by_what_is_overdue_and_by_its_heartbeat(
    condition: Condition, level: str, words: str
) -> None:
    check(judge_worker(condition, NOW), level, words)


def test_a_file_that_others_can_read_is_a_problem_if_this_user_cannot_correct_it() -> None:
    mode = stat.S_IFREG | 0o644
    check(judge_rights(FILE, mode, mine=True), "warning", "mode 644", f"chmod 600 {FILE}")
    check(judge_rights(FILE, mode, mine=False), "problem")


def test_keys_have_to_be_those_that_the_database_needs() -> None:
    keys = Path("calfeed.keys")
    check(judge_keys(keys, frozenset("ab"), frozenset("a")), "ok", "every key")
    check(judge_keys(keys, frozenset("a"), frozenset("abc")), "problem", "lacks b, c")
    check(judge_missing_file(keys, frozenset("a")), "problem", "your copy")
    check(judge_missing_file(keys, frozenset()), "ok", "it is made")


@pytest.mark.parametrize(
    ("free", "level"), [(50_000_000_000, "ok"), (500_000_000, "warning"), (9_000_000, "problem")]
)
def test_disk_space_has_to_be_left(free: int, level: str) -> None:
    check(judge_space(Path("var"), free), level, f"{free // 1_000_000:,} MB are free for var")


HEAD_BYTES = b"SQLite format 3\0\x10\0"


@pytest.mark.parametrize(
    ("head", "log", "level", "words"),
    [
        (HEAD_BYTES + b"\2\2", 4_000, "ok", "with a write-ahead log"),
        (HEAD_BYTES + b"\1\1", 0, "warning", "has no write-ahead log"),
        (HEAD_BYTES + b"\2\2", 2_000_000_000, "warning", "2,000 MB"),
        (b"", 0, "ok", "is empty"),
        (b"-- PostgreSQL dump", 0, "problem", "`calfeed restore`"),
    ],
)
def test_a_database_file_is_judged_by_its_head_and_its_log(
    head: bytes, log: int, level: str, words: str
) -> None:
    check(judge_file(FILE, head, log), level, words)


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount() -> None:
    mounts = (
        "overlay / overlay rw 0 0\nserver:/data /srv nfs4 rw 0 0\n"
        "tmpfs /srv/my\\040dates tmpfs rw 0 0\nada@h: /mnt fuse.sshfs rw 0 0\n"
    )
    kinds = {
        path: find_filesystem(mounts, Path(path))
        for path in ("/srv/var/x", "/srv/my dates/x", "/srvx", "/mnt/x")
    }
    assert kinds == {
        "/srv/var/x": "nfs4",
        "/srv/my dates/x": "tmpfs",
        "/srvx": "overlay",
        "/mnt/x": "fuse.sshfs",
    }
    assert [is_network(kind) for kind in kinds.values()] == [True, False, False, True]
    assert find_filesystem("", FILE) == ""


@pytest.mark.parametrize(
    ("answer", "mark", "level", "words"),
    [
        (Answer(200, "ok", {LINEAGE_HEADER: "aa"}), "aa", "ok", "by this installation"),
        (Answer(200, "ok", {LINEAGE_HEADER: "aa"}), "", "ok", "answers"),
        (Answer(200, "ok", {LINEAGE_HEADER: "bb"}), "aa", "problem", "another installation"),
        (Answer(503, "gone", {LINEAGE_HEADER: "aa"}), "aa", "problem", "is not ready: gone"),
        (Answer(301), "aa", "problem", "something else (status 301)"),
    ],
)
def test_an_address_has_to_be_answered_by_this_installation(
    answer: Answer, mark: str, level: str, words: str
) -> None:
    check(judge_identity("public URL", "https://example.org", answer, mark), level, words)


@pytest.mark.parametrize(
    ("days", "left", "level"),
    [(90, 60, "ok"), (90, 22, "ok"), (90, 20, "warning"), (6, 2, "ok")],
)
def test_a_certificate_is_late_when_it_should_have_been_renewed(
    days: int, left: int, level: str
) -> None:
    end = NOW + timedelta(days=left)
    check(judge_certificate(end - timedelta(days=days), end, NOW), level, f"{left} more days")


@pytest.mark.parametrize(
    ("seen", "trusted", "level"), [(1, 1, "ok"), (0, 1, "problem"), (2, 1, "warning")]
)
def test_proxies_have_to_be_as_many_as_are_trusted(seen: int, trusted: int, level: str) -> None:
    check(judge_proxies(seen, trusted), level, f"{seen} added")
