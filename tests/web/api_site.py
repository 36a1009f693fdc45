"""A site with an API, with something of everything in it, a private calendar too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from calfeed.store.access import tokens
from calfeed.store.database import Database
from calfeed.web.api.app import MOUNT, VERSION, make_api
from tests.web.published import BASE, NOW, Published, make_site

ADMIN = "the-operator-s-own-token"

OPEN = """
name: {en: Open days, ur: کھلے دن}
time_zone: Asia/Karachi
reminders: [1 week]
events:
  fair: {summary: Spring fair, start: 2027-02-01, categories: [fairs], location: Lahore}
  rounds:
    summary: Rounds
    start: 2027-01-04 09:00
    duration: 30 minutes
    repeat: {rule: FREQ=WEEKLY;COUNT=60}
  talk: {summary: Talk, start: 2027-03-01 18:00}
"""
VAULT = """
name: Vaultroom
description: Where the Zircon lies
time_zone: UTC
visibility: private
reminders: [1 day]
events:
  handover-zx9: {summary: Zircon handover, start: 2027-01-05 10:00, location: Pier nine}
"""
PRIVATE = ("vault-zx9", "Vaultroom", "Zircon", "handover", "Pier nine")
"""Texts that no response may contain for a client that may not see the private calendar."""


@dataclass
class ApiSite:
    """A published site and its API; `known` names one of each thing there is."""

    site: Published
    rate: str = "100000 per minute"
    registration_rate: str = "100000 per minute"
    known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        api = make_api(
            self.site.state,
            self.site.database,
            BASE,
            admin_token=SecretStr(ADMIN),
            self_service=True,
            rate=self.rate,
            registration_rate=self.registration_rate,
        )
        self.application: Any = DispatcherMiddleware(lambda _, start: _absent(start), {MOUNT: api})
        self.client = Client(self.application)

    def ask(self, method: str, path: str, token: str | None = ADMIN, **given: Any) -> TestResponse:
        """Ask the API, as the operator where no other token is given."""
        headers = dict(given.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.client.open(MOUNT + VERSION + path, method=method, headers=headers, **given)

    def make_token(self, *scopes: str, calendar: str | None = None) -> str:
        """A new token with these scopes, or for the feed of a calendar."""
        name = "-".join(["token", *scopes, calendar or ""])
        with self.site.database.write() as connection:
            if tokens.find_token(connection, name, NOW) is None:
                tokens.add_token(connection, name, calendar, "", NOW, scopes)
        return name

    def fill(self) -> None:
        """Make one of each thing there is."""
        endpoint = self.ask("POST", "/endpoints", json={"url": "https://example.org/hooks"}).json
        assert endpoint is not None
        window = {"endpoint": endpoint["id"], "from": "2027-01-01", "to": "2027-02-01"}
        rehearsal = self.ask("POST", "/rehearsals", json=window).json
        assert rehearsal is not None
        token = self.ask("POST", "/tokens", json={"scopes": ["read:vault-zx9"]}).json
        assert token is not None
        self.known = {
            "calendar": "open",
            "event": "fair",
            "endpoint": endpoint["id"],
            "rehearsal": rehearsal["id"],
            "delivery": rehearsal["deliveries"][0]["id"],
            "message": rehearsal["deliveries"][0]["message"],
            "token": token["id"],
            "type": "event.moved",
        }


def make_api_site(
    where: Path | Database, *, files: Sequence[tuple[str, str]] = (), rate: str = "100000/minute"
) -> ApiSite:
    """A site in a folder, or on a database, with a public and a private calendar."""
    site = make_site(where) if isinstance(where, Path) else Published(where)
    site.publish(dict(files) or {"open": OPEN, "vault-zx9": VAULT})
    return ApiSite(site, rate)


def _absent(start: Any) -> list[bytes]:
    start("404 Not Found", [])
    return []
