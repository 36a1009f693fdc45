"""A site from definitions, published and served in the test's process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from werkzeug.test import Client, TestResponse

from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from calfeed.store.catalog.publishes import UNKNOWN_AUTHOR, Author
from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.published.responses import StoredResponseMiddleware
from calfeed.web.published.state import State
from tests.migrated import migrated_sqlite

BASE = "https://example.org"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Published:
    """`now` may be set; `get` sees what was published up to then."""

    database: Database
    now: datetime = NOW
    files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = State(self.database, BASE, lambda: self.now)
        application = make_flask(self.state, BASE).wsgi_app
        middleware = StoredResponseMiddleware(
            application, self.state.snapshot, self.state.poll_counter
        )
        self.state.middleware = middleware
        self.client = Client(middleware)

    def publish(
        self,
        files: Mapping[str, str],
        author: Author = UNKNOWN_AUTHOR,
        grace: timedelta = timedelta(0),
    ) -> None:
        """Publish these files of definitions, by slug, instead of those before.

        A slug with a suffix is the path of another file.
        """
        texts = {
            f"events/{slug}" if "." in slug else f"events/{slug}.yaml": text.encode()
            for slug, text in files.items()
        }
        defined = read_definitions(texts)
        publish(
            self.database, defined, self.now, BASE, allow_removals=True, author=author, grace=grace
        )
        self.state.refresh()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a path, as a client does."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, headers=named)

    def titles(self, path: str) -> list[str]:
        """The titles in a feed, in its order."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        lines = response.text.replace("\r\n ", "").split("\r\n")
        return [line.split(":", 1)[1] for line in lines if line.startswith("SUMMARY")]


def make_site(folder: Path) -> Published:
    """An empty site in a folder."""
    return Published(migrated_sqlite(folder))
