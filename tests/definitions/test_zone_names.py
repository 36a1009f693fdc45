"""Names that are no time zones lead to the places they mean, or to none, never to a wrong one."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

import pytest

from calfeed.definitions.formats.zone_names import check_zone, explain_abbreviation, find_places

NONE_KNOWN = "name the place, such as Asia/Karachi, America/New_York or UTC"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PKT", "did you mean Asia/Karachi?"),
        ("Pakistan", "did you mean Asia/Karachi?"),
        ("پاکستان", "did you mean Asia/Karachi?"),
        ("Pakistan Standard Time", "did you mean Asia/Karachi?"),
        ("Afghanistan", "did you mean Asia/Kabul?"),
        ("PST", "such as America/Los_Angeles or Asia/Manila"),
        ("Pacific Time", "did you mean America/Los_Angeles?"),
        ("ET", "such as America/New_York"),
        ("Eastern", "did you mean America/New_York?"),
        ("IST", "such as Asia/Kolkata, Asia/Jerusalem or Europe/Dublin"),
        ("BST", "did you mean Europe/London?"),
        ("SGT", "did you mean Asia/Singapore?"),
        ("GST", "did you mean Asia/Dubai?"),
        ("UK", "did you mean Europe/London?"),
        ("Germany", "did you mean Europe/Berlin?"),
        ("USA", "such as America/New_York, America/Chicago, America/Denver"),
        ("new york", "did you mean America/New_York?"),
        ("asia/karachi", "did you mean Asia/Karachi?"),
        ("Asia/Karatschi", "did you mean Asia/Karachi?"),
        ("UTC+5", "name the place, such as Asia/Tashkent or Asia/Karachi"),
        ("XYZ", NONE_KNOWN),
        ("Atlantis", NONE_KNOWN),
        ("local", NONE_KNOWN),
        ("MSTX", NONE_KNOWN),
    ],
)
def test_what_is_no_zone_leads_to_the_place(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        check_zone(name)


def test_an_abbreviation_of_several_places_names_each() -> None:
    found = find_places("CST")
    assert found[0] == "America/Chicago"
    assert {"Asia/Shanghai", "America/Havana"} <= set(found)


def test_what_is_surprising_about_a_zone_can_be_said_of_every_zone() -> None:
    """PRC and ROK are called by three letters, and no abbreviations."""
    for zone in available_timezones() - {"Factory", "localtime"}:
        assert explain_abbreviation(zone) == "" or zone in ("EST", "MST", "HST")
