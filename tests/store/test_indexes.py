"""Queries use indexes and never scan whole tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from calfeed.model.states import EndpointState
from calfeed.reminders.options import Options
from calfeed.store.catalog import announcements
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.outbox import claims, clock_skew, digests, fetches, retention
from calfeed.store.outbox import deliveries as store
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.outbox.reminders import withdraw_reminders
from calfeed.store.reports import history, sent_messages
from calfeed.store.watching.measures import load_measures
from tests.store.keeping import NOW, keep_deliveries, keep_endpoints, make_endpoint, make_message

PLACE = retention.RetentionPosition(NOW, "msg_0", "end_1")
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "claim": lambda connection: claims.claim(connection, NOW, 9),
    "next": store.next_pending_at,
    "list": lambda connection: store.list_deliveries(connection, endpoint_id="end_1"),
    "failed": lambda connection: store.list_failed_ids(connection, "end_1", NOW),
    "count": lambda connection: lifecycle.count_deliveries(connection, "end_1"),
    "change": lambda connection: lifecycle.change_endpoint(
        connection, replace(make_endpoint("end_1"), options=Options(rate=1)), NOW
    ),
    "pause": lambda connection: lifecycle.pause_or_disable_endpoint(
        connection, "end_1", EndpointState.PAUSED, NOW
    ),
    "resume": lambda connection: lifecycle.resume_endpoint(connection, "end_2", NOW),
    "remove": lambda connection: lifecycle.remove_endpoint(connection, "end_1", NOW),
    "fetch": lambda connection: fetches.take_fetchable(connection, "end_2", NOW, 50),
    "acknowledge": lambda connection: fetches.acknowledge(connection, "end_2", [3], NOW),
    "unfetched": lambda connection: retention.end_unfetched(connection, NOW, NOW),
    "drop": lambda connection: retention.drop_held(connection, NOW, NOW),
    "forget": lambda connection: retention.delete_old_bodies(connection, NOW, PLACE),
    "reopen reminders": lambda connection: clock_skew.reopen_reminders(connection, NOW),
    "reopen deliveries": lambda connection: clock_skew.reopen_deliveries(connection, NOW),
    "misplanned": lambda connection: clock_skew.find_misplanned(connection, NOW, claims.LEASE),
    "digest": lambda connection: digests.lock_gathered(connection, "end_1", NOW),
    "rewrite": lambda connection: digests._rewrite(connection, "msg_0"),
    "withdraw": lambda connection: withdraw_reminders(connection, ["key"], NOW),
    "messages": lambda connection: sent_messages.load_messages_before(
        connection, (NOW, "msg_0"), 50
    ),
    "changes": lambda connection: announcements.load_announced_after(
        connection, [], announcements.AnnouncementPosition(0, "", 0), 50
    ),
    "announce": lambda connection: announcements.load_due_announcements(connection, NOW, 50),
    "history": lambda connection: history.load_history(connection, ["uid"]),
    "measures": lambda connection: load_measures(connection, NOW),
}


def keep(database: Database) -> None:
    keep_deliveries(database, 2)
    with database.write() as connection:
        keep_endpoints(connection, "end_2")
        add_delivery(connection, make_message("msg_2"), "end_2")
        lifecycle.record_failing_since(connection, [], ["end_2"], NOW)
        lifecycle.pause_or_disable_endpoint(connection, "end_2", EndpointState.PAUSED, NOW)


def fill(database: Database) -> None:
    """Add many deliveries, and collect statistics: in small tables any index is as good."""
    with database.write() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(
            "INSERT INTO deliveries (message_id, endpoint_id, state, next_at, settled_at, claim, "
            "attempts) SELECT 'msg_' || n, 'end_' || mod(n, 500), 'delivered', 0, 0, 1, 1 "
            "FROM generate_series(10, 5000) AS n"
        )
        connection.exec_driver_sql("ANALYZE")


def explain(database: Database, ask: Callable[[Connection], object]) -> list[str]:
    """Return the query plans of all statements of a query, line by line."""
    seen: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        seen.append(given[2:4])

    event.listen(database.engine, "after_cursor_execute", note)
    with database.write() as connection:
        ask(connection)
    event.remove(database.engine, "after_cursor_execute", note)
    how = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # there are few rows
        return [
            str(row[-1])
            for statement, values in seen
            if statement.startswith(("SELECT", "INSERT", "UPDATE"))
            for row in connection.exec_driver_sql(f"{how} {statement}", values)
        ]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("question", QUESTIONS)
def test_no_query_scans_a_whole_table(database: Database, question: str) -> None:
    """SQLite chooses plans by indexes, not by table size."""
    keep(database)
    lines = explain(database, QUESTIONS[question])
    whole = re.compile(r"SCAN (deliveries|of_digest|messages|attempts|revisions)(?! USING)")
    assert [line for line in lines if line.startswith("SEARCH")]
    assert not [line for line in lines if whole.match(line)]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("question", ["failed", "resume", "drop", "rewrite", "fetch"])
def test_held_deliveries_of_an_endpoint_have_their_own_index(
    database: Database, question: str
) -> None:
    keep(database)
    fill(database)
    lines = explain(database, QUESTIONS[question])
    own = ("ix_deliveries_endpoint_id", "ix_deliveries_held", "ix_deliveries_unsent")
    assert [line for line in lines if any(name in line for name in own)]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_claim_takes_no_more_than_its_limit_whatever_the_plan(database: Database) -> None:
    keep_deliveries(database, 3)
    with database.write() as connection:
        for way in ("hashjoin", "mergejoin", "material", "hashagg", "sort"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        assert len(claims.claim(connection, NOW, 1)) == 1
