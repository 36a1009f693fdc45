"""The text that an import writes: as people write one, under names made of titles."""

from __future__ import annotations

from datetime import date

import yaml
from hypothesis import given
from hypothesis import strategies as st

from calfeed.definitions.formats.slugs import name_events
from calfeed.importing.writing import write_definition
from tests.definitions.imports import take


def test_a_definition_is_written_as_people_write_one() -> None:
    made = take(
        "UID:no\nSUMMARY:Yes: #1\nDESCRIPTION:One\\nTwo 😀\nDTSTART;VALUE=DATE:20300211\n"
        "CATEGORIES:12,1e3,y,off\n",
        head="X-WR-CALNAME:Gränts\nX-WR-TIMEZONE:Asia/Karachi\nCOLOR:seagreen\n",
    )
    assert (
        made.definition.decode()
        == """\
# Imported from desk
name: Gränts
time_zone: Asia/Karachi
color: seagreen
events:
  yes-1:
    summary: 'Yes: #1'
    start: 2030-02-11
    description: |-
      One
      Two 😀
    categories:
      - '12'
      - '1e3'
      - 'y'
      - 'off'
    uid: 'no'
"""
    )


@given(st.text(max_size=30) | st.from_regex(r"\A[\w@.-]{1,12}( [\w,;!?&'+=%-]{1,9})?\Z"))
def test_each_text_is_written_as_pyyaml_would_and_comes_back(text: str) -> None:
    """What is not given to PyYAML, as it takes its time, is what it leaves as it is."""
    text = "".join(each for each in text if each.isprintable())
    written = write_definition({"k": text}, "c").decode().partition("\n")[2]
    assert yaml.safe_load(written) == {"k": text}
    if written == f"k: {text}\n":
        assert yaml.safe_dump({"k": text}, allow_unicode=True, width=1 << 20) == written


def test_slugs_come_from_titles_whatever_the_order_of_the_events() -> None:
    events = [
        ("Board meeting", date(2030, 2, 1), "b"),
        ("Board meeting", date(2030, 1, 1), "a"),
        ("Board meeting", date(2030, 1, 1), "c"),
        ("Straße nach Łódź, 3. Etappe", date(2030, 1, 1), "d"),
        ("آڈٹ", date(2030, 1, 1), "e"),
        ("x" * 100, date(2030, 1, 1), "f"),
        ("x" * 100, date(2030, 1, 2), "g"),
    ]
    named = dict(zip(events, name_events(events), strict=True))
    assert list(named.values())[:2] == ["board-meeting-2030-02-01", "board-meeting"]
    assert list(named.values())[3:6] == ["strasse-nach-lodz-3-etappe", "event-2030-01-01", "x" * 64]
    assert named[events[6]] == "x" * 53 + "-2030-01-02"
    assert len(set(named.values())) == len(events)
    assert dict(zip(events[::-1], name_events(events[::-1]), strict=True)) == named
