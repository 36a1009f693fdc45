"""Only changes that lasted for the grace time are announced."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from calfeed.definitions.result import Definitions
from calfeed.delivery.due import LateReminderPacer, fire_due
from calfeed.publish import apply
from calfeed.publish.restore import raise_sequences
from calfeed.publish.show import show_text, show_waiting
from calfeed.store.reports.history import load_history
from tests.ical.defining import define
from tests.publish.desk import BASE, GRACE, OTHERS, SECOND, STAY, Desk

JUNE, JULY, AUGUST = (STAY.format(start=f"2025-{day}") for day in ("06-30", "07-31", "08-31"))
SOON = 5 * SECOND


@pytest.fixture
def known(desk: Desk) -> Desk:
    """A desk with a receiver that knows of everything."""
    desk.publish(JUNE, OTHERS)
    desk.add_endpoint()
    return desk


def told(desk: Desk) -> list[str]:
    return [body["data"]["text"] for body in desk.messages()]


def test_a_slip_that_is_put_right_is_told_to_nobody(known: Desk) -> None:
    known.save(AUGUST, OTHERS)
    plan = known.save(JUNE, OTHERS, after=SOON)
    assert show_waiting(plan, GRACE) == ["nothing to announce: everything is as last announced"]
    assert known.announce(after=timedelta(days=1)) == 0
    assert known.messages() == []
    assert all(kind == "added" for _, kind, _ in known.atom())
    row = known.rows()["stay"]
    assert (row.revision.sequence, row.revision.history, row.moves) == (2, (), ())
    assert b"Was" not in known.vevents()["stay"]
    assert known.ledger("stay") == [("added", 0), ("moved", 1), ("moved", 2)]
    assert known.states()[:2] == [("06-30", "planned")] * 2


def test_a_change_is_in_the_feed_at_once_and_announced_when_it_has_held(known: Desk) -> None:
    plan = known.save(AUGUST, OTHERS)
    (line,) = show_waiting(plan, GRACE)
    assert line == "announced in 2 minutes, unless it is changed again before"
    assert b"20250831" in known.vevents()["stay"]
    row = known.rows()["stay"]
    assert (row.waiting, row.moves) == (True, ())
    assert known.announce(after=GRACE - SECOND) == 0
    assert known.messages() == []
    assert known.announce(after=SECOND) == 1
    assert told(known) == ["The stay ends: moved from 30 June 2025 to 31 August 2025"]
    assert known.atom()[-1] == ("stay", "moved", 1)
    row = known.rows()["stay"]
    assert not row.waiting
    assert [str(move.start) for move in row.moves] == ["2025-06-30"]
    assert known.announce() == 0, "once"


def test_what_moves_twice_is_announced_as_one_move(known: Desk) -> None:
    known.save(JULY, OTHERS)
    known.save(AUGUST, OTHERS, after=GRACE - SECOND)
    assert known.announce(after=GRACE - SECOND) == 0, "each change waits anew"
    assert known.announce(after=SECOND) == 1
    assert told(known) == ["The stay ends: moved from 30 June 2025 to 31 August 2025"]
    assert [str(move.start) for move in known.revisions()["stay"].history] == ["2025-06-30"]
    assert b"31 July" not in known.vevents()["stay"]
    assert known.messages()[0]["data"]["event"]["sequence"] == 2


def test_each_event_has_a_clock_of_its_own(known: Desk) -> None:
    known.save(AUGUST, OTHERS)
    known.save(AUGUST, OTHERS.replace("Other 3", "Other three"), after=GRACE - SECOND)
    assert known.announce(after=SECOND) == 1
    assert known.announce(after=GRACE - SECOND) == 1
    assert told(known) == [
        "The stay ends: moved from 30 June 2025 to 31 August 2025",
        "Other three: changed, 3 September 2025",
    ]


def test_what_comes_and_goes_within_the_time_was_never_there_for_anybody(known: Desk) -> None:
    new = "new:\n  summary: New\n  start: 2025-07-07\n"
    known.save(JUNE, OTHERS, new)
    known.save(JUNE, OTHERS, after=SOON)
    assert known.announce(after=timedelta(days=1)) == 0
    assert known.messages() == []
    known.save(JUNE, OTHERS, new.replace("07-07", "07-08"))
    known.announce()
    (body,) = known.messages()
    assert (body["type"], body["data"]["text"]) == ("event.added", "New: new, 8 July 2025")
    assert "previous" not in body["data"]
    assert known.revisions()["new"].history == ()


@pytest.mark.parametrize(
    ("back", "texts"),
    [(JUNE, []), (AUGUST, ["The stay ends: moved from 30 June 2025 to 31 August 2025"])],
)
def test_what_goes_and_comes_back_is_told_as_what_it_comes_to(
    known: Desk, back: str, texts: list[str]
) -> None:
    known.save(OTHERS)
    assert known.rows()["stay"].revision.withdrawn
    known.save(back, OTHERS, after=SOON)
    known.announce()
    assert told(known) == texts


def test_a_slip_that_is_withdrawn_is_cancelled_at_the_time_that_people_know(known: Desk) -> None:
    known.save(AUGUST, OTHERS)
    known.save(OTHERS, after=SOON)
    known.announce()
    assert told(known) == ["The stay ends: cancelled, 30 June 2025"]
    assert b"20250630" in known.vevents()["stay"]
    assert b"Was" not in known.vevents()["stay"]


def test_a_command_announces_its_own_changes_at_once_and_others_only_when_it_is_asked(
    known: Desk,
) -> None:
    known.save(JULY, OTHERS)
    edited = OTHERS.replace("Other 3", "Other three")
    known.now += SOON
    defined = Definitions((define(JULY + edited),))
    plan = apply.publish(known.database, defined, known.now, BASE)
    assert told(known) == ["Other three: changed, 3 September 2025"]
    assert len(plan.announced) == 1
    plan = apply.publish(known.database, defined, known.now + SOON, BASE, announce_all=True)
    moved = "moved from 30 June 2025 to 31 July 2025"
    assert show_text(plan).splitlines() == [
        f"announced: > desk/stay: {moved}",
        "announced: 1 event moved",
    ]
    assert told(known)[-1] == f"The stay ends: {moved}"
    assert known.announce() == 0


def test_a_command_announces_the_net_change_of_what_was_waiting(known: Desk) -> None:
    known.save(JULY, OTHERS)
    plan = known.publish(AUGUST, OTHERS)
    assert "> desk/stay: moved from 31 July 2025 to 31 August 2025" in show_text(plan)
    assert "announced: > desk/stay: moved from 30 June 2025 to 31 August 2025" in show_text(plan)
    assert told(known) == ["The stay ends: moved from 30 June 2025 to 31 August 2025"]
    assert known.announce() == 0


def test_a_command_that_puts_a_slip_right_tells_nobody(known: Desk) -> None:
    known.save(JULY, OTHERS)
    known.publish(JUNE, OTHERS)
    assert known.announce() == 0
    assert known.messages() == []


def test_what_is_cancelled_and_then_withdrawn_is_told_of_once(known: Desk) -> None:
    known.save(JUNE + "  status: cancelled\n", OTHERS)
    known.announce()
    known.save(OTHERS)
    known.announce()
    assert [body["type"] for body in known.messages()] == ["event.cancelled"]


def test_a_reminder_of_a_slip_waits_until_it_is_announced(known: Desk) -> None:
    """A wrong year makes all its reminders due at once."""
    slip = STAY.format(start="2025-06-03")
    known.save(slip, OTHERS)
    assert fire_due(known.database, known.now, BASE, LateReminderPacer()) == 1
    assert known.states()[0] == ("06-03", "planned")
    known.save(JUNE, OTHERS, after=SOON)
    known.announce()
    fire_due(known.database, known.now, BASE, LateReminderPacer())
    assert known.states()[0] == ("06-03", "withdrawn")
    assert known.messages() == []


def test_and_goes_out_after_the_announcement_where_it_holds(known: Desk) -> None:
    known.save(STAY.format(start="2025-06-05"), OTHERS)
    due = known.reminders()[0].due
    assert fire_due(known.database, known.now, BASE, LateReminderPacer()) == 1
    assert fire_due(known.database, known.now + SOON, BASE, LateReminderPacer()) == 0
    known.announce()
    assert fire_due(known.database, known.now, BASE, LateReminderPacer()) == 1
    (row,) = [row for row in known.reminders() if row.state == "sent"]
    assert row.due == due, "the record has when it was due by its rule"


def test_a_reminder_that_goes_for_what_was_announced_comes_at_its_time_and_tells_that(
    known: Desk,
) -> None:
    due = known.reminders()[0].due
    known.now = due - SOON
    known.save(JUNE.replace("The stay ends", "The sty ends"), OTHERS, after=timedelta(0))
    assert fire_due(known.database, due, BASE, LateReminderPacer()) == 1
    (subject,) = [one for one in known.told() if one.type == "reminder.due"]
    assert subject.event == "stay"
    with known.database.read() as connection:
        (text,) = connection.exec_driver_sql("SELECT text FROM messages").scalars()
    assert text.startswith("The stay ends: ")


def test_a_reminder_that_cannot_wait_goes_out_at_its_time(known: Desk) -> None:
    known.save(STAY.format(start="2025-06-02"), OTHERS, grace=timedelta(days=3))
    assert fire_due(known.database, known.now, BASE, LateReminderPacer()) == 2
    assert [subject.type for subject in known.told()] == ["reminder.due"]


def test_a_note_is_the_reason_of_the_change_that_it_came_with(known: Desk) -> None:
    noted = JULY + "  note: The judge is ill\n"
    later = noted.replace("07-31", "08-31")
    renewed = later.replace("08-31", "09-30").replace("The judge is ill", "The hall is taken")
    for text in (noted, later, renewed):
        known.save(text, OTHERS)
        known.announce()
    assert told(known) == [
        "The stay ends: moved from 30 June 2025 to 31 July 2025 (The judge is ill)",
        "The stay ends: moved from 31 July 2025 to 31 August 2025",
        "The stay ends: moved from 31 August 2025 to 30 September 2025 (The hall is taken)",
    ]
    assert [body["data"].get("note") for body in known.messages()] == [
        "The judge is ill",
        None,
        "The hall is taken",
    ]
    notes = [move.note for move in known.revisions()["stay"].history]
    assert notes == [{"en": "The judge is ill"}, None, {"en": "The hall is taken"}]
    assert known.vevents()["stay"].count(b"The judge is ill") == 1


def test_taking_a_note_away_is_nothing_to_tell(known: Desk) -> None:
    known.publish(JULY + "  note: The judge is ill\n", OTHERS)
    before = known.messages()
    known.publish(JULY, OTHERS)
    assert known.messages() == before
    known.publish(AUGUST, OTHERS)
    assert told(known)[-1] == "The stay ends: moved from 31 July 2025 to 31 August 2025"


def test_why_it_was_cancelled_stays_in_the_feed_but_not_why_it_was_moved_before(
    known: Desk,
) -> None:
    cancelled = JUNE + "  status: cancelled\n  note: The judge is ill\n"
    known.publish(cancelled, OTHERS)
    known.publish(cancelled.replace("The stay", "A stay"), OTHERS)
    vevent = known.vevents()["stay"]
    assert b"DESCRIPTION:Cancelled: The judge is ill\r\n" in vevent
    assert [body["data"].get("note") for body in known.messages()] == ["The judge is ill", None]
    known.publish(JULY + "  note: Once more\n", OTHERS)
    assert b"Cancelled" not in known.vevents()["stay"]
    known.publish(JULY + "  note: Once more\n  status: cancelled\n", OTHERS)
    assert b"Cancelled: Once more" not in known.vevents()["stay"]


def test_the_day_of_a_move_and_its_message_are_of_what_was_announced(known: Desk) -> None:
    """A change that falls within the time of another is announced with it."""
    known.save(JULY, OTHERS)
    known.save(JULY.replace("The stay ends", "The stay is over"), OTHERS, after=SOON)
    assert known.announce() == 1
    (body,) = known.messages()
    assert body["type"] == "event.moved"
    assert body["data"]["previous"]["summary"] == "The stay ends"
    assert body["data"]["event"]["summary"] == "The stay is over"
    assert datetime.fromisoformat(body["timestamp"]) == known.now


def test_what_waits_is_announced_under_the_same_id_after_a_restore(known: Desk) -> None:
    """It may have been announced between the backup and the restore."""
    known.save(AUGUST, OTHERS)
    with known.database.write() as connection:
        assert raise_sequences(connection, None, known.now + SOON)
    known.announce()
    (body,) = known.messages()
    assert body["data"]["event"]["sequence"] == 1
    uid = known.revisions()["stay"].event.uid
    with known.database.read() as connection:
        published = load_history(connection, [uid]).changes
    assert [one.kind for one in published] == ["added", "moved"]
    known.save(JULY, OTHERS)
    known.announce()
    assert told(known)[-1] == "The stay ends: moved from 31 August 2025 to 31 July 2025"
