"""UIDs are the same every time here, and nowhere else."""

from __future__ import annotations

from uuid import UUID

from calfeed.definitions.reader import DefinitionReader, read_definitions
from calfeed.definitions.result import Definitions
from calfeed.model.uids import NAME_BASED_UIDS, UidScheme

OURS, THEIRS = UUID(int=1), UUID(int=2)
TEXT = """
name: Desk
time_zone: UTC
formerly: [office]
events:
  call: {summary: The call, start: 2030-01-01}
  foreign: {summary: A guest, start: 2030-01-02, uid: guest@example.org}
"""
FILES = {"events/desk.yaml": TEXT.encode()}


def uids_of(defined: Definitions) -> dict[str, str]:
    return {event.slug: event.uid for one in defined.calendars for event in one.events}


def test_two_installations_share_the_uids_that_files_give_and_no_others() -> None:
    ours = uids_of(read_definitions(FILES, UidScheme(OURS)))
    theirs = uids_of(read_definitions(FILES, UidScheme(THEIRS)))
    assert ours == uids_of(read_definitions(FILES, UidScheme(OURS)))
    assert {slug for slug in ours if ours[slug] == theirs[slug]} == {"foreign"}
    assert ours["foreign"] == "guest@example.org"


def test_what_was_published_before_there_was_an_id_keeps_its_uid_and_the_rest_gets_another() -> (
    None
):
    """The UID is that of the calendar's oldest name."""
    kept = NAME_BASED_UIDS.make("office", "call")
    assert kept == "4bdd773c-218d-523b-ac7c-9723c626cfea", "as calfeed 0.1 made it"
    scheme = UidScheme(OURS, frozenset({kept}))
    assert uids_of(read_definitions(FILES, scheme))["call"] == kept
    assert scheme.make("office", "other") != NAME_BASED_UIDS.make("office", "other")


def test_a_reader_that_is_given_another_scheme_makes_other_uids_of_the_same_files() -> None:
    reader = DefinitionReader("code")
    first = uids_of(reader.read(FILES, UidScheme(OURS)))
    assert uids_of(reader.read(FILES, UidScheme(THEIRS)))["call"] != first["call"]
    assert uids_of(reader.read(FILES, UidScheme(OURS))) == first
