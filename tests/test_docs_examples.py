"""The examples in docs/definitions.md and docs/receiving.md agree with what calfeed does."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import yaml

from calfeed.definitions import tree
from calfeed.definitions.calendar_files import MAX_EVENTS
from calfeed.definitions.keys import calendars as keys
from calfeed.definitions.keys.dates import (
    ClosureEntry,
    CorrectionEntry,
    DoneEntry,
    ReminderEntry,
    WorkingDaysEntry,
)
from calfeed.definitions.keys.entries import Entry
from calfeed.definitions.reader import read_definitions
from calfeed.definitions.recurrence.rules import read_rule
from calfeed.delivery.due import LATE_REMINDERS_PER_SECOND
from calfeed.errors import DefinitionError
from calfeed.ical.comparison.changes import EventChange, compare_revisions
from calfeed.model.dates.durations import parse_duration
from calfeed.model.events import Change, Event, Repeat
from calfeed.model.revision import ComparableRevision
from calfeed.model.texts import MAX_TEXT_LENGTH, MAX_URL_LENGTH
from calfeed.reminders.contract.examples import EVENT
from calfeed.reminders.contract.registry import TYPES
from calfeed.reminders.contract.schemas import show_example
from calfeed.reminders.digests import MAX_BYTES, MAX_ENTRIES
from calfeed.reminders.filters import OPERATIONAL_TYPES
from calfeed.reminders.messages import (
    LATE_AFTER,
    change_message,
    describe_event,
    describe_occurrences,
    reminder_message,
)
from calfeed.reminders.plan import GRACE, plan_reminders
from calfeed.reminders.retry import MAX_RETRY_AFTER, SCHEDULE
from tests.docs_pages import (
    DOCS,
    RECEIVING,
    blocks_of,
    codes_in,
    make_revision,
    rows_of,
)
from tests.message_catalogue import PAGE as PAGE_OF_MESSAGES
from tests.message_catalogue import write_page
from tests.test_docs_dates import make_caused_move

DEFINITIONS = (DOCS / "definitions.md").read_text("utf-8")
RIGHT, WRONG = DEFINITIONS.split("\n## When something is wrong\n")

HEAD = b"name: Grants\ntime_zone: Asia/Karachi\n"
START = "2024-09-27 10:30"  # a Friday, the last of its month
PAGE = "https://calendar.example.org/calendars/grants/report-due/"


# Definitions


@pytest.mark.parametrize("block", [*blocks_of("yaml", RIGHT), *blocks_of("yaml", RECEIVING)])
def test_every_example_is_read_without_a_problem(block: str) -> None:
    """One without a name is a file beside a calendar.yaml."""
    if block.startswith("events:"):
        files = {"events/grants/calendar.yaml": HEAD, "events/grants/more.yaml": block.encode()}
    else:
        files = {"events/grants.yaml": block.encode()}
    (calendar,) = read_definitions(files).calendars
    assert calendar.events


TABLES: dict[str, type[Entry]] = {
    "## A calendar": keys.CalendarFile,
    "## An event": keys.EventEntry,
    "## An online meeting": keys.ConferenceEntry,
    "## An organizer": keys.OrganizerEntry,
    "## A source": keys.SourceEntry,
    "## A reminder": ReminderEntry,
    "## Working days": WorkingDaysEntry,
    "## A closed day": ClosureEntry,
    "## Done": DoneEntry,
    "## A correction": CorrectionEntry,
    "## Repeating": keys.RepeatEntry,
    "## A changed occurrence": keys.ChangeEntry,
}


def put_in_file(entry: type[Entry], example: dict[str, Any]) -> dict[str, Any]:
    """A file with the example where the keys of the entry belong."""
    event: dict[str, Any] = {"summary": "Meeting", "start": START}
    calendar: dict[str, Any] = {"name": "Grants", "time_zone": "Asia/Karachi"}
    if entry is keys.CalendarFile:
        return calendar | example
    if entry is WorkingDaysEntry:
        calendar["working_days"] = example
    elif entry is ClosureEntry:
        calendar["working_days"] = {"closed": [{"date": "2030-12-31"} | example]}
    elif entry is keys.EventEntry:
        calendar["working_days"] = {"holidays": ["PK"]}
        counted = {"at", "roll"} & example.keys()
        event |= example | ({"start": "2 days after audit"} if counted else {})
    elif entry is DoneEntry:
        event["done"] = example
    elif entry is CorrectionEntry:
        event["correction"] = example
    elif entry is keys.ConferenceEntry:
        event["conference"] = {"url": "https://meet.example.org"} | example
    elif entry is keys.OrganizerEntry:
        event["organizer"] = {"name": "Desk", "email": "desk@example.org"} | example
    elif entry is keys.SourceEntry:
        event["sources"] = [{"title": "Letter"} | example]
    elif entry is ReminderEntry:
        event["reminders"] = [{"before": "1 day"} | example]
    elif entry is keys.RepeatEntry:
        event["repeat"] = {"rule": "FREQ=WEEKLY"} | example
    else:
        event["repeat"] = {"rule": "FREQ=WEEKLY", "changes": {"2024-10-04 10:30": example}}
    audit = {"summary": "Audit", "start": "2030-02-11"}
    return calendar | {"events": {"meeting": event, "audit": audit}}


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_is_described_and_no_other(heading: str) -> None:
    fields = TABLES[heading].model_fields
    known = {field.alias or name: field.is_required() for name, field in fields.items()}
    table = rows_of(heading, DEFINITIONS)
    assert {codes_in(key)[0]: "Required." in words for key, words, _ in table} == known


@pytest.mark.parametrize(
    ("heading", "key", "example"),
    [
        (heading, codes_in(key)[0], codes_in(example)[0])
        for heading in TABLES
        for key, _, example in rows_of(heading, DEFINITIONS)
    ],
)
def test_the_example_of_every_key_is_read_without_a_problem(
    heading: str, key: str, example: str
) -> None:
    written = yaml.load(example, Loader=yaml.BaseLoader)
    assert list(written) == [key]
    text = json.dumps(put_in_file(TABLES[heading], written), ensure_ascii=False)
    assert read_definitions({"events/grants.yaml": text.encode()}).calendars


@pytest.mark.parametrize(
    "rule", [codes_in(row[0])[0] for row in rows_of("## Repeating", DEFINITIONS, 1)]
)
def test_every_rule_that_is_shown_is_one(rule: str) -> None:
    def takes(day: date) -> bool:
        try:
            read_rule(rule, day)
        except ValueError:
            return False
        return True

    assert any(takes(date(2030, 1, 1) + timedelta(days=days)) for days in range(366))


def test_the_limits_are_the_ones_in_the_code() -> None:
    shown = [row[1].removesuffix(" each") for row in rows_of("## Limits", DEFINITIONS)]
    counts = (tree.MAX_DEPTH, tree.MAX_ALIASED_NODES, MAX_EVENTS, MAX_TEXT_LENGTH, MAX_URL_LENGTH)
    lists = (keys.MAX_REMINDERS, keys.MAX_LIST_ITEMS, keys.MAX_EXCEPTIONS)
    assert shown == [
        f"{tree.MAX_FILE_BYTES // 1024**2} MiB",
        *(f"{most:,}" for most in counts + lists),
    ]


@pytest.mark.parametrize(
    ("block", "told"), [*zip(blocks_of("yaml", WRONG), blocks_of("text", WRONG), strict=True)]
)
def test_what_is_said_of_a_wrong_file_is_what_the_reader_says(block: str, told: str) -> None:
    file = told.partition(":")[0]
    with pytest.raises(DefinitionError) as caught:
        read_definitions({file: block.encode()})
    assert str(caught.value) == told.rstrip("\n")


# Messages


def shown_event() -> Event:
    (block,) = blocks_of("yaml", RECEIVING)
    ((event,),) = (
        each.events for each in read_definitions({"events/grants.yaml": block.encode()}).calendars
    )
    return event


def make_messages() -> dict[str, dict[str, Any]]:
    """The example of every type of message."""
    return {name: show_example(name) for name in TYPES}


def test_the_examples_are_about_the_event_that_is_shown() -> None:
    assert shown_event() == EVENT


def test_the_bodies_that_are_shown_are_the_ones_that_are_sent() -> None:
    messages = make_messages() | read_operational()
    shown = [json.loads(block) for block in blocks_of("json", RECEIVING)]
    assert [body["type"] for body in shown] == [
        "reminder.due",
        "event.moved",
        "endpoint.test",
        "publish.refused",
    ]
    assert shown == [messages[body["type"]] for body in shown]


def make_change_of_an_occurrence() -> EventChange:
    """What the page's event would be as a series, one of whose times is put off."""
    event = shown_event().model_copy(update={"note": None})
    assert isinstance(event.start, datetime)
    week = timedelta(weeks=1)
    repeat = Repeat(rule="FREQ=WEEKLY;COUNT=3")
    put_off = Change(
        original=event.start + week,
        start=event.start + week + timedelta(days=1),
        summary={"en": "A report is due"},
    )
    before, after = (
        event.model_copy(update={"repeat": one})
        for one in (repeat, repeat.model_copy(update={"changes": (put_off,)}))
    )
    noted = after.model_copy(update={"note": {"en": "A holiday"}})
    return compare_revisions(
        ComparableRevision(make_revision(before, 0)), ComparableRevision(make_revision(noted, 1))
    )


