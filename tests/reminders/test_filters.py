"""Which messages an endpoint wants."""

from __future__ import annotations

import pytest

from calfeed.reminders.filters import Filters, Subject

SUBJECT = Subject(type="event.moved", calendar="un", event="un-day", categories=("a", "b"))


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(), True),
        (Filters(types=("event.moved", "reminder.due")), True),
        (Filters(types=("reminder.due",)), False),
        (Filters(calendars=("stay", "un")), True),
        (Filters(calendars=("stay",)), False),
        (Filters(events=("un/un-day",)), True),
        (Filters(events=("stay/un-day", "un-day")), False),
        (Filters(categories=("b", "c")), True),
        (Filters(categories=("c",)), False),
        (Filters(calendars=("un",), categories=("c",)), False),
        (Filters(calendars=("un",), categories=("a",), types=("event.moved",)), True),
    ],
)
def test_any_entry_of_each_list_that_asks_for_something(filters: Filters, wanted: bool) -> None:
    assert filters.want(SUBJECT) is wanted


def test_without_categories_no_category_is_wanted() -> None:
    subject = Subject(type="reminder.due", calendar="un", event="un-day")
    assert not Filters(categories=("a",)).want(subject)
    assert Filters().want(subject)
