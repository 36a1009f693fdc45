"""The language of an endpoint, from the command to the receiver, through a worker's death."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from standardwebhooks import Webhook

from tests.acceptance.site import Site, until
from tests.acceptance.test_processes import find_part
from tests.delivery.receiver import Post, Receiver

DESK = """
name: Desk
time_zone: Europe/Paris
events:
  stay:
    summary: {{en: The stay ends, fr: Fin du séjour}}
    start: {start}
"""


def moves(receiver: Receiver, path: str) -> list[Post]:
    posts = [post for post in list(receiver.posts) if post.path == path]
    return [post for post in posts if json.loads(post.body)["type"] == "event.moved"]


def verify(post: Post, secret: str) -> Any:
    return Webhook(secret).verify(post.body, post.headers)["data"]


def test_a_move_is_told_in_each_language_again_after_a_kill_with_the_same_bytes(
    site: Site,
) -> None:
    site.environment["CALFEED_GRACE"] = "1"
    site.write("desk.yaml", DESK.format(start="2040-06-30"))
    with Receiver() as receiver, site.serving(anew=True) as serve:
        french, plain = receiver.url("/hang"), receiver.url("/status/204")
        added = site.ask("endpoint", "add", french, "--language", "fr", "--calendar", "desk")
        other = site.ask("endpoint", "add", plain, "--calendar", "desk")
        assert site.ask("endpoint", "show", added["id"])["options"]["language"] == "fr"
        site.edit("desk.yaml", "2040-06-30", "2040-08-31")
        (first,) = until(lambda: moves(receiver, "/hang"), "the message in French")
        (english,) = until(lambda: moves(receiver, "/status/204"), "the message in English")
        # Its request hangs, so that nothing is recorded of it when its worker dies.
        os.kill(find_part(serve, "worker"), signal.SIGKILL)
        until(lambda: len(moves(receiver, "/hang")) > 1, "the message again, after its lease")
        _, again = moves(receiver, "/hang")[:2]
    text = verify(first, added["secret"])["text"]
    assert (
        text
        == "Fin du séjour\u00a0: date déplacée, désormais 31 août 2040, auparavant 30 juin 2040"
    )
    assert verify(again, added["secret"])["text"] == text
    assert first.body == again.body
    told = verify(english, other["secret"])["text"]
    assert told == "The stay ends: moved from 30 June 2040 to 31 August 2040"
    ids = {post.headers["webhook-id"] for post in (first, again, english)}
    assert len(ids) == 1
