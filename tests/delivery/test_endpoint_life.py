"""The life of an endpoint, with real posts: paused, disabled, resumed, rotated, paced, removed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from calfeed.delivery.engine.attempts import DISABLE_AFTER, prepare_requests, record_outcomes
from calfeed.delivery.engine.worker import Worker
from calfeed.model.states import EndpointState
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_values import QuietHours
from calfeed.reminders.options import Options
from calfeed.reminders.signing import make_secret
from calfeed.services.receivers.testing import request_test
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.lifecycle import Released
from calfeed.store.endpoints.records import ROTATION_PERIOD, Endpoint, find_endpoint, lock_endpoint
from calfeed.store.outbox import claims
from calfeed.store.outbox.messages import add_delivery
from tests.delivery.office import SECRET, Office, wait_until, working
from tests.delivery.receiver import PatientSender, Post, collect
from tests.publish.desk import BASE, NOW
from tests.store.keeping import make_message

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OTHER = make_secret(bytes(range(32)))


def say(office: Office, *names: str, until: datetime | None = None, to: str = "end_1") -> None:
    """Keep messages for one endpoint, to be sent now."""
    with office.database.write() as connection:
        for name in names:
            add_delivery(connection, make_message(name, office.now, until), to)


def change(office: Office, **values: Any) -> None:
    with office.database.write() as connection:
        changed = replace(lock_endpoint(connection, "end_1"), **values)
        lifecycle.change_endpoint(connection, changed, office.now)


def pause(office: Office) -> None:
    with office.database.write() as connection:
        assert lifecycle.pause_or_disable_endpoint(
            connection, "end_1", EndpointState.PAUSED, office.now
        )


def resume(office: Office) -> Released | None:
    with office.database.write() as connection:
        return lifecycle.resume_endpoint(connection, "end_1", office.now)


def find(office: Office) -> Endpoint:
    with office.database.read() as connection:
        return find_endpoint(connection, "end_1")


def states(office: Office) -> list[str]:
    """What becomes of the deliveries now."""
    return [row.state for row in office.deliver()]


def told(office: Office) -> list[str]:
    """The ids of what the receiver got, in order."""
    return [post.headers["webhook-id"] for post in office.receiver.posts]


def left_at(post: Post) -> datetime:
    return datetime.fromtimestamp(int(post.headers["webhook-timestamp"]), UTC)


def signers(post: Post) -> list[str]:
    """Which of the two secrets a message is signed with, in the order of its signatures."""
    found = []
    moment = left_at(post)
    for signature in post.headers["webhook-signature"].split():
        for secret in (SECRET, OTHER):
            text = post.body.decode()
            if Webhook(secret).sign(post.headers["webhook-id"], moment, text) == signature:
                found.append(secret)
    assert len(found) == len(post.headers["webhook-signature"].split())
    return found


def fail_for(office: Office, span: timedelta) -> None:
    """Let every attempt fail for a time, with a message of its own every half day."""
    end, number = office.now + span, 0
    office.redirect("/status/500")
    while office.now < end and find(office).state == "active":
        if number % 12 == 0:
            say(office, f"msg_{office.now:%m%d%H}")
        if not office.is_idle():
            office.deliver()
        number += 1
        office.now += HOUR
    office.now = end


def test_what_is_for_a_paused_endpoint_comes_in_order_when_it_is_resumed(office: Office) -> None:
    office.subscribe()
    say(office, "msg_2", "msg_1")
    say(office, "short", until=office.now + HOUR)
    pause(office)
    assert states(office) == ["held"] * 3
    office.publish("it:\n  summary: It\n  start: 2025-09-01\n")
    say(office, "msg_0")
    office.now += DAY
    assert states(office) == ["held"] * 5
    assert told(office) == []
    change(office, options=Options(rate=1))  # or one could overtake another on its way
    assert resume(office) == Released(4, 0, 1)
    while "pending" in states(office):
        office.now += MINUTE
    rows = office.deliveries()
    assert [row.state for row in rows] == [*["delivered"] * 2, "expired", *["delivered"] * 2]
    assert told(office) == [row.message_id for row in rows if row.state == "delivered"]
    assert told(office)[:2] == ["msg_2", "msg_1"]


def test_an_attempt_that_is_on_its_way_when_its_endpoint_is_paused_is_recorded(
    office: Office,
) -> None:
    office.subscribe()
    say(office, "msg_1", "msg_2")
    with office.database.write() as connection:
        first, second = prepare_requests(connection, claims.claim(connection, NOW, 2), lambda: NOW)
    pause(office)
    failing = second._replace(url=office.receiver.url("/status/500"))
    office.sender.submit([first, failing])
    outcomes = collect(office.sender, 2)
    with office.database.write() as connection:
        record_outcomes(connection, outcomes, NOW, lambda: 0.5)
    assert sorted(row.state for row in office.deliveries()) == ["delivered", "held"]
    assert {row.attempts for row in office.deliveries()} == {1}
    assert resume(office) == Released(1, 0, 0)
    office.now += MINUTE
    assert states(office) == ["delivered", "delivered"]
    assert len(told(office)) == 3


def test_what_a_worker_takes_for_a_paused_endpoint_it_holds(office: Office) -> None:
    """Claimed before the pause and prepared after it, or retried by hand."""
    office.subscribe()
    say(office, "msg_1")
    with office.database.write() as connection:
        taken = claims.claim(connection, NOW, 1)
    pause(office)
    with office.database.write() as connection:
        assert prepare_requests(connection, taken, lambda: NOW) == []
    assert [row.state for row in office.deliveries()] == ["held"]
    assert resume(office) == Released(1, 0, 0)
    assert states(office) == ["delivered"], "at once, as no attempt was on its way"


def test_an_endpoint_that_fails_for_five_days_is_disabled_and_told_of_once(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.subscribe()
    begun = office.now
    with caplog.at_level(logging.ERROR, "calfeed"):
        fail_for(office, DISABLE_AFTER - HOUR)
        assert find(office).state == "active"
        assert find(office).failing_since == begun
        assert "disabled" not in caplog.text
        fail_for(office, DAY)
    found = find(office)
    assert (found.state, found.failing_since) == ("disabled", begun)
    assert found.reason == f"every attempt since {begun:%Y-%m-%d %H:%M} UTC has failed"
    assert caplog.text.count("endpoint end_1 is disabled") == 1
    assert "calfeed endpoint resume end_1" in caplog.text
    tried, said = len(told(office)), set(told(office))
    office.now += DAY
    say(office, "later")
    assert set(states(office)) == {"failed", "held"}
    assert len(told(office)) == tried
    office.redirect("/status/204")
    resume(office)
    assert set(states(office)) == {"delivered"}
    assert set(told(office)[tried:]) == {*said, "later"}
    assert len(told(office)[tried:]) == len({*said, "later"})
    assert (find(office).failing_since, find(office).reason) == (None, None)


def test_a_success_in_between_starts_the_five_days_anew(office: Office) -> None:
    office.subscribe()
    fail_for(office, 3 * DAY)
    office.redirect("/status/204")
    say(office, "msg_ok")
    office.deliver()
    assert find(office).failing_since is None
    fail_for(office, DISABLE_AFTER - HOUR)
    assert find(office).state == "active"


def test_a_short_fault_long_after_the_last_message_failed_disables_nothing(
    office: Office,
) -> None:
    office.subscribe("/status/500")
    say(office, "msg_1", until=office.now + MINUTE)
    office.deliver()
    office.now += 30 * DAY
    say(office, "msg_2")
    office.deliver()
    assert find(office).state == "active"
    office.redirect("/status/204")
    office.now += MINUTE
    assert states(office)[-1] == "delivered"
    assert find(office).failing_since is None


def test_a_receiver_that_says_it_is_gone_gets_what_it_missed_when_it_is_back(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.subscribe("/status/410")
    say(office, "msg_1", "msg_2")
    with caplog.at_level(logging.ERROR, "calfeed"):
        office.deliver()
    assert (find(office).state, find(office).since) == ("disabled", office.now)
    assert "410" in (find(office).reason or "")
    assert caplog.text.count("endpoint end_1 is disabled") == 1
    tried = len(told(office))
    office.now += DAY
    say(office, "msg_3")
    assert states(office)[-1] == "held"
    office.redirect("/status/204")
    assert resume(office) == Released(3, 0, 0)
    assert states(office) == ["delivered"] * 3
    assert sorted(told(office)[tried:]) == ["msg_1", "msg_2", "msg_3"]


def test_during_a_rotation_both_secrets_sign_and_afterwards_only_the_new_one(
    office: Office,
) -> None:
    office.subscribe()
    say(office, "before")
    office.deliver()
    with office.database.write() as connection:
        rotated = lock_endpoint(connection, "end_1").rotate(OTHER, office.now)
        lifecycle.change_endpoint(connection, rotated, office.now)
    for step, name in (
        (SECOND, "first"),
        (ROTATION_PERIOD - 2 * SECOND, "last"),
        (SECOND, "after"),
    ):
        office.now += step
        say(office, name)
        office.deliver()
    assert told(office) == ["before", "first", "last", "after"]
    assert [signers(post) for post in office.receiver.posts] == [
        [SECRET],
        [OTHER, SECRET],
        [OTHER, SECRET],
        [OTHER],
    ]


def test_what_waits_in_line_is_signed_with_the_secrets_of_when_it_leaves(office: Office) -> None:
    office.subscribe()
    with office.database.write() as connection:
        rotated = lock_endpoint(connection, "end_1").rotate(OTHER, office.now)
        lifecycle.change_endpoint(connection, rotated, office.now)
    say(office, "msg_1")
    with office.database.write() as connection:
        taken = claims.claim(connection, office.now, 1)
        requests = prepare_requests(connection, taken, lambda: office.now)
    office.now += ROTATION_PERIOD
    office.sender.submit(requests)
    collect(office.sender, 1)
    assert [signers(post) for post in office.receiver.posts] == [[OTHER]]


@contextmanager
def two_workers(office: Office) -> Iterator[tuple[Worker, Worker]]:
    with PatientSender(allow_private=True) as sender:
        first = office.make_worker()
        second = Worker(office.database, sender, BASE, lambda: office.now, lambda: 0.5)
        with working(first), working(second):
            yield first, second


def test_a_rate_holds_for_two_workers_over_retries_and_a_resume_and_nobody_starves(
    office: Office,
) -> None:
    """Six posts a minute, counted by when they were signed; another endpoint is not in its way."""
    office.subscribe("/status/500")
    office.subscribe("/text", name="end_2")
    change(office, options=Options(rate=6))
    begun = office.now
    say(office, *(f"msg_{number}" for number in range(15)))
    say(office, *(f"other_{number}" for number in range(15)), to="end_2")
    with two_workers(office) as workers:
        for step in range(60):
            if step == 12:
                pause(office)
            if step == 18:
                office.redirect("/status/204")
                resume(office)
            for worker in workers:
                worker.wake()
            wait_until(lambda: office.is_done())
            if step == 6:
                assert sum(post.path == "/text" for post in office.receiver.posts) == 15
            office.now += 5 * SECOND
    times = sorted(left_at(post) for post in office.receiver.posts if post.path != "/text")
    for begin in times:
        assert sum(begin <= at < begin + MINUTE for at in times) <= 6
    # Half a minute of it was a pause, and the second attempts wait for five minutes.
    assert len(times) >= 6 * ((office.now - begun) / MINUTE - 1) * 0.8


def test_quiet_hours_hold_what_can_wait(office: Office) -> None:
    office.subscribe()
    quiet = QuietHours(begin=time(12), end=time(18))
    change(office, options=Options(quiet=quiet, time_zone="Europe/Paris"))  # 10 to 16 UTC
    say(office, "can_wait")
    say(office, "until_five", until=NOW.replace(hour=17))
    say(office, "cannot", until=NOW.replace(hour=15))
    office.deliver()
    assert told(office) == ["cannot"]
    office.now = NOW.replace(hour=16) - SECOND
    office.deliver()
    assert told(office) == ["cannot"]
    office.now += SECOND
    assert states(office) == ["delivered"] * 3
    assert {row.attempts for row in office.deliveries()} == {1}


def test_an_endpoints_own_headers_arrive_and_are_in_no_log_and_no_repr(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.subscribe("/status/500")
    change(office, headers={"Authorization": "Bearer hunter2", "X-Desk": "hunter2"})
    say(office, "msg_1")
    with caplog.at_level(logging.DEBUG), office.database.write() as connection:
        (request,) = prepare_requests(connection, claims.claim(connection, NOW, 1), lambda: NOW)
        office.sender.submit([request])
        outcomes = collect(office.sender, 1)
        record_outcomes(connection, outcomes, NOW, lambda: 0.5)
    (post,) = office.receiver.posts
    assert (post.headers["authorization"], post.headers["x-desk"]) == ("Bearer hunter2", "hunter2")
    assert post.headers["content-type"] == "application/json"
    assert signers(post) == [SECRET]
    for shown in (caplog.text, repr(request), repr(outcomes), repr(find(office))):
        assert "hunter2" not in shown


def test_a_message_whose_body_is_no_longer_kept_is_not_posted(office: Office) -> None:
    office.subscribe()
    message = replace(make_message("msg_1", office.now), body=b"")
    with office.database.write() as connection:
        add_delivery(connection, message, "end_1")
    assert states(office) == ["expired"]
    assert told(office) == []


def test_another_url_and_other_filters_hold_from_then_on(office: Office) -> None:
    office.subscribe("/status/500")
    say(office, "msg_1")
    office.deliver()
    change(office, url=office.receiver.url("/text"), filters=Filters(types=("reminder.due",)))
    office.publish("it:\n  summary: It\n  start: 2025-09-01\n")
    assert states(office) == ["delivered"]
    assert [post.path for post in office.receiver.posts] == ["/status/500", "/text"]
    assert json.loads(office.receiver.posts[0].body) == json.loads(office.receiver.posts[1].body)


def test_a_worker_sends_the_first_attempt_of_a_test_to_a_paused_endpoint(office: Office) -> None:
    """At any hour, too; another attempt is held with the rest."""
    office.subscribe("/status/500")
    quiet = QuietHours(begin=time(0), end=time(23, 59))
    change(office, options=Options(quiet=quiet))
    pause(office)
    made = request_test(office.database, "end_1", office.now)
    say(office, "msg_other")
    office.work(
        lambda: (
            {(row.id == made.id, row.state, row.attempts) for row in office.deliveries()}
            == {(True, "pending", 1), (False, "held", 0)}
        )
    )
    assert len(office.receiver.posts) == 1
    office.now += HOUR
    office.work(lambda: {row.state for row in office.deliveries()} == {"held"})
    assert len(office.receiver.posts) == 1
