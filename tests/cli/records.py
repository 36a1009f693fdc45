"""A site with its commands, which report afterwards what happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from calfeed.cli import cli, output
from calfeed.errors import CalfeedError
from calfeed.reminders.filters import Filters
from calfeed.store.tables import deliveries
from tests.delivery.office import Office
from tests.publish.desk import STAY

JUNE = STAY.format(start="2025-06-30")
AUGUST = STAY.format(start="2025-08-31")
WEEK_BEFORE = datetime(2025, 6, 23, 4, 0, tzinfo=UTC)
DAY_BEFORE = datetime(2025, 6, 29, 4, 0, tzinfo=UTC)
ALWAYS = ("--from", "2025-06-01", "--to", "2025-12-01")


class Records(Office):
    """An office; `do` runs a command on its database."""

    def run(self, *words: str) -> Result:
        """Run `calfeed` now, which may end with an error for people but with no other."""
        url = self.database.engine.url.render_as_string(hide_password=False)
        assert self.database.keyring is not None
        keys = {"CALFEED_KEYS_FILE": str(self.database.keyring.file.path)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(output, "now", lambda: self.now)
            result = CliRunner(env={"CALFEED_DATABASE_URL": url, **keys}).invoke(cli, words)
        if result.exception and not isinstance(result.exception, CalfeedError | SystemExit):
            raise result.exception
        return result

    def do(self, *words: str) -> str:
        """Run `calfeed`, which has to succeed, and return what it printed."""
        result = self.run(*words)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def ask(self, *words: str) -> Any:
        """Run `calfeed … --json`, and return the value it printed."""
        return json.loads(self.do(*words, "--json"))

    def subscribe_both(self) -> None:
        """Have one endpoint that takes reminders and moves, and one that fails."""
        wanted = Filters(types=("reminder.due", "event.moved"))
        self.subscribe("/status/204", "end_good", wanted)
        self.subscribe("/status/500", "end_bad", wanted)

    def tell(self) -> None:
        """Tell both of the stay, a week before it ends."""
        self.subscribe_both()
        self.publish(JUNE)
        self.now = WEEK_BEFORE
        self.deliver()

    def give_up(self, state: str = "failed") -> list[int]:
        """Let what is pending end in vain now, and return its numbers."""
        statement = update(deliveries).where(deliveries.c.state == "pending")
        with self.database.write() as connection:
            given_up = statement.values(state=state, settled_at=self.now)
            return list(connection.scalars(given_up.returning(deliveries.c.id)))
