"""The dates in docs/dates.md and docs/receiving.md are those that calfeed calculates."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
import yaml

from calfeed.definitions.formats.starts import RelativeDate, UncertainDate, parse_start
from calfeed.definitions.keys.dates import ReminderEntry
from calfeed.definitions.reader import read_definitions
from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.comparison.shifts import Shift
from calfeed.model.dates.dating import Done, Hold, OnHold
from calfeed.model.events import Event
from calfeed.reminders.date_json import describe_dating
from calfeed.reminders.messages import change_message
from tests.docs_pages import (
    DOCS,
    RECEIVING,
    blocks_of,
    codes_in,
    make_revision,
    rows_of,
    section_of,
)

DATES = (DOCS / "dates.md").read_text("utf-8")


def read_examples() -> list[tuple[dict[str, bytes], dict[str, str]]]:
    """The examples of docs/dates.md: files, and the dates that the page says they give.

    Blocks that name their files belong together; another one is a folder of its own.
    """
    examples: list[tuple[dict[str, bytes], dict[str, str]]] = []
    joined = False
    parts = re.findall(r"^```yaml\n((?:.*\n)*?)```$|((?:^\|.*\n)+)", DATES, re.MULTILINE)
    for block, table in parts:
        if block:
            named = re.match(r"# (events/\S+)\n", block)
            if not (named and joined):
                examples.append(({}, {}))
            examples[-1][0][named[1] if named else "events/desk.yaml"] = block.encode()
            joined = named is not None
        elif table.startswith("| Event | Date |"):
            rows = [codes_in(line) for line in table.splitlines()[2:]]
            examples[-1][1].update((name, day) for name, day in rows)
            joined = False
    return examples


EXAMPLES = read_examples()


def write_date(event: Event) -> str:
    span, start = event.span, event.start
    if span is not None and span.days > 1:
        return f"{span.earliest}..{span.latest}"
    return f"{start:%Y-%m-%d %H:%M}" if isinstance(start, datetime) else str(start)


@pytest.mark.parametrize(("files", "dates"), EXAMPLES)
def test_every_example_of_a_date_gives_the_dates_that_the_page_says(
    files: dict[str, bytes], dates: dict[str, str]
) -> None:
    defined = read_definitions(files)
    events = {event.slug: event for each in defined.calendars for event in each.events}
    assert events
    assert defined.warnings == ()
    assert {slug: write_date(events[slug]) for slug in dates} == dates


def find_deadline(words: str) -> Event:
    """The deadline of the only example that has these words."""
    (files,) = (files for files, _ in EXAMPLES if words in b"".join(files.values()).decode())
    (event,) = (
        event
        for each in read_definitions(files).calendars
        for event in each.events
        if event.kind == "deadline"
    )
    return event


def test_the_reminders_of_a_deadline_are_sent_when_the_page_says() -> None:
    event = find_deadline("the last hour")
    due = [event.find_due(rule, event.start, event.end) for rule in event.reminders]
    table = rows_of("## Deadlines", DATES)
    assert [codes_in(sent)[0] for _, sent in table] == [f"{each:%Y-%m-%d %H:%M}" for each in due]


def test_a_date_is_provisional_until_its_holidays_are_proclaimed_as_the_page_says() -> None:
    estimated = find_deadline("# events/estimated.yaml").derivation
    proclaimed = find_deadline("Kashmir Solidarity Day").derivation
    assert estimated is not None
    assert proclaimed is not None
    assert (estimated.provisional, proclaimed.provisional) == (True, False)


def test_every_form_of_an_uncertain_date_that_is_shown_is_read() -> None:
    table = rows_of("## Dates that are not certain yet", DATES, 1)
    forms = [form for _, written, _ in table for form in codes_in(written)]
    assert len(forms) > 10
    for form in forms:
        assert isinstance(parse_start(form), UncertainDate)


def test_every_form_of_a_counted_date_that_is_shown_is_read() -> None:
    (table,) = re.findall(r"^\| Write \| Means \|\n((?:\|.*\n)+)", DATES, re.MULTILINE)
    forms = [codes_in(row)[0] for row in table.splitlines()[1:]]
    assert len(forms) > 5
    for form in forms:
        assert isinstance(parse_start(form), RelativeDate)


def test_every_form_of_a_reminder_that_is_shown_is_read() -> None:
    table = rows_of("## Deadlines", DATES, 1)
    for form in [form for written, _ in table for form in codes_in(written)]:
        ReminderEntry.model_validate(yaml.load(form, Loader=yaml.BaseLoader))


def test_every_shift_of_a_date_is_explained() -> None:
    table = rows_of("## Dates that are not certain yet", DATES, 3)
    assert [codes_in(name)[0] for name, _ in table] == [*Shift]


# Messages


def read_petition(ruling: str) -> Event:
    """The page's event that is counted from the ruling, with another date of that."""
    (files,) = (files for files, _ in EXAMPLES if b"petition" in b"".join(files.values()))
    text = files["events/desk.yaml"].replace(b"start: 2030-06}", f"start: {ruling}}}".encode())
    (calendar,) = read_definitions({"events/court.yaml": text}).calendars
    return next(event for event in calendar.events if event.slug == "petition")


def make_caused_move() -> dict[str, Any]:
    """The data of a message about a date that moved because its cause did."""
    before, after = (
        make_revision(read_petition(ruling), number)
        for number, ruling in enumerate(("2030-06", "2030-06-18"))
    )
    message = change_message(EventChange(Kind.MOVED, before, after), after.modified)
    data: dict[str, Any] = json.loads(message.body)["data"]
    return data


def test_the_data_of_a_date_that_moved_with_its_cause_is_as_shown() -> None:
    (shown,) = blocks_of("text", section_of("### Changes of dates", RECEIVING))
    sent = make_caused_move()
    assert json.loads(shown) == {key: sent[key] for key in sent if key != "event"}


def test_every_key_about_a_date_is_described_and_no_other() -> None:
    uncertain = read_petition("2030-06")
    waiting = uncertain.derivation and uncertain.model_copy(
        update={
            "on_hold": OnHold(why=Hold.WAITING, cause=uncertain.derivation.cause),
            "done": Done(),
        }
    )
    assert waiting
    made = describe_dating(waiting)
    names = {f"{name}.{key}" for name, parts in made.items() for key in parts}
    (counted,) = made["counted"]["sums"][:1]
    names |= {f"counted.sums.{key}" for key in counted}
    table = rows_of("### The date of an event", RECEIVING)
    assert {key for row in table for key in codes_in(row[0])} == names
    table = rows_of("### The date of an event", RECEIVING, 1)
    assert {key for row in table for key in codes_in(row[0])} == set(made["counted"]["from"])

    table = rows_of("### Changes of dates", RECEIVING)
    (change,) = (codes_in(text) for name, text in table if codes_in(name) == ["change"])
    assert set(change) == set(Shift)
    shown = {key for name, _ in table for key in codes_in(name)}
    assert shown == {"change", "cause.text", "cause.previous"} | {
        f"cause.{key}" for key in ("holidays", "added", "removed")
    }
