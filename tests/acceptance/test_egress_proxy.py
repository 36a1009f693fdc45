"""With an egress proxy every command that posts goes through it, to names only it knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from calfeed.reminders.signing import make_secret
from tests.acceptance.site import Site, until
from tests.delivery.proxy import PASSWORD, Proxy
from tests.delivery.receiver import Receiver

NAME = "receiver.example"
URL = f"http://{NAME}/status/204"
WINDOW = ["--from", "2025-06-01", "--to", "2025-07-01"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def site(tmp_path: Path, receiver: Receiver) -> Iterator[Site]:
    """A site that may post to public addresses alone, and only through a proxy."""
    with Proxy({NAME: receiver.port}) as proxy:
        site = Site(tmp_path / "site")
        site.environment |= {
            "CALFEED_ALLOW_PRIVATE_ENDPOINTS": "0",
            "CALFEED_EGRESS_PROXY": proxy.url("http"),
        }
        yield site


def test_the_tests_rehearsals_and_messages_of_a_site_go_through_its_proxy(
    site: Site, receiver: Receiver
) -> None:
    site.remind("afghan-refugees-pakistan")
    site.do("publish")
    endpoint = site.ask("endpoint", "add", URL)["id"]
    site.do("endpoint", "test", endpoint)
    site.do("rehearse", *WINDOW, "--url", URL, "--secret", make_secret(bytes(32)))
    types = [json.loads(post.body)["type"] for post in receiver.posts]
    assert types[0] == "endpoint.test"
    assert set(types[1:]) == {"reminder.due"}
    receiver.posts.clear()
    (site.events / "grants.yaml").write_text(
        "name: Grants\ntime_zone: UTC\nevents: {call: {summary: Call, start: 2099-01-01}}\n"
    )
    with site.running("worker") as worker:
        site.do("publish")
        until(lambda: receiver.posts, "a message for the new event")
        assert PASSWORD not in worker.everything
    assert json.loads(receiver.posts[0].body)["type"] == "event.added"
    assert {post.headers["host"] for post in receiver.posts} == {NAME}


def test_what_the_proxy_or_the_guard_refuses_is_told_without_the_password(
    site: Site, receiver: Receiver
) -> None:
    site.do("publish")
    private = site.run("endpoint", "add", receiver.url("/"))
    endpoint = site.ask("endpoint", "add", "https://elsewhere.example/")["id"]
    elsewhere = site.run("endpoint", "test", endpoint)
    for done, words in (
        (private, "CALFEED_ALLOW_PRIVATE_ENDPOINTS"),
        (elsewhere, "the egress proxy made no connection (it responded with 403)"),
    ):
        assert done.returncode == 1
        assert words in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    assert receiver.posts == []
