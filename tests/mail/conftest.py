"""The branch: an office with a mail server, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from calfeed.store.database import Database
from tests.delivery.receiver import Receiver
from tests.mail.branch import MailBranch
from tests.mail.post_office import PostOffice


@pytest.fixture
def branch(database: Database) -> Iterator[MailBranch]:
    with Receiver() as receiver, PostOffice() as post:
        branch = MailBranch(database, receiver, post)
        yield branch
        branch.sender.close()
