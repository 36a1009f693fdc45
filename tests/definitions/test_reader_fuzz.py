"""Whatever the bytes, they are read or refused with places."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from calfeed.definitions.reader import read_definitions
from calfeed.errors import DefinitionError, Problem
from calfeed.model.events import Calendar, Event, canonical_json

pytestmark = pytest.mark.slow

VALID = b"""\
name: {en: X, ur: "\\u06cc"}
time_zone: America/New_York
reminders: [1 week, {before: 1 day, at: "09:00"}]
events:
  a: &a
    summary: S
    start: 2024-09-27 10:30
    end: 2024-09-27 11:30
    sources: [{title: T, url: https://example.org, date: 2024-08-14}]
    repeat:
      rule: FREQ=WEEKLY;BYDAY=FR
      except: [2024-10-04 10:30]
      changes: {2024-10-11 10:30: {status: cancelled}}
  b: *a
  c: {summary: C, start: 2024-02-29, duration: 1 month, color: }
"""


def check(files: dict[str, bytes]) -> None:
    """Hold what must be true of any files."""
    calendars: tuple[Calendar, ...] = ()
    problems: tuple[Problem, ...] | None = None
    try:
        calendars = read_definitions(files).calendars
    except DefinitionError as error:
        problems = error.problems
    assert problems is None or problems
    for problem in problems or ():
        data = files[problem.file]
        assert problem.message
        assert 0 <= problem.line <= data.count(b"\n") + data.count(b"\r") + 2
        assert bool(problem.line) == bool(problem.column)
    for event in (event for calendar in calendars for event in calendar.events):
        assert Event.model_validate_json(canonical_json(event)) == event


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check({"events/x.yaml": data})


@given(st.text(alphabet="ab:- \n\t[]{},&*!|>'\"%@`#?\\0é\ufeff", max_size=80))
def test_any_text_of_yaml_s_own_characters(text: str) -> None:
    check({"events/x.yaml": text.encode(), "events/y/z.yaml": text.encode()})


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(VALID)),
            st.integers(0, 12),
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from(
                    [b"2025-03-09 02:30", b"*a", b"&a ", b"FREQ=DAILY", b"[", b"}", b"\n  ", b": "]
                ),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_valid_file_with_pieces_replaced(changes: list[tuple[int, int, bytes]]) -> None:
    data = VALID
    for place, length, piece in changes:
        data = data[:place] + piece + data[place + length :]
    check({"events/x.yaml": data})


WORDS = st.one_of(
    st.none(),
    st.sampled_from(
        ["S", "", "2024-09-27", "2024-09-27 10:30", "2025-03-09 02:30", "2200-12-31", "1900-01-01"]
    ),
    st.sampled_from(["1 week", "2 hours", "10 years", "09:00", "FREQ=YEARLY", "FREQ=HOURLY"]),
    st.sampled_from(["Asia/Karachi", "cancelled", "deadline", "en", "https://example.org"]),
    st.text(max_size=6),
)
KEYS = st.sampled_from(
    [
        *["name", "description", "time_zone", "color", "language", "reminders", "events"],
        *["summary", "start", "end", "duration", "status", "kind", "url", "categories", "sources"],
        *["repeat", "uid", "rule", "except", "also", "changes", "title", "before", "at", "en"],
    ]
)
NODES = st.recursive(
    WORDS,
    lambda node: st.one_of(
        st.lists(node, max_size=3), st.dictionaries(st.one_of(KEYS, st.text(max_size=3)), node)
    ),
    max_leaves=12,
)
MOMENTS = st.one_of(WORDS, st.dates().map(str), st.datetimes().map(str))
EVENTS = st.fixed_dictionaries(
    {"summary": st.just("S"), "start": MOMENTS},
    optional={
        "end": MOMENTS,
        "duration": WORDS,
        "time_zone": WORDS,
        "reminders": st.one_of(st.lists(WORDS, max_size=2), NODES),
        "location": NODES,
        "repeat": st.one_of(
            NODES,
            st.fixed_dictionaries(
                {},
                optional={
                    "rule": WORDS,
                    "except": st.lists(MOMENTS, max_size=2),
                    "also": st.lists(MOMENTS, max_size=2),
                    "changes": st.dictionaries(
                        st.one_of(st.dates().map(str), st.text(max_size=3)), NODES, max_size=2
                    ),
                },
            ),
        ),
    },
)
CALENDARS = st.one_of(
    NODES,
    st.fixed_dictionaries(
        {"name": st.just("X"), "time_zone": st.sampled_from(["UTC", "America/New_York"])},
        optional={"events": st.dictionaries(st.sampled_from("abc"), EVENTS), "reminders": NODES},
    ),
)


@given(CALENDARS)
def test_any_document_of_known_keys(document: object) -> None:
    text = yaml.safe_dump(document, allow_unicode=True)
    check({"events/x.yaml": text.encode()})


def test_the_file_that_is_changed_above_is_right_but_for_one_key() -> None:
    with pytest.raises(DefinitionError) as caught:
        read_definitions({"events/x.yaml": VALID})
    assert [problem.key for problem in caught.value.problems] == ["events.c.color"]
