"""Reading a folder again and again."""

from __future__ import annotations

from typing import Any

import pytest

from calfeed.definitions import calendar_files
from calfeed.definitions.builder import build_event
from calfeed.definitions.reader import DefinitionReader, read_definitions
from calfeed.errors import DefinitionError

ONE = b"name: One\ntime_zone: UTC\nevents:\n  a: {summary: A, start: 2030-01-01}\n"
TWO = b"name: Two\ntime_zone: UTC\nevents:\n  b: {summary: B, start: 2030-01-01, uid: x}\n"


def test_a_calendar_that_did_not_change_is_not_read_twice() -> None:
    reader = DefinitionReader(code="")
    first = reader.read({"events/one.yaml": ONE, "events/two.yaml": TWO})
    changed = TWO.replace(b"2030", b"2031")
    second = reader.read({"events/one.yaml": ONE, "events/two.yaml": changed})
    assert second.calendars[0] is first.calendars[0]
    assert second == read_definitions({"events/one.yaml": ONE, "events/two.yaml": changed})


def test_a_calendar_that_went_away_is_gone() -> None:
    reader = DefinitionReader(code="")
    reader.read({"events/one.yaml": ONE, "events/two.yaml": TWO})
    assert [one.slug for one in reader.read({"events/two.yaml": TWO}).calendars] == ["two"]


def test_what_two_calendars_have_in_common_is_found_again_each_time() -> None:
    reader = DefinitionReader(code="")
    files = {"events/one.yaml": ONE.replace(b"01}", b"01, uid: x}"), "events/two.yaml": TWO}
    for _ in range(3):
        with pytest.raises(DefinitionError) as caught:
            reader.read(files)
        assert len(caught.value.problems) == 1
    mended = reader.read({**files, "events/one.yaml": ONE})
    assert [one.slug for one in mended.calendars] == ["one", "two"]


def test_a_broken_file_that_is_mended_to_what_it_was_is_read() -> None:
    reader = DefinitionReader(code="")
    reader.read({"events/one.yaml": ONE})
    with pytest.raises(DefinitionError):
        reader.read({"events/one.yaml": b"name: ["})
    assert len(reader.read({"events/one.yaml": ONE}).calendars) == 1


def test_a_file_added_to_a_folder_is_part_of_its_calendar() -> None:
    reader = DefinitionReader(code="")
    head = b"name: One\ntime_zone: UTC\n"
    more = b"events:\n  a: {summary: A, start: 2030-01-01}\n"
    assert reader.read({"events/one/calendar.yaml": head}).calendars[0].events == ()
    both = reader.read({"events/one/calendar.yaml": head, "events/one/more.yaml": more})
    assert len(both.calendars[0].events) == 1


def test_warnings_are_those_of_this_reading_whether_a_file_was_read_again_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unchanged calendar keeps its warnings; one that is read again has them once."""

    def warn_and_settle(*given: Any) -> Any:
        given[-1](("start",), f"is in {given[0].time_zone}")
        return build_event(*given)

    monkeypatch.setattr(calendar_files, "build_event", warn_and_settle)
    reader = DefinitionReader(code="")
    head = b"name: One\ntime_zone: UTC\n"
    files = {"events/one/calendar.yaml": head, "events/one/more.yaml": TWO[TWO.index(b"events") :]}
    for _ in range(2):
        (warning,) = reader.read(files).warnings
        assert (warning.file, warning.message) == ("events/one/more.yaml", "is in UTC")
        assert warning.key.endswith(".start")
    with pytest.raises(DefinitionError) as caught:
        reader.read({**files, "events/one/calendar.yaml": head + b"x: y\n"})
    assert caught.value.warnings == (warning,)
    files["events/one/calendar.yaml"] = head.replace(b"UTC", b"Asia/Karachi")
    assert [one.message for one in reader.read(files).warnings] == ["is in Asia/Karachi"]
