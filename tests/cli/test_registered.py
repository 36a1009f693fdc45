"""The output of commands about a registered endpoint."""

from __future__ import annotations

from datetime import UTC, datetime

from calfeed.errors import CalfeedError
from calfeed.model.states import EndpointState
from calfeed.reminders.filters import Filters
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from tests.cli.records import Records
from tests.publish.desk import STAY


def test_it_says_that_it_is_unverified_and_told_only_of_what_is_public(records: Records) -> None:
    one = Endpoint(
        id="ep_stranger",
        url="https://example.org/",
        filters=Filters(public_only=True),
        secret="whsec_" + "A" * 32,
        created=datetime(2025, 6, 1, tzinfo=UTC),
        state=EndpointState.UNVERIFIED,
    )
    records.publish(STAY.format(start="2025-06-30"))
    with records.database.write() as connection:
        add_endpoint(connection, one)
    assert "only public calendars" in records.do("endpoint", "list")
    assert records.ask("endpoint", "show", one.id)["filters"]["public_only"] is True
    for command in ("pause", "resume"):
        refused = records.run("endpoint", command, one.id)
        assert isinstance(refused.exception, CalfeedError)
        assert "ep_stranger is unverified" in str(refused.exception)
