"""Reading a folder again and again."""

from __future__ import annotations

import pytest

from calfeed.definitions.reader import DefinitionReader, read_definitions
from calfeed.errors import DefinitionError

ONE = b"name: One\ntime_zone: UTC\nevents:\n  a: {summary: A, start: 2030-01-01}\n"
TWO = b"name: Two\ntime_zone: UTC\nevents:\n  b: {summary: B, start: 2030-01-01, uid: x}\n"


def test_a_calendar_that_did_not_change_is_not_read_twice() -> None:
    reader = DefinitionReader()
    first = reader.read({"events/one.yaml": ONE, "events/two.yaml": TWO})
    changed = TWO.replace(b"2030", b"2031")
    second = reader.read({"events/one.yaml": ONE, "events/two.yaml": changed})
    assert second[0] is first[0]
    assert second == read_definitions({"events/one.yaml": ONE, "events/two.yaml": changed})


def test_a_calendar_that_went_away_is_gone() -> None:
    reader = DefinitionReader()
    reader.read({"events/one.yaml": ONE, "events/two.yaml": TWO})
    assert [one.slug for one in reader.read({"events/two.yaml": TWO})] == ["two"]


def test_what_two_calendars_have_in_common_is_found_again_each_time() -> None:
    reader = DefinitionReader()
    files = {"events/one.yaml": ONE.replace(b"01}", b"01, uid: x}"), "events/two.yaml": TWO}
    for _ in range(3):
        with pytest.raises(DefinitionError) as caught:
            reader.read(files)
        assert len(caught.value.problems) == 1
    mended = reader.read({**files, "events/one.yaml": ONE})
    assert [one.slug for one in mended] == ["one", "two"]


def test_a_broken_file_that_is_mended_to_what_it_was_is_read() -> None:
    reader = DefinitionReader()
    reader.read({"events/one.yaml": ONE})
    with pytest.raises(DefinitionError):
        reader.read({"events/one.yaml": b"name: ["})
    assert len(reader.read({"events/one.yaml": ONE})) == 1


def test_a_file_added_to_a_folder_is_part_of_its_calendar() -> None:
    reader = DefinitionReader()
    head = b"name: One\ntime_zone: UTC\n"
    more = b"events:\n  a: {summary: A, start: 2030-01-01}\n"
    assert reader.read({"events/one/calendar.yaml": head})[0].events == ()
    both = reader.read({"events/one/calendar.yaml": head, "events/one/more.yaml": more})
    assert len(both[0].events) == 1
