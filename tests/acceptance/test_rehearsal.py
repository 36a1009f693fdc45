"""A rehearsal delivers exactly the planned reminders, signed."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from standardwebhooks import Webhook

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
WINDOW = ("--from", "2024-08-01", "--to", "2025-07-01")

Facts = tuple[str, str, str, str, str]


def facts_of_plan(entry: dict[str, Any]) -> Facts:
    occurrence = entry["occurrence"]
    return (
        entry["calendar"],
        entry["event"],
        occurrence["id"],
        occurrence["start"],
        entry["due"],
    )


def facts_of_message(message: dict[str, Any]) -> Facts:
    data = message["data"]
    return (
        data["event"]["calendar"],
        data["event"]["slug"],
        data["occurrence"]["id"],
        data["occurrence"]["start"],
        data["reminder"]["due"],
    )


def test_listen_receives_and_verifies_every_reminder_that_the_plan_lists(site: Site) -> None:
    site.remind()
    site.do("publish")
    planned = site.ask("reminders", *WINDOW)
    assert len(planned) == 20
    with site.running("listen", "--port", "0", "--secret", SECRET, "--json") as listen:
        listen.until_it_says("listening on ")
        url = listen.errors.split()[2]
        results = site.ask("rehearse", *WINDOW, "--url", url, "--secret", SECRET)
        received = [json.loads(line) for line in listen.output.splitlines()]
    assert all(result["received"] for result in results)
    assert len(results) == len(received) == len({entry["id"] for entry in received}) == 20
    assert [entry["problem"] for entry in received if not entry["verified"]] == []
    messages = [entry["message"] for entry in received]
    assert all(message["rehearsal"] for message in messages)
    assert sorted(map(facts_of_message, messages)) == sorted(map(facts_of_plan, planned))


def test_a_receiver_with_the_reference_library_verifies_every_reminder(
    site: Site, receiver: Receiver
) -> None:
    site.remind()
    site.do("publish")
    site.ask("rehearse", *WINDOW, "--url", receiver.url, "--secret", SECRET)
    messages = [Webhook(SECRET).verify(post.body, post.headers) for post in receiver.posts]
    planned = site.ask("reminders", *WINDOW)
    assert sorted(map(facts_of_message, messages)) == sorted(map(facts_of_plan, planned))


def test_a_rehearsal_for_an_endpoint_sends_what_it_wants_and_leaves_no_trace(
    site: Site, receiver: Receiver
) -> None:
    site.remind()
    site.do("publish")
    endpoint = site.ask("endpoint", "add", receiver.url, "--calendar", "afghan-refugees-pakistan")
    before = site.ask("reminders", *WINDOW)
    site.do("rehearse", *WINDOW, "--endpoint", endpoint["id"])
    assert sorted(
        post.verify(endpoint["secret"])["data"]["reminder"]["due"][:10] for post in receiver.posts
    ) == ["2025-05-30", "2025-06-23", "2025-06-29"]
    assert site.ask("reminders", *WINDOW) == before
    assert site.ask("delivery", "list") == []


def test_listen_says_so_when_a_signature_was_made_with_another_secret(site: Site) -> None:
    site.remind()
    site.do("publish")
    other = "whsec_" + b64encode(bytes(32)).decode()
    with site.running("listen", "--port", "0", "--secret", other, "--json") as listen:
        listen.until_it_says("listening on ")
        url = listen.errors.split()[2]
        done = site.run("rehearse", *WINDOW, "--url", url, "--secret", SECRET)
        received = [json.loads(line) for line in listen.output.splitlines()]
    assert done.returncode == 1
    assert [entry["verified"] for entry in received] == [False] * 20
