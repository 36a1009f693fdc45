"""Publishing: every kind of change, one after the other, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from calfeed.definitions.result import Definitions
from calfeed.errors import PublishRefusedError
from calfeed.ical.comparison.changes import Kind
from calfeed.ical.variants import PLAIN
from calfeed.ical.vevent import RENDERER
from calfeed.model.states import ReminderState
from calfeed.publish import apply
from calfeed.publish.compare import KEEP_WITHDRAWN
from calfeed.publish.plan import HORIZON
from calfeed.publish.show import show_json
from calfeed.store.catalog import revisions
from calfeed.store.catalog.announcements import (
    AnnouncementPosition,
    load_announced_after,
    load_newest_announced,
)
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.events import load_events
from calfeed.store.outbox import reminders
from calfeed.store.outbox.reminders import settle_reminders
from calfeed.store.reports.history import load_history
from calfeed.store.tables import events
from tests.ical.defining import define
from tests.publish.desk import BASE, NOW, OTHERS, STAY, Desk

JUNE, AUGUST = STAY.format(start="2025-06-30"), STAY.format(start="2025-08-31")
MOVED = AUGUST + "  note: the stay was extended\n"


def test_a_first_publish_adds_everything(desk: Desk) -> None:
    plan = desk.publish(JUNE, OTHERS)
    assert plan.count(Kind.ADDED) == len(plan.changes) == 5
    revision = desk.revisions()["stay"]
    assert (revision.sequence, revision.history, revision.withdrawn) == (0, (), False)
    assert revision.created == revision.modified == desk.now
    assert desk.states() == [("06-30", "planned")] * 2
    assert desk.told() == [], "there was nobody to tell"


def test_publishing_the_same_again_changes_no_row(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    before = desk.everything()
    plan = desk.publish(JUNE, OTHERS)
    assert plan.empty
    assert show_json(plan)["summary"].startswith("nothing to publish")
    assert desk.everything() == before


def test_editing_one_event_changes_exactly_one_vevent(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    before, revisions = desk.vevents(), desk.revisions()
    plan = desk.publish(JUNE, OTHERS.replace("Other 3", "Other three"))
    assert [change.kind for change in plan.changes] == [Kind.CHANGED]
    after = desk.vevents()
    assert [slug for slug in after if after[slug] != before[slug]] == ["other-3"]
    revision = desk.revisions()["other-3"]
    assert revision.sequence == 1
    assert revision.created == revisions["other-3"].created
    assert revision.modified == desk.now
    assert b"SUMMARY;LANGUAGE=en:Other three\r\n" in after["other-3"]


def test_an_edit_that_is_taken_back_has_a_new_sequence(desk: Desk) -> None:
    for text in (OTHERS, OTHERS.replace("Other 3", "Other three"), OTHERS):
        desk.publish(text)
    assert desk.ledger("other-3") == [("added", 0), ("changed", 1), ("changed", 2)]


def test_last_modified_goes_up_by_a_second_at_least_whatever_the_clock_does(desk: Desk) -> None:
    desk.publish(JUNE)
    seen = [desk.revisions()["stay"].modified]
    for number, step in enumerate((timedelta(0), timedelta(milliseconds=300), timedelta(days=-1))):
        now = NOW + timedelta(hours=1) + step
        text = JUNE + f"  location: Hall {number}\n"
        apply.publish(desk.database, Definitions((define(text),)), now, BASE)
        seen.append(desk.revisions()["stay"].modified)
    steps = [late - early for early, late in pairwise(seen)]
    assert steps == [timedelta(seconds=1)] * 3
    assert all(moment.microsecond == 0 for moment in seen)


def test_a_moved_date_withdraws_plans_and_tells_once(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE)
    plan = desk.publish(MOVED)
    assert [change.kind for change in plan.changes] == [Kind.MOVED]
    assert (len(plan.planned), len(plan.withdrawn)) == (2, 2)
    assert desk.states() == [("06-30", "withdrawn")] * 2 + [("08-31", "planned")] * 2
    assert [subject.type for subject in desk.told()] == ["event.added", "event.moved"]
    revision = desk.revisions()["stay"]
    assert revision.sequence == 1
    (move,) = revision.history
    assert (str(move.start), str(move.on), move.note) == (
        "2025-06-30",
        f"{desk.now:%Y-%m-%d}",
        {"en": "the stay was extended"},
    )
    assert b"Was 30 June 2025\\; moved on 1 June 2025: the stay" in desk.vevents()["stay"]


def test_moving_back_revives_the_reminders(desk: Desk) -> None:
    desk.publish(JUNE)
    first = {row.key for row in desk.reminders()}
    desk.publish(MOVED)
    plan = desk.publish(JUNE)
    assert (len(plan.planned), len(plan.withdrawn)) == (2, 2)
    assert desk.states() == [("06-30", "planned")] * 2 + [("08-31", "withdrawn")] * 2
    assert {row.key for row in desk.reminders() if row.state == "planned"} == first
    assert len(desk.revisions()["stay"].history) == 2


def test_what_was_sent_is_not_sent_again_when_the_date_moves_back(desk: Desk) -> None:
    desk.publish(JUNE)
    with desk.database.write() as connection:
        settle_reminders(connection, [desk.reminders()[0].key], ReminderState.SENT, desk.now)
    desk.publish(MOVED)
    desk.publish(JUNE)
    assert desk.states()[:2] == [("06-30", "sent"), ("06-30", "planned")]


def test_a_longer_event_keeps_its_reminders(desk: Desk) -> None:
    desk.publish(JUNE)
    before = desk.reminders()
    plan = desk.publish(JUNE + "  end: 2025-07-02\n")
    assert [change.kind for change in plan.changes] == [Kind.MOVED]
    assert (plan.planned, plan.withdrawn) == ((), ())
    assert desk.reminders() == before


def test_other_reminders_of_the_same_date_are_planned_and_the_old_ones_withdrawn(
    desk: Desk,
) -> None:
    desk.publish(JUNE)
    plan = desk.publish(JUNE.replace("1 week", "3 days"))
    assert [str(one.rule) for one in plan.planned] == ["3 days before"]
    assert [row.rule for row in plan.withdrawn] == ["1 week before"]


def test_the_same_instant_in_another_zone_gives_reminders_another_time_of_day(
    desk: Desk,
) -> None:
    text = "it:\n  summary: It\n  start: 2025-06-30T10:00Z\n"
    text += "  reminders: [{before: 1 day, at: '09:00'}]\n"
    desk.publish(text)
    desk.publish(text + "  time_zone: Europe/London\n")
    planned = [row.due for row in desk.reminders() if row.state == "planned"]
    assert [f"{due:%d %H:%M}" for due in planned] == ["29 08:00"]


def test_a_cancelled_event_says_so_and_reminds_nobody(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE)
    plan = desk.publish(JUNE + "  status: cancelled\n")
    assert [change.kind for change in plan.changes] == [Kind.CANCELLED]
    assert desk.states() == [("06-30", "withdrawn")] * 2
    assert b"STATUS:CANCELLED" in desk.vevents()["stay"]
    assert desk.told()[-1].type == "event.cancelled"
    desk.publish(JUNE)
    assert desk.states() == [("06-30", "planned")] * 2


def test_a_withdrawn_event_stays_as_cancelled_for_ninety_days(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    plan = desk.publish(OTHERS)
    assert [change.kind for change in plan.changes] == [Kind.WITHDRAWN]
    revision = desk.revisions()["stay"]
    assert (revision.sequence, revision.withdrawn) == (1, True)
    assert b"SEQUENCE:1\r\n" in desk.vevents()["stay"]
    assert b"STATUS:CANCELLED\r\n" in desk.vevents()["stay"]
    assert b"BEGIN:VALARM" not in desk.vevents()["stay"]
    assert desk.states() == [("06-30", "withdrawn")] * 2
    assert desk.told()[-1].type == "event.cancelled"
    withdrawn = desk.now
    desk.now = withdrawn + KEEP_WITHDRAWN - timedelta(hours=2)
    assert desk.publish(OTHERS).empty
    plan = desk.publish(OTHERS)
    assert [len(plan.retired), len(plan.changes)] == [1, 0]
    assert "stay" not in desk.vevents()


@pytest.mark.parametrize("later", [timedelta(days=3), KEEP_WITHDRAWN + timedelta(days=3)])
def test_an_event_that_comes_back_goes_on_counting(desk: Desk, later: timedelta) -> None:
    desk.publish(JUNE, OTHERS)
    desk.publish(OTHERS)
    desk.now += later
    desk.publish(OTHERS)
    plan = desk.publish(STAY.format(start="2026-06-30"), OTHERS)
    assert [change.kind for change in plan.changes] == [Kind.ADDED]
    assert desk.ledger("stay") == [("added", 0), ("withdrawn", 1), ("added", 2)]
    revision = desk.revisions()["stay"]
    assert revision.created == NOW + timedelta(hours=1)
    assert b"STATUS:CONFIRMED" in desk.vevents()["stay"]


def test_too_much_is_not_withdrawn_by_accident(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    before = desk.everything()
    with pytest.raises(PublishRefusedError, match="5 coming events of desk"):
        desk.publish("")
    two = "".join(OTHERS.splitlines(keepends=True)[:6])
    with pytest.raises(PublishRefusedError, match="3 of the 5 coming events of desk"):
        desk.publish(two)
    with pytest.raises(PublishRefusedError, match="the whole calendar desk"):
        desk.publish_calendars(define(OTHERS, slug="other"))
    assert desk.everything() == before
    assert desk.publish(two, allow_removals=True).count(Kind.WITHDRAWN) == 3


def test_half_of_what_is_coming_may_go_and_what_is_over_does_not_count(desk: Desk) -> None:
    past = "".join(
        f"past-{number}:\n  summary: Past\n  start: 2024-01-0{number}\n" for number in range(1, 9)
    )
    desk.publish(OTHERS, past)
    half = "".join(OTHERS.splitlines(keepends=True)[:6])
    assert desk.publish(half).count(Kind.WITHDRAWN) == 10


def test_what_was_cancelled_before_is_not_cancelled_again_when_it_goes(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    desk.publish(JUNE + "  status: cancelled\n", OTHERS)
    before = desk.told()
    assert before[-1].type == "event.cancelled"
    plan = desk.publish(OTHERS)
    assert plan.count(Kind.WITHDRAWN) == 1
    assert desk.told() == before


def test_what_was_cancelled_before_may_go(desk: Desk) -> None:
    cancelled = JUNE + "  status: cancelled\n"
    first = "".join(OTHERS.splitlines(keepends=True)[:3])
    desk.publish(cancelled, first)
    assert desk.publish(first).count(Kind.WITHDRAWN) == 1


def test_past_events_fire_nothing_and_tell_nobody(desk: Desk) -> None:
    desk.add_endpoint()
    past = STAY.format(start="2025-05-01")
    plan = desk.publish(past)
    assert plan.count(Kind.ADDED) == 1
    assert (plan.planned, plan.messages) == ((), ())
    assert desk.publish(past + "  location: elsewhere\n").messages == ()
    assert desk.publish(OTHERS).messages[0].subject.type == "event.added"


def test_a_past_event_that_moves_into_the_future_is_told_of(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(STAY.format(start="2025-05-01"))
    plan = desk.publish(JUNE)
    assert [message.subject.type for message in plan.messages] == ["event.moved"]
    assert len(plan.planned) == 2


def test_a_publish_after_the_time_of_a_reminder_plans_it_all_the_same(desk: Desk) -> None:
    plan = desk.publish(STAY.format(start="2025-06-05"))
    assert [one.due < desk.now for one in plan.planned] == [True, False]


def test_reminders_are_planned_for_the_horizon_only(desk: Desk) -> None:
    plan = desk.publish(
        "daily:\n  summary: D\n  start: 2025-01-01\n  reminders: [1 day]\n"
        "  repeat: {rule: FREQ=DAILY}\n"
    )
    days = {one.due.date() for one in plan.planned}
    assert max(days) == (desk.now + HORIZON).date()
    assert len(days) == len(plan.planned) > HORIZON // timedelta(days=1)


def test_a_calendar_that_only_has_a_new_name_changes_no_event(desk: Desk) -> None:
    desk.publish(JUNE)
    before = desk.everything()
    renamed = define(JUNE).model_copy(update={"name": {"en": "Another"}})
    plan = desk.publish_calendars(renamed)
    assert (len(plan.calendars), plan.changes) == (1, ())
    after = desk.everything()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"publishes", "calendars"}


def test_an_event_that_goes_to_another_calendar_changes_both(desk: Desk) -> None:
    fixed = JUNE + "  uid: stay@example.org\n"
    desk.publish_calendars(define(OTHERS + fixed), define(OTHERS, slug="other"))
    plan = desk.publish_calendars(define(OTHERS), define(OTHERS + fixed, slug="other"))
    assert [change.after.event.calendar for change in plan.changes] == ["other"]
    with desk.database.read() as connection:
        rows = load_calendars(connection)
        assert {row.publish_id for row in rows.values()} == {2}


def test_publishes_at_once_make_one_result(desk: Desk) -> None:
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    defined = Definitions((define(MOVED + OTHERS),))

    def work(number: int) -> int:
        now = NOW + timedelta(hours=2, seconds=number)
        return len(apply.publish(desk.database, defined, now, BASE).changes)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [0, 0, 0, 1]
    assert desk.ledger("stay") == [("added", 0), ("moved", 1)]
    assert [subject.type for subject in desk.told()].count("event.moved") == 1


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (apply, "save_calendars"),
        (apply, "save_events"),
        (revisions, "add_revisions"),
        (reminders, "withdraw_reminders"),
        (reminders, "schedule_reminders"),
        (apply, "add_messages"),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_publish_that_dies_on_the_way_leaves_the_last_state(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, late: bool
) -> None:
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    before = desk.everything()
    real: Callable[..., Any] = getattr(module, name)

    def die(*arguments: Any, **options: Any) -> None:
        if late:
            real(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, die)
        with pytest.raises(KeyboardInterrupt):
            desk.publish(MOVED, OTHERS)
    assert desk.everything() == before
    assert desk.publish(MOVED, OTHERS).count(Kind.MOVED) == 1


def test_a_new_rendering_of_the_same_revision_is_no_new_revision(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.publish(JUNE, OTHERS)
    before = desk.revisions()
    for module in ("calfeed.publish.compare", "calfeed.publish.apply"):
        monkeypatch.setattr(f"{module}.RENDERER", 1_000_000)
    plan = desk.publish(JUNE, OTHERS)
    assert (len(plan.rerendered), plan.changes, plan.messages) == (5, (), ())
    assert desk.revisions() == before
    assert desk.publish(JUNE, OTHERS).empty


def test_what_is_rendered_to_other_bytes_gets_the_next_sequence_once_and_nobody_is_told(
    desk: Desk,
) -> None:
    """Google and ICSx5 look at SEQUENCE and LAST-MODIFIED alone."""
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    told, states = desk.told(), desk.states()
    first = desk.revisions()
    uid = first["stay"].event.uid
    with desk.database.write() as connection:
        connection.execute(events.update().values(renderer=RENDERER - 1))
        older = {"vevent": b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"}
        connection.execute(events.update().where(events.c.uid == uid).values(older))
    plan = desk.publish(JUNE, OTHERS)
    assert (len(plan.rerendered), plan.changes, plan.messages) == (5, (), ())
    after = desk.revisions()
    assert {slug for slug in after if after[slug] != first[slug]} == {"stay"}
    assert (after["stay"].sequence, after["stay"].modified) == (1, desk.now)
    assert b"SEQUENCE:1\r\n" in desk.vevents()["stay"]
    assert (desk.told(), desk.states()) == (told, states)
    assert desk.publish(JUNE, OTHERS).empty
    with desk.database.read() as connection:
        published = load_history(connection, [uid]).changes
        assert [one.change.kind for one in published] == [Kind.ADDED]
        newest = load_newest_announced(connection, ["desk"], 50)["desk"]
        assert [one.kind for one in newest] == ["added"] * 5
        behind = load_announced_after(connection, ["desk"], AnnouncementPosition(0, "", 0), 50)
        assert [one.kind for one in behind] == ["added"] * 5
    desk.publish(MOVED, OTHERS)
    assert desk.ledger("stay") == [("added", 0), ("rendered", 1), ("moved", 2)]


@pytest.mark.parametrize("together", [True, False])
def test_withdrawn_events_move_along_with_their_renamed_calendar(
    desk: Desk, together: bool
) -> None:
    """They were to be shown as cancelled for 90 days."""
    desk.publish(JUNE, OTHERS)
    if not together:
        desk.publish(OTHERS)
    withdrawn = None if together else desk.vevents()["stay"]
    news = define(OTHERS, "news", "formerly: [desk]")
    desk.publish_calendars(news)
    with desk.database.read() as connection:
        rows = {row.slug: row for row in load_events(connection, calendar_slugs=["news"])}
    assert len(rows) == 5
    assert rows["stay"].withdrawn_at is not None
    assert rows["stay"].revision.event.calendar == "news"
    assert b"STATUS:CANCELLED" in rows["stay"].vevents[PLAIN]
    assert withdrawn in (None, rows["stay"].vevents[PLAIN])
    assert desk.publish_calendars(news).empty
    desk.now += KEEP_WITHDRAWN
    assert len(desk.publish_calendars(news).retired) == 1


def test_renaming_a_calendar_does_not_hide_that_most_of_it_goes(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    with pytest.raises(PublishRefusedError, match="4 of the 5 coming events of desk"):
        desk.publish_calendars(define(JUNE, "news", "formerly: [desk]"))
