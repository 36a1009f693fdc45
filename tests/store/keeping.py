"""Helpers that store endpoints, messages and deliveries for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.filters import Filters, Subject
from calfeed.reminders.messages import Message
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from calfeed.store.outbox.deliveries import DeliveryRow, list_deliveries
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.tables import metadata

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

MADE_ONCE = {"installation", "session_keys"}
"""The tables that migrations fill."""


def delete_rows(connection: Connection) -> None:
    """Delete all rows except those that migrations insert."""
    for table in reversed(metadata.sorted_tables):
        if table.name not in MADE_ONCE:
            connection.execute(table.delete())


def make_endpoint(
    name: str, url: str = "https://example.org/hook", filters: Filters | None = None
) -> Endpoint:
    return Endpoint(name, url, filters or Filters(), SECRET, NOW - timedelta(days=1))


def keep_endpoints(connection: Connection, *names: str) -> None:
    for name in names:
        add_endpoint(connection, make_endpoint(name))


_BODY = TYPES["event.moved"].example().body


def make_message(name: str = "msg_1", at: datetime = NOW, until: datetime | None = None) -> Message:
    subject = Subject(type="event.moved", calendar="desk", event="it")
    return Message(name, subject, at, _BODY, until)


def keep_deliveries(database: Database, count: int, endpoint: str = "end_1") -> list[int]:
    """Add pending deliveries, due one per second up to NOW, and return their ids."""
    with database.write() as connection:
        keep_endpoints(connection, endpoint)
        return [
            add_delivery(
                connection,
                make_message(f"msg_{number}", NOW - timedelta(seconds=count - number)),
                endpoint,
            )
            for number in range(count)
        ]


def read_deliveries(database: Database) -> list[DeliveryRow]:
    """Load all deliveries, oldest first."""
    with database.read() as connection:
        return sorted(list_deliveries(connection, limit=10_000), key=lambda row: row.id)