def test_every_type_is_listed_with_the_keys_of_its_data() -> None:
    listed = {
        codes_in(kind)[0]: set(codes_in(data))
        for kind, _, data in rows_of("## The messages", RECEIVING)
    }
    sent = {kind: set(body["data"]) for kind, body in make_messages().items()}
    moved = change_message(make_change_of_an_occurrence(), datetime(2030, 5, 2, tzinfo=UTC))
    caused = set(make_caused_move()) | set(json.loads(moved.body)["data"])
    sent["event.moved"] |= caused
    sent["event.changed"] |= caused - {"change"}
    assert listed == {kind: sent[kind] for kind in TYPES if kind not in OPERATIONAL_TYPES}


def read_operational() -> dict[str, Any]:
    return {kind: show_example(kind) for kind in OPERATIONAL_TYPES}


def test_every_operational_type_is_listed_with_the_keys_of_its_data() -> None:
    rows = rows_of("## Operational messages", RECEIVING)
    listed = {codes_in(kind)[0]: set(codes_in(data)) for kind, _, data in rows}
    sent = {kind: set(body["data"]) for kind, body in read_operational().items()}
    assert listed == sent
    described = rows_of("## Operational messages", RECEIVING, table=1)
    keys = {key for row in described for key in codes_in(row[0])}
    assert keys | {"text", "calendar"} == set().union(*sent.values())


