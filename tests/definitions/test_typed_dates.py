"""Wrong forms of uncertain, counted and postponed dates are explained with the right form."""

from __future__ import annotations

import re
from datetime import date

import pytest

from calfeed.definitions.formats.starts import parse_start
from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError

TODAY = date(2026, 11, 28)
HEAD = "name: Desk\ntime_zone: Asia/Karachi\n"


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        # Counted from another event.
        ("14 days from ruling", "14 days after ruling"),
        ("within 14 days of the ruling", "14 days after ruling"),
        ("ruling + 14 days", "14 days after ruling"),
        ("ruling+14d", "14 days after ruling"),
        ("hearing - 3 working days", "3 working days before hearing"),
        ("3 business days prior to hearing", "3 working days before hearing"),
        ("at least 3 clear days before hearing", "3 clear days before hearing"),
        ("3 clear court days before hearing", "3 clear working days before hearing"),
        ("3 weekdays before hearing", "3 working days before hearing"),
        ("3 days in advance of hearing", "3 days before hearing"),
        ("two months following court/hearing", "two months after court/hearing"),
        ("a week after ruling", "1 week after ruling"),
        ("a fortnight after ruling", "2 weeks after ruling"),
        ("the day after ruling", "1 day after ruling"),
        ("last working day before hearing", "1 working day before hearing"),
        ("on the day of hearing", "0 days after hearing"),
        ("the monday following ruling", "monday after ruling"),
        ("14 days after Supreme Court ruling", "14 days after supreme-court-ruling"),
        # Uncertain.
        ("end of June 2030", "late June 2030"),
        ("the beginning of June 2030", "early June 2030"),
        ("middle of Sept 2030", "mid-September 2030"),
        ("06/2030", "2030-06"),
        ("2030/06", "2030-06"),
        ("2030-06-XX", "2030-06"),
        ("juin 2030", "2030-06"),
        ("Q3/2030", "2030-Q3"),
        ("3Q 2030", "2030-Q3"),
        ("late 2030", "2030-Q4"),
        ("mid 2030", "2030-05..2030-08"),
        ("2030-W24", "2030-06-10..2030-06-16"),
        ("week of 12 June 2030", "2030-06-10..2030-06-16"),
        ("3-7 June 2030", "2030-06-03..2030-06-07"),
        ("2030-06-03/2030-06-07", "2030-06-03..2030-06-07"),
        ("around 14 June 2030", "2030-06-03..2030-06-07"),
        ("2030-06~", "mid-June 2030"),
        ("2030-06-15 TBC", "2030-06-15 time to be confirmed"),
        ("June 2030 (tbc)", "June 2030"),
        ("tbc", "2027-06-14 time to be confirmed"),
        # On hold.
        ("adjourned sine die", "postponed"),
        ("postponed until further notice", "postponed"),
        ("unknown", "postponed"),
    ],
)
def test_the_form_that_is_advised_is_one_that_is_read(typed: str, form: str) -> None:
    with pytest.raises(ValueError, match=re.escape(form)):
        parse_start(typed, TODAY)
    assert parse_start(form, TODAY)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("end of June 2030", "or 2030-06-30 for the last day"),
        ("by 30 June 2030", 'write "start: 2030-06-30" and "kind: deadline"'),
        ("before 30 June 2030", 'the last day with "kind: deadline"'),
        ("2030-06-15 17:00 TBC", 'write "start: 2030-06-15 17:00" and "status: tentative"'),
        ("24 hours after ruling", "a date is counted in days, weeks or months"),
        ("after ruling", "write it like 14 days after ruling"),
    ],
)
def test_what_has_another_key_or_no_form_is_explained(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_start(typed, TODAY)


def read(text: str) -> list[str]:
    try:
        read_definitions({"events/x.yaml": text.encode()}, today=TODAY)
    except DefinitionError as error:
        return [problem.message for problem in error.problems]
    return []


COUNTED = 'a date that is counted from another event is written in its start, such as "start: '
SPAN = "an uncertain date is written in its start, such as "
EVENTS = {
    "start: 2030-06-14, after: ruling": COUNTED,
    "deadline_of: ruling": COUNTED,
    "depends_on: ruling": COUNTED,
    "start: 2030-06-14, offset: 3 days": COUNTED,
    "start: 2030-06-14, precision: month": f'{SPAN}"start: 2030-06"',
    "start: 2030-06-14, postponed: true": 'write "start: postponed"',
    "start: 2030-06-14, status: postponed": 'write "start: postponed"',
    "start: 2030-06-14, status: done": 'write "done: met" or "done: waived"',
    "start: 2030-06-14, completed: yes": 'did you mean "done"?',
    "start: 2030-06-14, was: 2030-06-12": 'did you mean "correction"?',
    "start: 2030-06-14, embargo_until: 2030-06-12": 'did you mean "embargo"?',
    'start: 2030-06-14, at: "17:00"': 'write "start: 2030-06-14 17:00"',
    "start: 2030-06-14, done: gone": 'must be met, waived or a day such as 2030-06-12, not "gone"',
    "start: 2030-06-14, done: yes": '(perhaps "met")',
    "start: 2030-06-14, done: {as: dropped}": '(perhaps "waived")',
}


@pytest.mark.parametrize(("keys", "words"), EVENTS.items())
def test_a_key_for_what_has_another_place_is_explained_once(keys: str, words: str) -> None:
    (message,) = read(HEAD + f"events:\n  e: {{summary: E, {keys}}}\n")
    assert words in message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("holidays: PK", 'write "working_days: {holidays: [PK]}"'),
        ("bank_holidays: [GB-ENG]", 'write "working_days: {holidays: [GB-ENG]}"'),
        ("weekend: [friday]", 'write "working_days: {weekend: [friday]}"'),
        ("closures: [{date: 2030-01-01}]", 'write "working_days: {closed: [2030-12-31]}"'),
        ("business_days: PK", 'did you mean "working_days"?'),
        ("working_days: {holiday: PK}", 'did you mean "holidays"?'),
    ],
)
def test_the_keys_of_working_days_are_explained_outside_of_them(line: str, words: str) -> None:
    (message,) = read(HEAD + f"{line}\nevents:\n  e: {{summary: E, start: 2030-01-01}}\n")
    assert words in message


def test_a_correction_may_be_the_wrong_date_alone() -> None:
    text = HEAD + "events:\n  e: {summary: E, start: 2030-06-21, correction: %s}\n"
    short, long = (
        read_definitions({"events/x.yaml": (text % was).encode()}).calendars[0].events
        for was in ("2030-06-12", "{was: 2030-06-12}")
    )
    assert short == long
    assert short[0].correction is not None
