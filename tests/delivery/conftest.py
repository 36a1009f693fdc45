"""An office: a database, a sender and a receiver, all real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calfeed.store.database import Database
from tests.delivery.office import Office
from tests.delivery.receiver import PatientSender, Receiver
from tests.publish.desk import Desk


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        yield Office(database, sender, receiver)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)
