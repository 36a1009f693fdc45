"""What is asked of the record is found by an index, however much there is of it."""

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
from calfeed.store.outbox import claims, digests, misdated, outbox, retention
from calfeed.store.outbox import deliveries as store
from calfeed.store.reports import history, sent_messages
from tests.store.keeping import NOW, keep_deliveries, keep_endpoints, make_endpoint, make_message

PLACE = retention.Place(NOW, "msg_0", "end_1")
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "claim": lambda connection: claims.claim(connection, NOW, 9),
    "next": store.next_pending,
    "list": lambda connection: store.list_deliveries(connection, endpoint_id="end_1"),
    "failed": lambda connection: store.list_failed(connection, "end_1", NOW),
    "count": lambda connection: lifecycle.count_deliveries(connection, "end_1"),
    "change": lambda connection: lifecycle.change_endpoint(
        connection, replace(make_endpoint("end_1"), options=Options(rate=1)), NOW
    ),
    "pause": lambda connection: lifecycle.hold_endpoint(
        connection, "end_1", EndpointState.PAUSED, NOW
    ),
    "resume": lambda connection: lifecycle.resume_endpoint(connection, "end_2", NOW),
    "remove": lambda connection: lifecycle.remove_endpoint(connection, "end_1", NOW),
    "drop": lambda connection: retention.drop_held(connection, NOW, NOW),
    "forget": lambda connection: retention.forget_bodies(connection, NOW, PLACE),
    "reopen reminders": lambda connection: misdated.reopen_reminders(connection, NOW),
    "reopen deliveries": lambda connection: misdated.reopen_deliveries(connection, NOW),
    "misplanned": lambda connection: misdated.find_misplanned(connection, NOW, claims.LEASE),
    "digest": lambda connection: digests.take_gathered(connection, "end_1", NOW),
    "rewrite": lambda connection: digests._rewrite(connection, "msg_0"),
    "withdraw": lambda connection: outbox.withdraw(connection, ["key"], NOW),
    "messages": lambda connection: sent_messages.messages_before(connection, (NOW, "msg_0"), 50),
    "changes": lambda connection: announcements.announced_after(
        connection, [], announcements.Place(0, "", 0), 50
    ),
    "announce": lambda connection: announcements.load_due(connection, NOW, 50),
    "history": lambda connection: history.load_history(connection, ["uid"]),
}


def keep(database: Database) -> None:
    keep_deliveries(database, 2)
    with database.write() as connection:
        keep_endpoints(connection, "end_2")
        outbox.add_delivery(connection, make_message("msg_2"), "end_2")
        lifecycle.note_outcomes(connection, [], ["end_2"], NOW)
        lifecycle.hold_endpoint(connection, "end_2", EndpointState.PAUSED, NOW)


def explain(database: Database, ask: Callable[[Connection], object]) -> list[str]:
    """How the database goes about each statement of a question, line by line."""
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
def test_no_question_reads_all_there_ever_was(database: Database, question: str) -> None:
    """SQLite tells: it decides by what the indexes are, not by how much there is."""
    keep(database)
    lines = explain(database, QUESTIONS[question])
    whole = re.compile(r"SCAN (deliveries|of_digest|messages|attempts|revisions)(?! USING)")
    assert [line for line in lines if line.startswith("SEARCH")]
    assert not [line for line in lines if whole.match(line)]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("question", ["failed", "resume", "drop", "rewrite"])
def test_what_is_set_aside_for_an_endpoint_has_an_index_of_its_own(
    database: Database, question: str
) -> None:
    keep(database)
    lines = explain(database, QUESTIONS[question])
    own = ("ix_deliveries_endpoint_id", "ix_deliveries_unsent")
    assert [line for line in lines if any(name in line for name in own)]
