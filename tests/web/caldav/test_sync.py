"""A sync token gives exactly what changed since: by moves, withdrawals, years and restores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.delivery.due import retire_events
from calfeed.publish.restore import raise_sequences
from tests.web.caldav.door import DATA, OPEN, SPACES, C, Door
from tests.web.published import make_site


def desk(**starts: str) -> dict[str, str]:
    """A calendar with an event for each name and start; "cancelled" stands for one cancelled."""
    lines = ["name: Open", "time_zone: UTC", "events:"]
    for name, start in starts.items():
        day, _, status = start.partition(" ")
        extra = f", status: {status}" if status else ""
        lines.append(f"  {name}: {{summary: {name}, start: {day}, uid: {name}@x.org{extra}}}")
    return {"open": "\n".join(lines)}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    site = make_site(tmp_path)
    site.publish(desk(a="2027-01-01", b="2027-01-02", c="2027-01-03"))
    yield Door(site)
    site.database.close()


def publish(door: Door, **starts: str) -> None:
    door.site.now += timedelta(hours=1)
    door.site.publish(desk(**starts))


def is_refused(door: Door, token: str) -> bool:
    body = f"<D:sync-collection {SPACES}><D:sync-token>{token}</D:sync-token></D:sync-collection>"
    response = door.ask("REPORT", OPEN, body)
    return response.status_code == 403 and "<D:valid-sync-token/>" in response.text


def test_without_a_token_all_members_come_and_with_it_none(door: Door) -> None:
    first = door.sync()
    assert first.names() == {"a@x.org.ics", "b@x.org.ics", "c@x.org.ics"}
    again = door.sync(first.token)
    assert (again.properties, again.statuses, again.token) == ({}, {}, first.token)


def test_a_moved_an_added_and_a_cancelled_event_come_alone(door: Door) -> None:
    token = door.sync().token
    publish(door, a="2027-02-01", b="2027-01-02 cancelled", c="2027-01-03", d="2027-01-04")
    changed = door.sync(token, DATA)
    assert changed.names() == {"a@x.org.ics", "b@x.org.ics", "d@x.org.ics"}
    assert "DTSTART;VALUE=DATE:20270201" in changed.text(f"{OPEN}a@x.org.ics", f"{C}calendar-data")
    assert "STATUS:CANCELLED" in changed.text(f"{OPEN}b@x.org.ics", f"{C}calendar-data")
    assert changed.token != token
    assert door.sync(changed.token).properties == {}


def test_each_token_has_its_own_changes(door: Door) -> None:
    tokens = [door.sync().token]
    for day in ("2027-02-01", "2027-02-02"):
        publish(door, a=day, b="2027-01-02", c="2027-01-03" if day.endswith("1") else day)
        tokens.append(door.sync(tokens[-1]).token)
    assert [len(door.sync(token).properties) for token in tokens] == [2, 2, 0]


def test_a_withdrawn_event_is_cancelled_and_later_gone(door: Door) -> None:
    first = door.sync().token
    publish(door, a="2027-01-01", b="2027-01-02")
    shown = door.sync(first, DATA)
    assert "STATUS:CANCELLED" in shown.text(f"{OPEN}c@x.org.ics", f"{C}calendar-data")
    door.site.now += timedelta(days=91)
    assert retire_events(door.site.database, door.site.now) == 1
    door.site.state.refresh()
    for token in (first, shown.token):
        gone = door.sync(token)
        assert (gone.properties, gone.statuses) == ({}, {f"{OPEN}c@x.org.ics": "404"})
    assert door.sync(gone.token).statuses == {}
    door.site.now += timedelta(days=1)
    publish(door, a="2027-03-01", b="2027-01-02")
    later = door.sync(gone.token)
    assert later.names() == {"a@x.org.ics"}
    publish(door, a="2027-03-02", b="2027-01-02")
    assert door.sync(later.token).statuses == {}, "it is not said for ever"


def test_an_event_that_comes_back_is_there_again(door: Door) -> None:
    publish(door, a="2027-01-01", b="2027-01-02")
    token = door.sync().token
    publish(door, a="2027-01-01", b="2027-01-02", c="2027-01-03")
    found = door.sync(token, DATA)
    assert "STATUS:CONFIRMED" in found.text(f"{OPEN}c@x.org.ics", f"{C}calendar-data")


def test_an_event_that_moves_to_another_calendar_leaves_this_one(door: Door) -> None:
    token = door.sync().token
    moved = desk(c="2027-01-03")["open"].replace("name: Open", "name: Other")
    door.site.now += timedelta(hours=1)
    door.site.publish(desk(a="2027-01-01", b="2027-01-02") | {"other": moved})
    found = door.sync(token)
    assert (found.properties, found.statuses) == ({}, {f"{OPEN}c@x.org.ics": "404"})
    assert door.sync(path="/dav/calendars/other/").names() == {"c@x.org.ics"}
    assert door.sync(found.token).statuses == {}


def test_a_publish_of_another_calendar_changes_nothing_here(door: Door) -> None:
    token = door.sync().token
    door.site.now += timedelta(hours=1)
    other = desk(z="2027-05-01")["open"].replace("name: Open", "name: Other")
    starts = desk(a="2027-01-01", b="2027-01-02", c="2027-01-03")
    door.site.publish(starts | {"other": other})
    assert door.sync(token).token == token


def test_a_year_that_leaves_the_feed_leaves_the_calendar(door: Door) -> None:
    starts = {"a": "2026-12-01", "b": "2027-01-02", "c": "2027-01-03"}
    door.site.publish({"open": desk(**starts)["open"] + "\nhistory: 0"})
    token = door.sync().token
    door.site.now = datetime(2027, 1, 1, 1, tzinfo=UTC)
    door.site.state.refresh()
    found = door.sync(token)
    assert (found.properties, set(found.statuses)) == ({}, {f"{OPEN}a@x.org.ics"})
    assert door.sync().names() == {"b@x.org.ics", "c@x.org.ics"}
    assert door.sync(found.token).token == found.token
    door.site.publish({"open": desk(**starts)["open"] + "\nhistory: 2"})
    back = door.sync(found.token)
    assert (back.names(), back.statuses) == ({"a@x.org.ics"}, {})


def test_a_token_from_before_a_restore_is_refused(door: Door) -> None:
    token = door.sync().token
    with door.site.database.write() as connection:
        raise_sequences(connection, None, door.site.now)
    door.site.state.refresh()
    assert is_refused(door, token)
    assert not is_refused(door, door.sync().token)


@pytest.mark.parametrize("change", ["", "x", ":open:", ":0", "9"])
def test_a_token_that_was_not_given_for_this_calendar_is_refused(door: Door, change: str) -> None:
    token = door.sync().token
    others = {
        "": "http://example.org/sync/1",
        "x": token + "x",
        ":open:": token.replace(":open:", ":other:"),
        ":0": token.replace("urn:calfeed:", "urn:calfeed:0"),
        "9": token.replace(":open:", ":open:9"),
    }
    assert is_refused(door, others[change])


def test_a_token_is_refused_when_nobody_knows_any_more_what_changed(door: Door) -> None:
    token = door.sync().token
    door.site.now += timedelta(days=300)
    publish(door, a="2027-11-01", b="2027-01-02", c="2027-01-03")
    assert door.sync(token).names() == {"a@x.org.ics"}
    door.site.now += timedelta(days=20)
    publish(door, a="2027-11-02", b="2027-01-02", c="2027-01-03")
    assert is_refused(door, token)


def test_a_part_of_the_changes_cannot_be_asked_for(door: Door) -> None:
    body = (
        f"<D:sync-collection {SPACES}><D:sync-token/><D:limit><D:nresults>1</D:nresults></D:limit>"
        "</D:sync-collection>"
    )
    response = door.ask("REPORT", OPEN, body)
    assert response.status_code == 507
    assert "<D:number-of-matches-within-limits/>" in response.text


def test_an_event_under_embargo_is_not_there_before_its_time(door: Door) -> None:
    token = door.sync().token
    text = desk(a="2027-01-01", b="2027-01-02", c="2027-01-03")["open"]
    secret = "\n  e: {summary: e, start: 2027-01-09, embargo: 2026-12-24 12:00, uid: e@x.org}"
    door.site.now += timedelta(hours=1)
    door.site.publish({"open": text + secret})
    assert "e@x.org.ics" not in door.sync().names()
    assert door.sync(token).properties == {}
    door.site.now = datetime(2026, 12, 24, 13, tzinfo=UTC)
    door.site.publish({"open": text + secret})
    assert door.sync(token).names() == {"e@x.org.ics"}
