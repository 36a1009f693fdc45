"""A site whose records the commands report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calfeed.delivery.transport.sender import Sender
from calfeed.store.database import Database
from tests.cli.records import Records
from tests.delivery.receiver import Receiver
from tests.patience import PATIENCE


@pytest.fixture
def records(database: Database) -> Iterator[Records]:
    with Receiver() as receiver, Sender(allow_private=True, timeout=PATIENCE) as sender:
        yield Records(database, sender, receiver)
