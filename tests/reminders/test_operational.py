"""Operational messages: an example of each type, and that none says more than it may."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from calfeed.errors import Problem
from calfeed.reminders.contract.registry import FILTER_TYPES, MESSAGE_TYPES, TYPES
from calfeed.reminders.endpoint_values import list_faults
from calfeed.reminders.filters import (
    OPERATIONAL,
    OPERATIONAL_TYPES,
    Filters,
    Subject,
)
from calfeed.reminders.messages import Message
from calfeed.reminders.operational import messages as operational
from calfeed.reminders.operational.messages import (
    KEEP_SENDING,
    MAX_LISTED,
    TITLES,
    EndpointName,
    FailedDelivery,
    SilentProcess,
)
from calfeed.reminders.plain_text import format_notification

NOW = datetime(2030, 1, 7, 6, 20, tzinfo=UTC)
SINCE = datetime(2030, 1, 7, 5, 40, tzinfo=UTC)
DESK = EndpointName("ep_f282773a29b74c6e", "Grants desk")
PROBLEM = Problem("events/grants.yaml", 14, 5, "events.report-due.start", '"soon" is not a date')
SILENT = SilentProcess("0f", "one.example", 4711, "0.2.0", SINCE)


def make_examples() -> dict[str, Message]:
    """A message of each operational type."""
    return {kind: TYPES[kind].example() for kind in OPERATIONAL_TYPES}


TEXTS = {
    "endpoint.failing": (
        f"Endpoint {DESK} is failing: every attempt since 2030-01-07 05:40 UTC; status 503"
    ),
    "endpoint.disabled": (
        f"Endpoint {DESK} is disabled: its receiver responded with 410 (gone); "
        "its deliveries are held until it is resumed"
    ),
    "endpoint.recovered": (
        f"Endpoint {DESK} receives again; it had been failing since 2030-01-07 05:40 UTC"
    ),
    "delivery.failed": (
        f"1 delivery to {DESK} has failed for good; others that fail before 07:00 UTC "
        "are not reported"
    ),
    "publish.refused": (
        "The definitions were not published: 1 problem, the first in events/grants.yaml:14; "
        "the state of 2030-01-07 05:40 UTC remains"
    ),
    "reminder.missed": (
        "3 reminders of grants were too late and not sent; others that are missed before "
        "07:00 UTC are not reported"
    ),
    "worker.silent": (
        "The worker on one.example (4711) has been silent since 2030-01-07 05:40 UTC; "
        "1 other worker running"
    ),
    "certificate.expiring": (
        f"The certificate of the receiver of endpoint {DESK} expires at 2030-01-16 06:20 UTC"
    ),
}


def body_of(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(message.body)
    return body


def test_there_is_a_message_of_each_type_with_a_title() -> None:
    assert tuple(make_examples()) == OPERATIONAL_TYPES
    assert tuple(TITLES) == OPERATIONAL_TYPES


@pytest.mark.parametrize("kind", OPERATIONAL_TYPES)
def test_each_says_in_one_line_what_happened(kind: str) -> None:
    message = make_examples()[kind]
    body = body_of(message)
    assert body["type"] == kind
    assert body["timestamp"] == "2030-01-07T06:20:00.000Z"
    assert body["data"]["text"] == message.text == TEXTS[kind]
    assert message.until == NOW + KEEP_SENDING
    shown = format_notification(message.body)
    assert (shown.title, shown.text) == (TITLES[kind], TEXTS[kind])


def test_only_endpoints_that_name_a_type_get_it_and_registered_ones_never() -> None:
    for kind in OPERATIONAL_TYPES:
        subject = make_examples()[kind].subject
        assert not Filters().want(subject)
        assert not Filters(types=MESSAGE_TYPES).want(subject)
        for named in (kind, OPERATIONAL):
            assert Filters(types=("reminder.due", named)).want(subject)
            assert not Filters(types=(named,), public_only=True).want(subject)


def test_an_endpoint_that_names_operational_types_only_gets_no_others() -> None:
    for kind in MESSAGE_TYPES:
        assert not Filters(types=(OPERATIONAL,)).want(Subject(type=kind, calendar="a", event="b"))


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(calendars=("grants",)), True),
        (Filters(calendars=("court",)), False),
        (Filters(events=("grants/other",)), True),
        (Filters(events=("court/ruling",)), False),
        (Filters(categories=("report",)), True),
    ],
)
def test_missed_reminders_are_told_by_calendar(filters: Filters, wanted: bool) -> None:
    """An endpoint that may know of one calendar only does not learn of others."""
    named = filters.model_copy(update={"types": (OPERATIONAL,)})
    examples = make_examples()
    assert named.want(examples["reminder.missed"].subject) is wanted
    assert named.want(examples["worker.silent"].subject)


def test_a_registered_endpoint_cannot_ask_for_them() -> None:
    asked = Filters(types=("endpoint.disabled", OPERATIONAL))
    assert list(list_faults(asked)) == []
    assert list(list_faults(Filters(types=FILTER_TYPES))) == []
    faults = list(list_faults(asked.model_copy(update={"public_only": True})))
    assert [fault.place for fault in faults] == ["filters/types/0", "filters/types/1"]
    assert all("is not a message type" in fault.message for fault in faults)
    assert "operational" not in faults[0].message


def test_what_happens_again_within_the_hour_is_the_same_message() -> None:
    failed = [FailedDelivery(7, "reminder.due", 10)]
    other = EndpointName("ep_2")
    ids = [
        operational.delivery_failed("webhook", receiver, failed, NOW + later).id
        for receiver, later in [
            (DESK, timedelta()),
            (DESK, timedelta(minutes=39)),
            (DESK, timedelta(minutes=40)),
            (other, timedelta()),
            (None, timedelta()),
        ]
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_lists_are_short_and_numbers_are_whole() -> None:
    failed = [FailedDelivery(number, "event.moved", 10) for number in range(500)]
    data = body_of(operational.delivery_failed("webhook", DESK, failed, NOW))["data"]
    assert data["count"] == 500
    assert len(data["deliveries"]) == MAX_LISTED
    problems = [PROBLEM] * 500
    data = body_of(operational.publish_refused("problems", problems, None, "d", NOW))["data"]
    assert data["count"] == 500
    assert len(data["problems"]) == MAX_LISTED


def test_a_refused_publish_shows_places_and_no_text_of_a_definition() -> None:
    """A message of a problem can quote a private calendar."""
    message = make_examples()["publish.refused"]
    assert "soon" not in message.body.decode()
    assert body_of(message)["data"]["problems"] == [
        {
            "file": "events/grants.yaml",
            "line": 14,
            "column": 5,
            "key": "events.report-due.start",
        }
    ]
