"""Messages of a private calendar whose key is missing wait for it; all others are sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from calfeed.definitions.reader import read_definitions
from calfeed.delivery.due import LateReminderPacer, extend_plans, fan_out, fire_due
from calfeed.delivery.engine.attempts import prepare_requests
from calfeed.model.states import EndpointState
from calfeed.model.uids import NAME_BASED_UIDS
from calfeed.publish.announce import announce_due
from calfeed.publish.apply import publish
from calfeed.store.database import Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.migrate import migrate
from calfeed.store.outbox.claims import claim
from calfeed.store.outbox.reminders import load_reminders
from calfeed.store.secrets import resealing
from calfeed.store.secrets.keys import Key
from calfeed.store.tables import endpoints, messages
from tests.store.keeping import make_endpoint, read_deliveries

NOW = datetime(2026, 11, 1, tzinfo=UTC)
BASE = "https://calendar.example.org"
GRACE = timedelta(minutes=5)

FILES = {
    f"events/{slug}.yaml": f"""
name: {slug}
time_zone: UTC
visibility: {visibility}
reminders: [1 hour]
events: {{{slug}-call: {{summary: Call, start: 2026-11-01 03:00}}}}
""".encode()
    for slug, visibility in (("board", "private"), ("desk", "public"))
}


@pytest.fixture
def own(empty_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database with keys of its own, and an endpoint that wants everything."""
    with closing(Database(empty_url, tmp_path / "calfeed.keys")) as database:
        migrate(database)
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1"))
        yield database


def lose_key(database: Database, monkeypatch: pytest.MonkeyPatch) -> tuple[Database, Key]:
    """The database as a process has it that lacks the key of all but the endpoints."""
    assert database.keyring is not None
    file = database.keyring.file
    (former,) = file.load()
    file.add(datetime.now(UTC))
    sealed = [column for column in endpoints.columns if column.info.get("sealed")]
    with monkeypatch.context() as patch:
        patch.setattr(resealing, "_list_sealed_columns", lambda: iter(sealed))
        resealing.reseal_all(database)
    file.drop(former.id)
    url = database.engine.url.render_as_string(hide_password=False)
    return Database(url, database.keys), former


def put_back(database: Database, key: Key) -> None:
    assert database.keyring is not None
    file = database.keyring.file
    file.path.write_text("".join(f"{one.line}\n" for one in (*file.load(), key)), "ascii")


def post(database: Database, now: datetime) -> list[bytes]:
    """The bodies of what goes out now."""
    with database.write() as connection:
        return [
            one.body for one in prepare_requests(connection, claim(connection, now, 9), lambda: now)
        ]


def test_messages_wait(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(own, read_definitions(FILES, NAME_BASED_UIDS), NOW, BASE)
    other, key = lose_key(own, monkeypatch)
    with closing(other):
        while fan_out(other, NOW):
            pass
        (body,) = post(other, NOW)
        assert b'"desk-call"' in body
        assert {row.state for row in read_deliveries(other)} == {"pending"}
        put_back(other, key)
        bodies = post(other, NOW + timedelta(days=1))
    assert any(b'"board-call"' in body for body in bodies)


def test_reminders_wait(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(own, read_definitions(FILES, NAME_BASED_UIDS), NOW, BASE)
    due = NOW + timedelta(hours=2)

    def states() -> dict[str, str]:
        with own.read() as connection:
            return {row.uid: row.state for row in load_reminders(connection)}

    board, desk = (NAME_BASED_UIDS.make(slug, f"{slug}-call") for slug in ("board", "desk"))
    other, key = lose_key(own, monkeypatch)
    with closing(other):
        while fire_due(other, due, BASE, LateReminderPacer()):
            pass
        assert extend_plans(other, due) == 0
        assert states() == {board: "planned", desk: "sent"}
        put_back(other, key)
        fire_due(other, due + timedelta(minutes=2), BASE, LateReminderPacer())
    assert states() == {board: "sent", desk: "sent"}


def test_changes_wait(own: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(own, read_definitions(FILES, NAME_BASED_UIDS), NOW, BASE, grace=GRACE)
    other, key = lose_key(own, monkeypatch)
    with closing(other):
        assert announce_due(other, NOW + GRACE, BASE) == 1
        assert announce_due(other, NOW + GRACE, BASE) == 0
        put_back(other, key)
        assert announce_due(other, NOW + 2 * GRACE, BASE) == 1


def test_without_any_key_a_report_is_logged_and_what_it_reports_is_written(
    own: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """While a calendar is private, so are messages that are about no calendar."""
    publish(own, read_definitions(FILES, NAME_BASED_UIDS), NOW, BASE)
    assert own.keys is not None
    own.keys.unlink()
    url = own.engine.url.render_as_string(hide_password=False)
    with closing(Database(url, own.keys)) as lost:
        with lost.write() as connection:
            assert lifecycle.pause_or_disable_endpoint(
                connection, "end_1", EndpointState.DISABLED, NOW, "gone"
            )
        with lost.read() as connection:
            state = connection.scalar(select(endpoints.c.state))
            told = connection.scalar(
                select(messages.c.id).where(messages.c.subject.contains("endpoint.disabled"))
            )
    assert (state, told) == (EndpointState.DISABLED, None)
    assert "Endpoint end_1 is disabled: gone" in caplog.text
