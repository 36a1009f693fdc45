"""After a restore people hear nothing twice under two ids, and apps miss no change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from calfeed.publish.restore import find_repeats, raise_sequences
from calfeed.store.catalog.announcements import load_newest_announced
from calfeed.store.catalog.lineage import Lineage, load_last_sequences, load_lineage
from calfeed.store.reports.history import load_history
from calfeed.store.tables import messages
from tests.conftest import INSTALLATION
from tests.publish.desk import NOW, OTHERS, STAY, Desk

JUNE, AUGUST = STAY.format(start="2025-06-30"), STAY.format(start="2025-08-31")


def ids(desk: Desk) -> list[str]:
    with desk.database.read() as connection:
        return list(connection.scalars(select(messages.c.id).order_by(messages.c.at)))


def raise_all(desk: Desk, seen: dict[str, int] | None = None) -> int:
    desk.now += timedelta(hours=1)
    with desk.database.write_exclusive() as connection:
        return raise_sequences(connection, seen, desk.now)


def test_a_state_that_an_event_comes_back_to_is_told_under_an_id_of_its_own(desk: Desk) -> None:
    desk.add_endpoint()
    for text in (JUNE, AUGUST, JUNE, AUGUST, "", JUNE):
        desk.publish(text, OTHERS)
    assert len(ids(desk)) == len(set(ids(desk))) == 4 + 6


def test_what_is_found_out_again_after_a_restore_has_the_id_that_it_had(desk: Desk) -> None:
    """SEQUENCE is past what was lost, and nothing is announced because of that alone."""
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    before = ids(desk)
    assert raise_all(desk) == 5
    assert desk.publish(JUNE, OTHERS).empty
    assert ids(desk) == before
    desk.publish(AUGUST, OTHERS)
    ((moved,), sequence) = set(ids(desk)) - set(before), desk.revisions()["stay"].sequence
    with desk.database.write() as connection:
        connection.execute(messages.delete().where(messages.c.id == moved))
    desk.publish(JUNE, OTHERS)
    raise_all(desk)
    desk.publish(AUGUST, OTHERS)
    assert moved in ids(desk)
    assert desk.revisions()["stay"].sequence > sequence + 1_000


@pytest.mark.parametrize(("seen", "least"), [(None, 1_000 + 3_600), (7, 7)])
def test_sequence_is_raised_past_what_apps_can_have_seen(
    desk: Desk, seen: int | None, least: int
) -> None:
    """Of what is shown no more, too; LAST-MODIFIED with it; what anybody reads stays the same."""
    desk.publish(JUNE, OTHERS)
    desk.publish(OTHERS)
    desk.now += timedelta(days=91)
    desk.publish(OTHERS)
    assert "stay" not in desk.revisions()
    with desk.database.read() as connection:
        known = load_last_sequences(connection)
        changes = load_newest_announced(connection, ["desk"], 50)
        uids = list(known)
        history = load_history(connection, uids)
    last = desk.revisions()["other-1"]
    raise_all(desk, None if seen is None else dict.fromkeys(known, seen))
    with desk.database.read() as connection:
        raised = load_last_sequences(connection)
        assert load_newest_announced(connection, ["desk"], 50) == changes
        assert load_history(connection, uids) == history
    assert all(raised[uid] > max(known[uid], least) for uid in known)
    assert desk.revisions()["other-1"].modified > last.modified
    assert (
        f"SEQUENCE:{desk.revisions()['other-1'].sequence}\r\n".encode() in desk.vevents()["other-1"]
    )
    assert desk.publish(JUNE, OTHERS).changes[0].after.sequence > least


@pytest.mark.parametrize(("seen", "first"), [(None, 1_000 + 3_600), ({"lost": 7}, 8), ({}, 0)])
def test_what_is_new_after_a_restore_may_have_been_published_in_the_time_that_was_lost(
    desk: Desk, seen: dict[str, int] | None, first: int
) -> None:
    desk.publish(OTHERS)
    raise_all(desk, seen)
    (added,) = desk.publish(JUNE, OTHERS).changes
    assert added.after.sequence == first


def test_what_is_new_after_a_second_restore_goes_past_what_was_new_after_the_first(
    desk: Desk,
) -> None:
    """It began where the first restore put it, and was lost with the time before the second."""
    desk.publish(OTHERS)
    raise_all(desk, None)
    began = 1_000 + 3_600
    raise_all(desk, None)
    (added,) = desk.publish(JUNE, OTHERS).changes
    assert added.after.sequence >= began + 1_000


def test_what_comes_again_is_what_was_planned_and_is_due_by_now(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    with desk.database.read() as connection:
        assert find_repeats(connection, desk.now).reminders == []
        repeats = find_repeats(connection, NOW + timedelta(days=25))
        assert [row.rule for row in repeats.reminders] == ["1 week before"]
        assert list(repeats.titles.values()) == ["desk/stay"]
        assert find_repeats(connection, NOW + timedelta(days=40)).late == 2


def test_a_database_continues_a_backup_where_it_has_all_of_its_publishes() -> None:
    one, two = {1: NOW}, {1: NOW, 2: NOW + timedelta(hours=1)}
    backup = Lineage(INSTALLATION.id, one)
    assert Lineage(INSTALLATION.id, two).continues(backup)
    assert not backup.continues(Lineage(INSTALLATION.id, two))
    assert not Lineage(INSTALLATION.id, {1: NOW + timedelta(hours=2)}).continues(backup)
    assert not Lineage(type(INSTALLATION.id)(int=1), two).continues(backup)


def test_a_lineage_is_read_of_the_database(desk: Desk) -> None:
    desk.publish(JUNE)
    with desk.database.read() as connection:
        found = load_lineage(connection)
    assert (found.installation, list(found.publishes), found.last_publish) == (
        INSTALLATION.id,
        [1],
        desk.now,
    )
