"""The content of a digest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calfeed.model.revision import Revision
from calfeed.reminders import digests
from calfeed.reminders.digests import DigestEntry, digest_id, digest_message, split_entries
from calfeed.reminders.messages import reminder_message
from calfeed.reminders.plan import plan_reminders
from tests.ical.defining import define_event

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
FAR = NOW + timedelta(days=400)


def tell(text: str) -> list[DigestEntry]:
    """The messages of an event's reminders, each made when it is due."""
    event = define_event(text)
    revision = Revision(event=event, sequence=0, created=NOW, modified=NOW)
    found = []
    for one in plan_reminders(event, NOW, FAR):
        message = reminder_message(one, revision, one.due)
        found.append(DigestEntry(message.id, message.body, one.occurrence.begins, one.until))
    return found


def read(told: list[DigestEntry], at: datetime = NOW) -> Any:
    return json.loads(digest_message("msg_d", told, at).body)


def test_a_digest_has_the_data_of_each_reminder_nearest_occurrence_first() -> None:
    late, soon = (
        tell("start: 2025-07-30\nreminders: [1 week]"),
        tell("start: 2025-06-30 10:00\nreminders: [1 day]"),
    )
    body = read([*late, *soon])
    assert body["type"] == "reminder.digest"
    first, second = body["data"]["reminders"]
    assert first["occurrence"]["start"] == "2025-06-30T10:00:00+05:00"
    own = json.loads(late[0].body)["data"]
    assert {**second, "text": ""} == {**own, "text": ""}


def test_its_line_for_people_names_each_date_once_and_a_few_in_full() -> None:
    two_rules = tell("start: 2025-06-03 10:00\nreminders: [2 hours, 1 hour]")
    assert read(two_rules)["data"]["text"] == "1 date: It: 3 June 2025, 10:00 PKT, in 1 day"
    week = tell("start: 2025-06-03\nreminders: [1 day]\nrepeat: {rule: FREQ=DAILY;COUNT=7}")
    text = read(week)["data"]["text"]
    assert text.startswith("7 dates: It: 3 June 2025, in 2 days; It: 4 June 2025, in 3 days; ")
    assert text.endswith("It: 7 June 2025, in 6 days; and 2 more")


def test_distances_are_those_of_the_digest_and_not_of_when_each_was_due() -> None:
    told = tell("start: 2025-06-30\nreminders: [1 week]")
    assert "in 7 days" in json.loads(told[0].body)["data"]["text"]
    (data,) = read(told, datetime(2025, 6, 29, 6, tzinfo=UTC))["data"]["reminders"]
    assert data["text"] == "It: 30 June 2025, tomorrow"


def test_an_occurrence_goes_by_its_own_name() -> None:
    told = tell(
        "start: 2025-06-30\nreminders: [1 day]\n"
        "repeat: {rule: FREQ=DAILY;COUNT=2, changes: {2025-07-01: {summary: The last}}}"
    )
    first, last = read(told)["data"]["reminders"]
    assert first["text"].startswith("It: ")
    assert "summary" not in first["occurrence"]
    assert last["text"].startswith("The last: ")


def test_a_digest_matters_as_long_as_any_of_its_dates() -> None:
    told = tell("start: 2025-06-30\nreminders: [1 day]\nrepeat: {rule: FREQ=DAILY;COUNT=3}")
    assert digest_message("msg_d", told, NOW).until == max(one.until for one in told)


def test_a_digest_is_bounded_in_number_and_in_bytes() -> None:
    (one,) = tell("start: 2025-06-30\nreminders: [1 day]")
    many = [
        replace(one, message_id=f"msg_{number:04}") for number in range(2 * digests.MAX_ENTRIES + 1)
    ]
    parts = list(split_entries(reversed(many)))
    assert [len(part) for part in parts] == [digests.MAX_ENTRIES, digests.MAX_ENTRIES, 1]
    assert [told for part in parts for told in part] == many
    half = replace(one, body=b" " * (digests.MAX_BYTES // 2))
    huge = replace(one, body=b" " * (digests.MAX_BYTES + 1))
    sizes = [len(part) for part in split_entries([half, half, half, huge, half])]
    assert sizes == [2, 1, 1, 1]
    assert list(split_entries([])) == []


def test_the_same_digest_has_the_same_name_and_another_one_another() -> None:
    (one,) = tell("start: 2025-06-30\nreminders: [1 day]")
    name = digest_id("end_1", NOW, [one])
    assert name == digest_id("end_1", NOW, [one])
    others = [
        digest_id("end_2", NOW, [one]),
        digest_id("end_1", FAR, [one]),
        digest_id("end_1", NOW, [replace(one, message_id="msg_2")]),
        digest_id("end_1", NOW, [replace(one, digest=name)]),
    ]
    assert len({name, *others}) == 5
