"""People who follow: they sign up, a worker's step mails them, they open the link of the mail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from calfeed.delivery.sign_ups import admit_sign_ups
from calfeed.reminders.following.choices import Choices, Wish
from calfeed.services.following import asking
from calfeed.store.database import Connection, Database, JoinedTransaction
from calfeed.store.endpoints.records import load_endpoints
from calfeed.store.outbox.messages import load_messages
from calfeed.store.people.links import PREFIX, confirm_link, make_links
from calfeed.store.people.records import find_people_key
from calfeed.store.people.requests import next_sign_up
from calfeed.store.tables import deliveries, messages

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BASE = "https://example.org"


@dataclass
class Crowd:
    """People in front of a database, at a time that tests set."""

    database: Database
    now: datetime = NOW

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)

    def ask(
        self,
        address: str = "amina@example.org",
        *follows: str,
        network: str = "192.0.2.1",
        choices: Choices | None = None,
        within: Connection | None = None,
    ) -> None:
        """Sign up without a worker."""
        wish = Wish(follows=follows or ("desk",), choices=choices or Choices())
        database = self.database if within is None else JoinedTransaction(within)
        asking.ask_to_follow(database, address, wish, network, self.now)

    def admit(self) -> None:
        """Do what a worker does with sign-ups."""
        while admit_sign_ups(self.database, self.now):
            pass

    def admit_all(self) -> None:
        """Let time pass until no sign-up waits."""
        while (ready_at := self._next()) is not None:
            self.now = max(self.now, ready_at)
            self.admit()

    def _next(self) -> datetime | None:
        with self.database.read() as connection:
            return next_sign_up(connection)

    def mail_times(self) -> list[tuple[str, datetime]]:
        """The URL of the endpoint of each message, and when it was made."""
        with self.database.read() as connection:
            query = select(deliveries.c.endpoint_id, messages.c.at).where(
                messages.c.id == deliveries.c.message_id
            )
            rows = connection.execute(query).all()
            receivers = load_endpoints(connection, [row.endpoint_id for row in rows])
        return [(receivers[row.endpoint_id].url, row.at) for row in rows]

    def mails(self) -> list[tuple[str, str]]:
        """The URL of the endpoint and the type of each message to a person, oldest first."""
        return [(url, kind) for url, kind, _ in self._sent()]

    def _sent(self) -> list[tuple[str, str, str]]:
        with self.database.read() as connection:
            rows = connection.execute(deliveries.select().order_by(deliveries.c.id)).all()
            receivers = load_endpoints(connection, [row.endpoint_id for row in rows])
            stored = load_messages(connection, [row.message_id for row in rows])
        found = []
        for row in rows:
            body = json.loads(stored[row.message_id].body)
            url = receivers[row.endpoint_id].url if row.endpoint_id in receivers else ""
            found.append((url, body["type"], body["data"].get("request", "")))
        return found

    def confirm_path(self) -> str:
        """The path of the link in the last mail that asks for a confirmation."""
        request = [one for _, kind, one in self._sent() if kind != "follow.welcome"][-1]
        return confirm_link("", self.key, request)

    def confirm(self) -> str:
        """Press the button behind the link of the last mail; returns the person's endpoint."""
        request_id, secret = self.confirm_path().removeprefix(PREFIX + "/confirm/").split("/")
        return asking.confirm(self.database, request_id, secret, self.now).endpoint_id

    def join(self, address: str = "amina@example.org", *follows: str) -> str:
        """Sign up and confirm; returns the person's endpoint."""
        self.ask(address, *follows)
        self.admit()
        return self.confirm()

    def secret(self, endpoint_id: str) -> str:
        return make_links("", self.key, endpoint_id).page.rstrip("/").rpartition("/")[2]

    def own_path(self, endpoint_id: str) -> str:
        return make_links("", self.key, endpoint_id).page

    @property
    def key(self) -> bytes:
        with self.database.read() as connection:
            key = find_people_key(connection)
        assert key is not None
        return key