def test_every_key_of_the_data_is_described_and_no_other() -> None:
    more = {"location": {"en": "Room 4"}, "url": PAGE, "repeat": Repeat(rule="FREQ=YEARLY")}
    full = make_revision(shown_event().model_copy(update=more), 0)
    table = rows_of("### `data.event`", RECEIVING)
    assert {key for row in table for key in codes_in(row[0])} == set(describe_event(full, PAGE))

    messages = make_messages()
    parts = messages["event.moved"]["data"] | messages["reminder.due"]["data"]
    names = ("occurrence", "reminder", "previous")
    table = rows_of("### `data.occurrence`, `data.reminder`, `data.previous`", RECEIVING)
    assert {key for row in table for key in codes_in(row[0]) if "." in key} == {
        f"{name}.{key}" for name in names for key in parts[name]
    } | {"occurrence.summary"}

    (one,) = describe_occurrences(make_change_of_an_occurrence())
    table = rows_of("### `data.occurrences`", RECEIVING)
    assert {key for row in table for key in codes_in(row[0])} == set(one)


def test_the_page_of_messages_is_made_from_the_registry() -> None:
    text = PAGE_OF_MESSAGES.read_text("utf-8")
    assert text == write_page(text), "write it anew: python -m tests.message_catalogue"


def test_a_rehearsal_is_marked_where_the_page_says() -> None:
    event = shown_event()
    begin = datetime(2030, 1, 1, tzinfo=UTC)
    (reminder,) = plan_reminders(event, begin, begin.replace(year=2031))
    message = reminder_message(reminder, make_revision(event, 1), begin, rehearsal="r1")
    assert json.loads(message.body)["rehearsal"] is True


def test_the_schedule_of_retries_is_the_one_in_the_code() -> None:
    table = rows_of("## Retries", RECEIVING)
    assert [int(attempt) for attempt, _ in table] == list(range(1, len(SCHEDULE) + 1))
    assert table[0][1] == "none"
    waits = [_span(wait) for _, wait in table[1:]]
    assert waits == list(SCHEDULE[1:])
    assert f"about {sum(waits, timedelta()) // timedelta(hours=1)} hours" in RECEIVING


def test_the_spans_of_lateness_are_the_ones_in_the_code() -> None:
    told = {
        "at least a minute late": LATE_AFTER,
        "ten minutes after it was due": GRACE,
        "postpone that by at most 24 hours": MAX_RETRY_AFTER,
        "within ten minutes after that": GRACE,
    }
    assert [words for words in told if words not in RECEIVING] == []
    assert [span.total_seconds() for span in told.values()] == [60, 600, 86_400, 600]


def test_the_bounds_of_digests_and_floods_are_the_ones_in_the_code() -> None:
    assert f"at most {MAX_ENTRIES} reminders or about {MAX_BYTES // 1000} KB" in RECEIVING
    assert f"sends {LATE_REMINDERS_PER_SECOND} late reminders per second" in RECEIVING


def _span(words: str) -> timedelta:
    if "second" in words:
        return timedelta(seconds=int(words.split()[0]))
    return timedelta(minutes=parse_duration(words).minutes)
