"""The JSON Schema that editors use says what the reader's models say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files

import pytest

import calfeed.definitions
from calfeed.definitions.keys.calendars import (
    CalendarFile,
    ChangeEntry,
    EventEntry,
    EventsFile,
    RepeatEntry,
    SourceEntry,
)
from calfeed.definitions.keys.dates import (
    ClosureEntry,
    CorrectionEntry,
    DoneEntry,
    ReminderEntry,
)
from calfeed.definitions.keys.entries import Entry
from calfeed.definitions.schema import make_schema
from calfeed.model.colors import COLORS

ENTRIES = [CalendarFile, EventsFile, EventEntry, RepeatEntry, ChangeEntry, SourceEntry]


def test_the_schema_that_is_shipped_is_the_one_that_is_made() -> None:
    shipped = files(calfeed.definitions).joinpath("schema.json").read_text("utf-8")
    assert shipped == json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_key_is_in_the_schema_with_words_for_an_editor(entry: type[Entry]) -> None:
    schema = make_schema()["$defs"][entry.__name__]
    names = {field.alias or name for name, field in entry.model_fields.items()}
    assert set(schema["properties"]) == names
    assert schema["additionalProperties"] is False
    assert all(len(each["description"]) > 9 for each in schema["properties"].values())


@pytest.mark.parametrize("entry", [ReminderEntry, ClosureEntry, DoneEntry, CorrectionEntry])
def test_an_entry_with_a_short_form_may_be_a_text_or_a_map(entry: type[Entry]) -> None:
    short, long = make_schema()["$defs"][entry.__name__]["anyOf"]
    assert "string" in short["type"]
    names = {field.alias or name for name, field in entry.model_fields.items()}
    assert set(long["properties"]) == names


def test_the_pattern_of_moments_takes_what_the_reader_takes() -> None:
    (start,) = (
        each
        for each in make_schema()["$defs"]["EventEntry"]["properties"]["end"]["anyOf"]
        if each["type"] == "string"
    )
    for text in (
        "2024-09-27",
        "2024-09-27 10:30",
        "2024-09-27T10:30:00Z",
        "2024-09-27 10:30 +0500",
    ):
        assert re.search(start["pattern"], text)
    assert not re.search(start["pattern"], "27.09.2024")


def test_there_are_the_147_colours_of_css_3() -> None:
    assert len(COLORS) == 147
    assert COLORS["seagreen"] == "#2e8b57"
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in COLORS.values())
    greys = [name for name in COLORS if "gray" in name]
    assert len(greys) == 7
    assert all(COLORS[name] == COLORS[name.replace("gray", "grey")] for name in greys)


def test_reading_without_a_rule_loads_no_icalendar_and_no_recurrences() -> None:
    code = (
        "import sys; from calfeed.definitions.reader import read_definitions as read;"
        "read({'events/x.yaml': b'name: X\\ntime_zone: UTC\\nevents: {a: {summary: S, start: "
        "2024-01-01}}'}); print(*{'icalendar', 'dateutil.rrule', 'sqlalchemy'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
