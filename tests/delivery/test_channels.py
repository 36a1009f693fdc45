"""Channels beside webhooks: one sender for both, each channel in a line of its own."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from calfeed.delivery.channels.sending import SCHEME, ChannelSender
from calfeed.delivery.transport.sender import Request
from calfeed.reminders.messages import probe_message
from calfeed.reminders.plain_text import Notification
from tests.delivery.receiver import Receiver, collect, request
from tests.patience import PATIENCE, longer_and_longer
from tests.publish.desk import NOW

TOKEN = "hunter2"


class Chat:
    """A service that keeps what it is sent, once `gate` is open; it answers `error`."""

    def __init__(self, error: str | None = None) -> None:
        self.notes: list[Notification] = []
        self.error = error
        self.began = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def send(self, note: Notification) -> str | None:
        self.began.release()
        assert self.gate.wait(PATIENCE)
        self.notes.append(note)
        return self.error


class Broken(Chat):
    """A service whose code fails, and quotes its address."""

    def send(self, note: Notification) -> str | None:
        raise ValueError(f"json://{TOKEN}@example.org cannot be used")


@pytest.fixture
def chat() -> Iterator[Chat]:
    chat = Chat()
    yield chat
    chat.gate.set()


def note_for(channel: str, key: object = "key") -> Request:
    body = probe_message(f"ch_{channel}", NOW, "1").body
    return request(SCHEME + channel, key, body)


def test_webhooks_are_posted_and_channels_get_notes(chat: Chat) -> None:
    with (
        Receiver() as receiver,
        ChannelSender({"newsroom": chat}, allow_private=True) as sender,
    ):
        sender.submit([request(receiver.url("/status/204"), 1), note_for("newsroom", 2)])
        by_key = {outcome.key: outcome for outcome in collect(sender, 2)}
    assert by_key[1].status == 204
    assert (by_key[2].status, by_key[2].error) == (None, None)
    assert by_key[1].received
    assert by_key[2].received
    assert [note.title for note in chat.notes] == ["Test"]


def test_a_channel_gets_its_notes_one_after_the_other_in_order(chat: Chat) -> None:
    chat.gate.clear()
    with ChannelSender({"newsroom": chat}) as sender:
        sender.submit([note_for("newsroom", number) for number in range(5)])
        assert chat.began.acquire(timeout=PATIENCE)
        assert not chat.began.acquire(blocking=False)
        chat.gate.set()
        assert [outcome.key for outcome in collect(sender, 5)] == list(range(5))


def test_what_a_channel_does_not_take_has_its_reason() -> None:
    with ChannelSender({"newsroom": Chat("it is full")}) as sender:
        sender.submit([note_for("newsroom")])
        (outcome,) = collect(sender, 1)
    assert (outcome.status, outcome.error, outcome.received) == (None, "it is full", False)


def test_a_service_whose_code_fails_is_an_outcome_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), ChannelSender({"newsroom": Broken()}) as sender:
        sender.submit([note_for("newsroom")])
        (outcome,) = collect(sender, 1)
    assert outcome.error == "cannot be sent (ValueError)"
    assert TOKEN not in caplog.text


def test_a_channel_that_hangs_holds_up_no_other(chat: Chat) -> None:
    chat.gate.clear()
    with ChannelSender({"newsroom": chat, "mail": Chat()}, send_timeout=PATIENCE) as sender:
        sender.submit([note_for("newsroom", 1), note_for("newsroom", 2), note_for("mail", 3)])
        (outcome,) = collect(sender, 1)
    assert outcome.key == 3
    assert outcome.received


def test_a_channel_that_hangs_runs_into_its_time_limit(chat: Chat) -> None:
    chat.gate.clear()
    with ChannelSender({"newsroom": chat}, send_timeout=0.3) as sender:
        sender.submit([note_for("newsroom", 1), note_for("newsroom", 2)])
        outcomes = collect(sender, 2)
    assert [outcome.key for outcome in outcomes] == [1, 2]
    assert outcomes[0].error == "not sent after 0.3 seconds"
    assert outcomes[0].milliseconds >= 300
    # What hangs cannot be ended: what comes meanwhile is not held up by it.
    assert outcomes[1].error == "an earlier message to this channel is still being sent"


def test_a_channel_that_hung_is_used_again_and_its_late_answer_is_no_outcome() -> None:
    for seconds in longer_and_longer(0.1):
        chat = Chat()
        chat.gate.clear()
        with ChannelSender({"newsroom": chat}, send_timeout=seconds) as sender:
            sender.submit([note_for("newsroom", 1)])
            (late,) = collect(sender, 1)
            assert late.error is not None
            (hung,) = [one for one in threading.enumerate() if one.name == "calfeed-send-newsroom"]
            chat.gate.set()
            hung.join(PATIENCE)
            sender.submit([note_for("newsroom", 2)])
            (outcome,) = collect(sender, 1)
        assert outcome.key == 2
        if outcome.received:
            break
    assert outcome.received
    assert len(chat.notes) == 2


def test_what_has_not_had_its_turn_can_be_recalled(chat: Chat) -> None:
    chat.gate.clear()
    with ChannelSender({"newsroom": chat}) as sender:
        sender.submit([note_for("newsroom", number) for number in range(4)])
        assert chat.began.acquire(timeout=PATIENCE)
        recalled = sender.recall(lambda one: one.key != 2)
        assert [one.key for one in recalled] == [1, 3]
        chat.gate.set()
        assert [outcome.key for outcome in collect(sender, 2)] == [0, 2]


def test_closing_ends_at_once_with_an_outcome_for_each(chat: Chat) -> None:
    chat.gate.clear()
    sender = ChannelSender({"newsroom": chat})
    sender.submit([note_for("newsroom", 1), note_for("newsroom", 2)])
    assert chat.began.acquire(timeout=PATIENCE)
    sender.close()
    sender.submit([note_for("newsroom", 3)])
    outcomes = collect(sender, 3)
    assert {outcome.error for outcome in outcomes} == {"stopped before it was sent"}
    sender.close()


def test_a_sender_takes_its_own_channels_and_tells_once_of_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ChannelSender({"newsroom": Chat()}) as sender:
        assert sender.accepts("https://example.org/hook")
        assert sender.accepts(SCHEME + "newsroom")
        assert not sender.accepts(SCHEME + "other")
        assert not sender.accepts(SCHEME + "other")
        sender.submit([note_for("other")])
        (outcome,) = collect(sender, 1)
    assert not outcome.received
    assert [record.getMessage() for record in caplog.records] == [
        "channel other is not in this worker's channels file (CALFEED_CHANNELS); its messages are "
        "left to other workers"
    ]


def test_a_process_without_channels_does_not_load_apprise() -> None:
    code = (
        "import sys, calfeed.cli.serving.commands\n"
        "import calfeed.cli.sending.channels, calfeed.cli.sending.endpoints\n"
        "from calfeed.settings import Settings\n"
        "assert calfeed.cli.sending.channels.load_channels(Settings()) == {}\n"
        "assert 'apprise' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
