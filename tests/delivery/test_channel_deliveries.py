"""Channels in the outbox, with the guarantees of webhooks, through real services."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from calfeed.delivery.channels.file import read_channels
from calfeed.delivery.channels.sending import ChannelSender, Notifiable
from calfeed.model.states import EndpointState
from calfeed.reminders.retry import SCHEDULE
from calfeed.store.database import Database
from calfeed.store.endpoints.channels import ChannelChanges, register_channels
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint, remove_endpoint
from calfeed.store.endpoints.records import Endpoint, find_endpoint
from calfeed.store.outbox.deliveries import load_attempts
from tests.delivery.mailbox import Mailbox, read_text
from tests.delivery.office import Office
from tests.delivery.receiver import Receiver
from tests.delivery.test_worker import JUNE, WEEK_BEFORE
from tests.publish.desk import NOW

# Apprise imports it with its mail plugin.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

TOKEN = "hunter2"
MINUTE = timedelta(minutes=1)


class Branch(Office):
    """An office that also has channels, as a file in its folder says."""

    def __init__(self, database: Database, receiver: Receiver, folder: Path) -> None:
        super().__init__(database, ChannelSender(allow_private=True), receiver)
        self._file = folder / "channels.toml"

    def configure(self, text: str) -> ChannelChanges:
        """Write the file of the channels, and begin anew with it, as a worker does."""
        self._file.write_text(text, "utf-8")
        channels = read_channels(self._file)
        self.use({name: channel.service for name, channel in channels.items()})
        endpoints = [channel.to_endpoint(self.now) for channel in channels.values()]
        with self.database.write() as connection:
            return register_channels(connection, endpoints, self.now)

    def use(self, services: Mapping[str, Notifiable]) -> None:
        self.sender.close()
        self.sender = ChannelSender(services, allow_private=True)

    def find(self, endpoint_id: str) -> Endpoint:
        with self.database.read() as connection:
            return find_endpoint(connection, endpoint_id)

    def json_channel(self, path: str, *lines: str) -> str:
        url = f"json://desk:{TOKEN}@127.0.0.1:{self.receiver.port}{path}/{TOKEN}"
        return "\n".join(["[newsroom]", f'url = "{url}"', *lines])


@pytest.fixture
def branch(database: Database, tmp_path: Path) -> Iterator[Branch]:
    with Receiver() as receiver:
        branch = Branch(database, receiver, tmp_path)
        yield branch
        branch.sender.close()


def test_a_due_reminder_arrives_as_a_mail(branch: Branch) -> None:
    with Mailbox() as mailbox:
        branch.configure(f'[desk]\nurl = "{mailbox.url}"\ntypes = ["reminder.due"]')
        branch.publish(JUNE)
        branch.now = WEEK_BEFORE
        (row,) = branch.deliver()
        (mail,) = mailbox.mails
    assert (row.endpoint_id, row.state, row.attempts) == ("ch_desk", "delivered", 1)
    assert mail["subject"] == "Reminder: The stay ends"
    assert read_text(mail).splitlines()[:2] == [
        "The stay ends: 30 June 2025, in 7 days",
        "https://calendar.example.org/calendars/desk/stay/",
    ]
    with branch.database.read() as connection:
        (attempt,) = load_attempts(connection, row.id)
    assert (attempt.status, attempt.error) == (None, None)


def test_what_a_channel_does_not_take_is_tried_again_on_the_same_schedule(
    branch: Branch, caplog: pytest.LogCaptureFixture
) -> None:
    branch.configure(branch.json_channel("/status/500", 'types = ["event.added"]'))
    with caplog.at_level(logging.DEBUG):
        branch.publish(JUNE)
        (row,) = branch.deliver()
    assert (row.state, row.attempts) == ("pending", 1)
    assert row.next_at == branch.now + SCHEDULE[1]
    assert branch.find("ch_newsroom").failing_since == branch.now
    assert "channel://newsroom" in caplog.text
    branch.configure(branch.json_channel("/status/200", 'types = ["event.added"]'))
    branch.now = row.next_at
    (row,) = branch.deliver()
    assert (row.state, row.attempts) == ("delivered", 2)
    assert branch.find("ch_newsroom").failing_since is None
    titles = {json.loads(post.body)["title"] for post in branch.receiver.posts}
    assert titles == {"New: The stay ends"}
    # Neither what was kept nor what was logged has the channel's address.
    assert TOKEN not in repr(branch.everything()) + caplog.text


def test_a_channel_that_hangs_holds_up_no_webhook(branch: Branch) -> None:
    branch.configure(branch.json_channel("/hang") + "\n")
    branch.subscribe("/status/204")
    branch.publish(JUNE)

    def webhook_is_served() -> bool:
        states = {row.endpoint_id: row.state for row in branch.deliveries()}
        served = states.get("end_1") == "delivered"
        if served:
            branch.receiver.released.set()  # what hangs comes to its end
        return served

    branch.work(webhook_is_served)
    (waiting,) = [row for row in branch.deliveries() if row.endpoint_id == "ch_newsroom"]
    assert (waiting.state, waiting.attempts) == ("pending", 1)


def test_what_is_for_a_channel_that_a_worker_does_not_have_waits_for_one_that_has_it(
    branch: Branch, caplog: pytest.LogCaptureFixture
) -> None:
    branch.configure(branch.json_channel("/status/200"))
    branch.publish(JUNE)
    branch.use({})
    (row,) = branch.deliver()
    assert (row.state, row.attempts, row.next_at) == ("pending", 0, branch.now + MINUTE)
    branch.now += MINUTE
    branch.deliver()
    assert caplog.text.count("channel newsroom is not in this worker's channels file") == 1
    branch.now += MINUTE
    branch.configure(branch.json_channel("/status/200"))
    (row,) = branch.deliver()
    assert (row.state, row.attempts) == ("delivered", 1)
    assert branch.find("ch_newsroom").failing_since is None


def test_a_channel_takes_one_note_after_the_other_without_a_rest(branch: Branch) -> None:
    branch.configure(branch.json_channel("/status/200", 'types = ["event.added"]'))
    branch.publish(*(JUNE.replace("stay:", f"stay-{number}:") for number in range(6)))
    assert {row.state for row in branch.deliver()} == {"delivered"}
    assert len(branch.receiver.posts) == 6


def test_a_new_channel_is_not_told_what_was_said_before(branch: Branch) -> None:
    branch.publish(JUNE)
    branch.now += MINUTE
    assert branch.configure(branch.json_channel("/status/200")).added == ["ch_newsroom"]
    assert branch.deliver() == []
    branch.publish(JUNE.replace("2025-06-30", "2025-07-30"))
    (row,) = branch.deliver()
    assert (row.type, row.state) == ("event.moved", "delivered")


def test_a_digest_of_a_channel_is_one_note_with_a_list(branch: Branch) -> None:
    branch.configure(
        branch.json_channel("/status/200", 'types = ["reminder.due"]', 'digest = "daily@12:00"')
    )
    branch.publish(JUNE, JUNE.replace("stay:", "second:").replace("The stay", "The second stay"))
    branch.now = WEEK_BEFORE
    branch.deliver()
    assert branch.receiver.posts == []
    branch.now = WEEK_BEFORE.replace(hour=12)
    branch.deliver()
    (post,) = branch.receiver.posts
    note = json.loads(post.body)
    assert note["title"] == "2 dates ahead"
    assert note["message"].count("30 June 2025, in 7 days") == 2


def test_registering_again_changes_only_what_the_file_says_otherwise(branch: Branch) -> None:
    first = branch.configure(branch.json_channel("/status/200"))
    assert (first.added, first.changed) == (["ch_newsroom"], [])
    with branch.database.write() as connection:
        pause_or_disable_endpoint(connection, "ch_newsroom", EndpointState.PAUSED, branch.now)
    branch.now += MINUTE
    again = branch.configure(branch.json_channel("/status/204"))
    assert (again.added, again.changed) == ([], [])
    changed = branch.configure(
        branch.json_channel("/status/204", 'calendars = ["desk"]', "rate = 5", 'description = "we"')
    )
    assert (changed.added, changed.changed) == ([], ["ch_newsroom"])
    found = branch.find("ch_newsroom")
    assert (found.filters.calendars, found.options.rate) == (("desk",), 5)
    assert (found.description, found.state, found.created) == ("we", "paused", NOW)


def test_what_the_file_no_longer_has_stays_until_it_is_removed_and_can_come_back(
    branch: Branch,
) -> None:
    branch.configure(branch.json_channel("/status/200", 'calendars = ["desk"]'))
    branch.configure("")
    assert branch.find("ch_newsroom").state == "active"
    with branch.database.write() as connection:
        remove_endpoint(connection, "ch_newsroom", branch.now)
    branch.publish(JUNE)
    later = branch.now + MINUTE
    branch.now = later
    assert branch.configure(branch.json_channel("/status/200")).added == ["ch_newsroom"]
    found = branch.find("ch_newsroom")
    assert (found.state, found.created, found.filters.calendars) == ("active", later, ())
    assert branch.deliver() == []
