"""Channels as an operator has them: a file, a worker, and the same commands as for webhooks."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.site import Site, until
from tests.delivery.mailbox import Mailbox, read_text
from tests.delivery.receiver import Receiver

TOKEN = "hunter2"
GRANTS = "name: Grants\ntime_zone: UTC\nevents: {call: {summary: Call, start: 2099-01-01}}\n"


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with Receiver() as chat:
        yield chat


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def site(tmp_path: Path, chat: Receiver, mailbox: Mailbox) -> Site:
    """A site with a chat and a mailbox for channels; what it has published is told to nobody."""
    site = Site(tmp_path / "site")
    site.environment["CALFEED_CHANNELS"] = "channels.toml"
    configure(site, chat, mailbox)
    site.do("publish")
    return site


def configure(site: Site, chat: Receiver, mailbox: Mailbox, path: str = "/status/200") -> None:
    file = site.folder / "channels.toml"
    file.write_text(
        f'[newsroom]\nurl = "json://desk:{TOKEN}@127.0.0.1:{chat.port}{path}/{TOKEN}"\n'
        f'[mail]\nurl = "{mailbox.url}"\ncalendars = ["grants"]\ntypes = ["event.added"]\n',
        "utf-8",
    )
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)


def secrets_in(site: Site) -> list[str]:
    """Where in the site's folder the channels' token stands."""
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    return [path.name for path in files if TOKEN.encode() in path.read_bytes()]


def test_a_new_event_is_told_in_the_chat_and_by_mail(
    site: Site, chat: Receiver, mailbox: Mailbox
) -> None:
    with site.running("worker") as worker:
        worker.until_it_says("channel ch_newsroom is added")
        (site.events / "grants.yaml").write_text(GRANTS)
        site.do("publish")
        until(lambda: chat.posts and mailbox.mails, "a note in the chat and a mail")
        until(lambda: not site.ask("delivery", "list", "--pending"), "all is recorded")
        assert TOKEN not in worker.everything
    assert json.loads(chat.posts[0].body)["title"] == "New: Call"
    assert mailbox.mails[0]["subject"] == "New: Call"
    assert "Call: new, 1 January 2099" in read_text(mailbox.mails[0])
    told = site.ask("delivery", "list")
    assert {one["endpoint"] for one in told} == {"ch_newsroom", "ch_mail"}
    assert {one["state"] for one in told} == {"delivered"}
    assert secrets_in(site) == ["channels.toml"]


def test_the_file_is_checked_and_shown_without_its_addresses(site: Site) -> None:
    (newsroom, mail) = site.ask("channels")
    assert (newsroom["id"], newsroom["service"], newsroom["state"]) == ("ch_newsroom", "JSON", None)
    assert (mail["id"], mail["filters"]["calendars"]) == ("ch_mail", ["grants"])
    shown = site.run("channels")
    assert 'channel mail: there is no calendar "grants"' in shown.stderr
    assert "E-Mail" in shown.stdout
    with site.running("worker") as worker:
        worker.until_it_says("channel ch_newsroom is added")
    assert {one["state"] for one in site.ask("channels")} == {"active"}
    listed = site.do("channels") + site.do("channels", "--json") + site.do("endpoint", "list")
    assert "channel://newsroom" in listed
    assert TOKEN not in listed


def test_a_channel_is_tested_paused_and_resumed_as_an_endpoint_is(
    site: Site, chat: Receiver, mailbox: Mailbox
) -> None:
    with site.running("worker") as worker:
        worker.until_it_says("channel ch_newsroom is added")
    assert "received: after" in site.do("endpoint", "test", "ch_newsroom")
    assert json.loads(chat.posts[0].body)["title"] == "Test"
    number = site.ask("delivery", "list")[0]["id"]
    assert "ms  taken" in site.do("delivery", "show", str(number))
    configure(site, chat, mailbox, "/status/500")
    failed = site.run("endpoint", "test", "ch_newsroom")
    assert failed.returncode == 1
    assert "not received: JSON did not accept the message" in failed.stderr
    assert TOKEN not in failed.stderr
    site.do("endpoint", "pause", "ch_newsroom")
    assert site.ask("endpoint", "show", "ch_newsroom")["state"] == "paused"
    site.do("endpoint", "resume", "ch_newsroom")


def test_a_window_can_be_rehearsed_in_a_chat(site: Site, chat: Receiver) -> None:
    site.remind("afghan-refugees-pakistan")
    site.do("publish")
    with site.running("worker") as worker:
        worker.until_it_says("channel ch_newsroom is added")
    window = ["--from", "2025-06-01", "--to", "2025-07-01"]
    assert "(taken, " in site.do("rehearse", *window, "--endpoint", "ch_newsroom")
    assert all(
        json.loads(post.body)["title"].startswith("Rehearsal: Reminder: ") for post in chat.posts
    )


def test_what_only_the_file_can_say_is_not_changed_by_commands(site: Site) -> None:
    with site.running("worker") as worker:
        worker.until_it_says("channel ch_newsroom is added")
    for words in (["update", "ch_newsroom", "--rate", "5"], ["rotate", "ch_newsroom"]):
        refused = site.run("endpoint", *words)
        assert refused.returncode == 1
        assert "change it in the file that CALFEED_CHANNELS names" in refused.stderr
    elsewhere = site.run(
        "endpoint", "test", "ch_newsroom", environment={"CALFEED_CHANNELS": "none"}
    )
    assert "none cannot be read" in elsewhere.stderr
    del site.environment["CALFEED_CHANNELS"]
    assert "CALFEED_CHANNELS is not set" in site.run("endpoint", "test", "ch_newsroom").stderr
    refused = site.run("endpoint", "add", "channel://newsroom")
    assert "https://" in refused.stderr
    site.do("endpoint", "remove", "ch_newsroom")
    assert [one["id"] for one in site.ask("endpoint", "list")] == ["ch_mail"]


@pytest.mark.parametrize("command", ["serve", "worker", "channels"])
def test_a_file_with_problems_ends_what_needs_it_and_all_are_told(command: str, site: Site) -> None:
    (site.folder / "channels.toml").write_text(
        f'[newsroom]\nurl = "slak://{TOKEN}/b/c"\n[mail]\nquiet = "22"\n', "utf-8"
    )
    done = site.run(command)
    assert done.returncode == 1
    assert done.stderr.count("channels.toml: ") == 3
    assert "newsroom.url: slak:// is not a service that Apprise knows" in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
