"""A crowd in front of each kind of database, and an office with a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calfeed.store.database import Database
from tests.delivery.office import Office
from tests.delivery.receiver import PatientSender, Receiver
from tests.following.people import Crowd


@pytest.fixture
def crowd(database: Database) -> Crowd:
    return Crowd(database)


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        yield Office(database, sender, receiver)
