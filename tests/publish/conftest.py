"""A site with a database of its own."""

from __future__ import annotations

import pytest

from calfeed.store.database import Database
from tests.publish.desk import Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)
