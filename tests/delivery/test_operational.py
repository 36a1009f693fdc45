"""What happens to endpoints, deliveries and reminders is reported to endpoints that ask for it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from calfeed.delivery.due import LateReminderPacer, fire_due
from calfeed.model.states import EndpointState
from calfeed.reminders.filters import OPERATIONAL, Filters
from calfeed.reminders.messages import Message
from calfeed.reminders.retry import SCHEDULE
from calfeed.services.endpoints import resume_endpoint
from calfeed.store.database import Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.outbox.messages import add_messages
from calfeed.store.tables import messages
from calfeed.store.watching.operational import add_operational
from tests.delivery.office import Office
from tests.delivery.receiver import PatientSender, Receiver, make_certificate, needs_openssl
from tests.patience import PATIENCE
from tests.publish.desk import BASE, NOW, STAY
from tests.store.keeping import make_message

ASKS = Filters(types=(OPERATIONAL,))
DAY = timedelta(days=1)


@pytest.fixture
def watched(office: Office) -> Office:
    """An office with an endpoint that gets messages, and one that gets operational ones."""
    office.subscribe()
    office.subscribe("/status/200", "watch", ASKS)
    return office


def say(office: Office, *names: str) -> None:
    """Keep messages for all endpoints that want them."""
    with office.database.write() as connection:
        add_messages(connection, [make_message(name, office.now) for name in names])


def reports(office: Office) -> list[dict[str, Any]]:
    """The operational messages that arrived, in order."""
    return [json.loads(post.body) for post in office.receiver.posts if post.path == "/status/200"]


def types(office: Office) -> list[str]:
    return [report["type"] for report in reports(office)]


def try_on(office: Office, attempts: int) -> None:
    """Let workers make the next attempts of a delivery, each at its time."""
    for wait in [timedelta(), *SCHEDULE[1:]][:attempts]:
        office.now += wait
        office.deliver()


def test_an_endpoint_fails_and_recovers(watched: Office) -> None:
    watched.redirect("/status/500")
    say(watched, "msg_1")
    try_on(watched, 3)
    assert types(watched) == [], "it may have been a restart"
    watched.now += SCHEDULE[3]
    watched.deliver()
    (report,) = reports(watched)
    assert report["type"] == "endpoint.failing"
    assert report["data"]["endpoint"] == {"id": "end_1", "description": ""}
    assert report["data"]["error"] == "status 500"
    since = report["data"]["since"]
    assert since == f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    watched.now += SCHEDULE[4]
    watched.deliver()
    assert len(reports(watched)) == 1, "it is reported once"
    watched.redirect("/status/204")
    watched.now += SCHEDULE[5]
    watched.deliver()
    assert types(watched) == ["endpoint.failing", "endpoint.recovered"]
    data = reports(watched)[1]["data"]
    assert (data["resumed"], data["since"]) == (False, since)


def test_a_failure_that_was_not_reported_has_no_recovery(watched: Office) -> None:
    watched.redirect("/status/500")
    say(watched, "msg_1")
    try_on(watched, 2)
    watched.redirect("/status/204")
    watched.now += SCHEDULE[2]
    watched.deliver()
    assert {row.state for row in watched.deliveries()} == {"delivered"}
    assert types(watched) == []


def test_an_endpoint_that_is_gone_is_disabled_until_it_is_resumed(watched: Office) -> None:
    watched.redirect("/status/410")
    say(watched, "msg_1")
    watched.deliver()
    (report,) = reports(watched)
    assert report["type"] == "endpoint.disabled"
    assert report["data"]["reason"] == "its receiver responded with 410 (gone)"
    watched.redirect("/status/204")
    resume_endpoint(watched.database, "end_1", watched.now)
    watched.deliver()
    assert types(watched) == ["endpoint.disabled", "endpoint.recovered"]
    assert reports(watched)[1]["data"]["resumed"] is True


def test_a_pause_is_nobodys_business(watched: Office) -> None:
    with watched.database.write() as connection:
        lifecycle.pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, watched.now)
        lifecycle.resume_endpoint(connection, "end_1", watched.now)
    assert watched.told() == []


def test_deliveries_that_are_given_up_are_reported_once_an_hour(watched: Office) -> None:
    watched.redirect("/status/500")
    say(watched, *(f"msg_{number}" for number in range(30)))
    try_on(watched, len(SCHEDULE))
    failed = [report["data"] for report in reports(watched) if report["type"] == "delivery.failed"]
    assert len(failed) == 1
    assert failed[0]["endpoint"]["id"] == "end_1"
    assert failed[0]["deliveries"][0]["type"] == "event.moved"
    assert failed[0]["deliveries"][0]["attempts"] == len(SCHEDULE)
    rows = [row for row in watched.deliveries() if row.endpoint_id == "end_1"]
    assert {row.state for row in rows} == {"failed"}


def test_reports_that_fail_lead_to_no_further_reports(office: Office) -> None:
    """Two endpoints that ask for reports, and whose receivers are both down."""
    for name in ("watch_1", "watch_2"):
        office.subscribe("/status/500", name, ASKS)
    office.subscribe("/status/410", "end_1")
    say(office, "msg_1")
    try_on(office, len(SCHEDULE))
    told = [subject.type for subject in office.told()]
    assert sorted(told) == [
        "endpoint.disabled",
        "endpoint.failing",
        "endpoint.failing",
        "event.moved",
    ]
    about = {row.endpoint_id for row in office.deliveries() if row.type == "endpoint.failing"}
    assert about == {"watch_1", "watch_2"}, "each gets the report about the other"


def test_receivers_that_registered_are_reported_together_and_without_names(
    office: Office,
) -> None:
    office.subscribe("/status/200", "watch", ASKS)
    office.publish(STAY.format(start="2025-06-30"))
    office.deliver()
    for name in ("reg_1", "reg_2"):
        office.subscribe("/status/500", name, Filters(public_only=True))
    office.subscribe("/status/410", "reg_3", Filters(public_only=True))
    with office.database.write() as connection:
        add_messages(connection, [make_message("msg_1", office.now)])
    try_on(office, len(SCHEDULE))
    assert {report["type"] for report in reports(office)} == {"delivery.failed"}
    with office.database.write() as connection:
        lifecycle.resume_endpoint(connection, "reg_3", office.now)
    office.deliver()
    failed = [report["data"] for report in reports(office)]
    assert [(one["kind"], one["endpoint"]) for one in failed] == [("registered", None)]
    assert "reg_" not in json.dumps(failed)


def test_two_workers_that_report_the_same_in_other_orders_wait_for_each_other(
    database: Database,
) -> None:
    added = [make_message(f"{number:04d}", NOW) for number in range(2_000)]
    together = Barrier(2)

    def report(ordered: list[Message]) -> None:
        with database.write() as connection:
            if not database.is_sqlite:  # which has one writer at a time
                together.wait(PATIENCE)
            add_operational(connection, ordered)

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(report, each) for each in (added, added[::-1])]:
            done.result(PATIENCE)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(messages)) == len(added)


def test_missed_reminders_are_reported_by_calendar_and_hour(watched: Office) -> None:
    watched.publish(STAY.format(start="2025-06-30"))
    watched.now = datetime.fromisoformat("2025-07-01T12:00:00+00:00")
    fire_due(watched.database, watched.now, BASE, LateReminderPacer())
    watched.deliver()
    (report,) = [one for one in reports(watched) if one["type"] == "reminder.missed"]
    assert (report["data"]["calendar"], report["data"]["count"]) == ("desk", 2)
    rules = {one["rule"] for one in report["data"]["reminders"]}
    assert rules == {"1 week before", "1 day before"}
    assert "The stay ends" not in json.dumps(report)


@needs_openssl
def test_a_certificate_that_expires_soon_is_reported_once(
    database: Database, tmp_path: Path
) -> None:
    """That of the tests is valid for two days."""
    certificate, context = make_certificate(tmp_path)
    with (
        Receiver(tls=context) as receiver,
        PatientSender(allow_private=True, ca_file=str(certificate)) as sender,
    ):
        office = Office(database, sender, receiver)
        office.now = datetime.now(UTC)
        office.subscribe(filters=Filters(types=("event.moved",)))
        office.subscribe("/status/204", "reg_1", Filters(public_only=True))
        office.subscribe("/status/200", "watch", ASKS)
        for number in range(3):
            say(office, f"msg_{number}")
            office.deliver()
        found = {report["data"]["endpoint"]["id"]: report for report in reports(office)}
        assert found.keys() <= {"end_1", "watch"}
        assert len(found) == len(reports(office)), "once for each endpoint"
        assert {report["type"] for report in found.values()} == {"certificate.expiring"}
        until = datetime.fromisoformat(found["end_1"]["data"]["until"])
        assert DAY < until - office.now <= 2 * DAY
