"""A site whose records the commands report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calfeed.store.database import Database
from tests.cli.records import Records
from tests.delivery.receiver import PatientSender, Receiver


@pytest.fixture
def records(database: Database) -> Iterator[Records]:
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        yield Records(database, sender, receiver)
