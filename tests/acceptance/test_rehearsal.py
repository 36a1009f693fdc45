"""A rehearsal delivers exactly the planned reminders, signed."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from typing import Any

from standardwebhooks import Webhook

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site
from tests.loopback import Handler, Loopback
from tests.patience import PATIENCE

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


class _LateForTheFirst(Loopback):
    """A receiver that responds to the earliest reminder only after another."""

    def __init__(self, earliest: str) -> None:
        super().__init__(_LateHandler)
        self.earliest = earliest
        self.responded = threading.Event()


class _LateHandler(Handler):
    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        due = json.loads(self.read_body())["data"]["reminder"]["due"]
        receiver: _LateForTheFirst = self.server.owner
        if due == receiver.earliest:
            assert receiver.responded.wait(PATIENCE)
        self.send_response(204)
        self.end_headers()
        receiver.responded.set()


def test_the_results_are_by_date_even_if_the_first_reminder_is_received_late(site: Site) -> None:
    site.remind()
    site.do("publish")
    planned = [entry["due"] for entry in site.ask("reminders", *WINDOW)]
    with _LateForTheFirst(planned[0]) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        results = site.ask("rehearse", *WINDOW, "--url", url, "--secret", SECRET)
    assert planned == sorted(planned)
    assert [result["reminder"][:10] for result in results] == [due[:10] for due in planned]


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
