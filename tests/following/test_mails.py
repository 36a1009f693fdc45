"""The whole way: a form, a real mail server, the links in its mails, and one click to leave."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from calfeed.store.database import Database
from calfeed.web.app import make_flask
from calfeed.web.published.state import State
from tests.delivery.receiver import Receiver
from tests.following.test_pages import FORM
from tests.mail.branch import MailBranch
from tests.mail.post_office import PostOffice, Received
from tests.publish.desk import BASE, STAY

ADDRESS = FORM["address"]


@pytest.fixture
def branch(database: Database) -> Iterator[MailBranch]:
    with Receiver() as receiver, PostOffice() as post:
        branch = MailBranch(database, receiver, post)
        yield branch
        branch.sender.close()


def read_link(received: Received, pattern: str) -> str:
    """The path of a link in the plain text of a mail."""
    part = received.mail.get_body(("plain",))
    assert part is not None
    found = re.search(re.escape(BASE) + pattern, part.get_content())
    assert found, part.get_content()
    return found[0].removeprefix(BASE)


def test_one_follows_by_the_form_is_told_of_a_move_and_leaves_by_one_click(
    branch: MailBranch,
) -> None:
    branch.publish(STAY.format(start="2025-06-30"))
    state = State(branch.database, BASE, lambda: branch.now)
    state.refresh()
    client = Client(make_flask(state, BASE, mails=True))
    assert (
        client.post("/follow/desk/stay/?lang=ur", data=FORM | {"language": "ur"}).status_code == 200
    )
    branch.deliver()
    (asked,) = branch.post.to(ADDRESS)
    assert asked.mail["List-Unsubscribe"] is None
    confirm = read_link(asked, r"/follow/confirm/\S+")
    assert client.get(confirm).status_code == 200
    branch.deliver()
    assert len(branch.post.to(ADDRESS)) == 1
    assert client.post(confirm).status_code == 200
    branch.deliver()
    welcome = branch.post.to(ADDRESS)[-1]
    assert any(part.get_content_type() == "text/calendar" for part in welcome.mail.walk())
    own = read_link(welcome, r"/follow/per_[0-9a-f]+/[^/\s]+/")
    assert ADDRESS in client.get(own).text
    branch.publish(STAY.format(start="2025-08-31"))
    branch.deliver()
    moved = branch.post.to(ADDRESS)[-1]
    leave = str(moved.mail["List-Unsubscribe"]).strip("<>").removeprefix(BASE)
    assert client.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    before = len(branch.post.received)
    branch.publish(STAY.format(start="2025-09-01"))
    branch.deliver()
    assert len(branch.post.received) == before == 3
