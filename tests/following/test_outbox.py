"""People in the outbox: workers mail them, changes reach them, reports name them by a hash."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import event as sql_event

from calfeed.delivery.due import fan_out
from calfeed.delivery.sign_ups import admit_sign_ups
from calfeed.delivery.views import describe_receipt
from calfeed.publish.windows import load_window
from calfeed.reminders.following.choices import Choices, Reminders
from calfeed.services.following import own_page
from calfeed.services.reports import load_event_history
from calfeed.store.people.requests import lock_sign_ups
from tests.delivery.office import Office
from tests.following.people import Crowd
from tests.web.published import Published, make_site

DESK = """
name: The desk
time_zone: UTC
reminders: [1 day]
events:
  visa: {summary: Visa, start: START, categories: [deadline]}
  talks: {summary: Talks, start: 2027-01-12}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK.replace("START", "2026-12-11")})
    yield site
    site.database.close()


def announce_move(site: Published, crowd: Crowd) -> None:
    crowd.pass_by(minutes=1)
    site.now = crowd.now
    site.publish({"desk": DESK.replace("START", "2026-12-18")})
    while fan_out(site.database, crowd.now):
        pass


def receivers_of(site: Published) -> set[str]:
    record = load_event_history(site.database, "desk/visa").record
    return {to.endpoint_id for message in record.messages for to in message.receipts}


def test_a_worker_mails_who_has_signed_up(office: Office) -> None:
    crowd = Crowd(office.database, office.now)
    crowd.ask()
    office.work(lambda: crowd.mails() == [("mailto:amina@example.org", "follow.confirm")])


def test_a_move_reaches_those_who_follow_the_event_its_category_or_its_calendar(
    site: Published,
) -> None:
    crowd = Crowd(site.database, site.now)
    names = ("desk", "desk/visa", "desk#deadline", "desk/talks", "desk#other", "court")
    people = [crowd.join(f"p{number}@example.org", name) for number, name in enumerate(names)]
    announce_move(site, crowd)
    assert receivers_of(site) == set(people[:3])


def test_who_wants_no_moves_or_has_left_or_a_private_calendar_gets_nothing(
    site: Published,
) -> None:
    crowd = Crowd(site.database, site.now)
    quiet, gone = crowd.join("a@example.org"), crowd.join("b@example.org")
    choices = Choices(moves=False, reminders=Reminders.EACH)
    secret = crowd.secret(quiet)
    own_page.change_person(site.database, quiet, secret, ["desk"], choices, crowd.now)
    own_page.leave(site.database, gone, crowd.secret(gone), crowd.now)
    announce_move(site, crowd)
    assert receivers_of(site) == set()
    crowd.join("c@example.org")
    crowd.pass_by(minutes=1)
    site.now = crowd.now
    hidden = DESK.replace("START", "2026-12-20") + "visibility: private\n"
    site.publish({"desk": hidden})
    while fan_out(site.database, crowd.now):
        pass
    assert receivers_of(site) == set()


def test_reports_name_a_person_by_a_hash(site: Published) -> None:
    crowd = Crowd(site.database, site.now)
    endpoint_id = crowd.join("amina@example.org")
    shown = own_page.show_person(site.database, endpoint_id, crowd.secret(endpoint_id))
    assert shown is not None
    announce_move(site, crowd)
    record = load_event_history(site.database, "desk/visa").record
    (receipt,) = [to for message in record.messages for to in message.receipts]
    name = f"person {shown.person.hash[:12]}"
    assert (receipt.description, receipt.url) == (name, "")
    assert describe_receipt(receipt)["url"] == name


def test_plans_count_the_people_who_get_a_reminder(site: Published) -> None:
    crowd = Crowd(site.database, site.now)
    crowd.join("a@example.org", "desk", "desk/visa")
    crowd.join("b@example.org", "desk/visa")
    end = crowd.now + timedelta(days=60)
    planned = load_window(site.database, crowd.now, end)
    assert [(one.reminder.event.slug, one.people) for one in planned] == [("visa", 2), ("talks", 1)]


def test_a_sign_up_does_the_same_whatever_is_known_of_its_address(crowd: Crowd) -> None:
    """So neither the answer nor its time tells: the statements are the same ones."""
    crowd.join("known@example.org")
    crowd.ask("asked@example.org")
    crowd.admit()
    statements: list[str] = []

    def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    done = []
    sql_event.listen(crowd.database.engine, "before_cursor_execute", note)
    for name in ("known", "asked", "new"):
        statements.clear()
        crowd.ask(f"{name}@example.org")
        done.append(list(statements))
    sql_event.remove(crowd.database.engine, "before_cursor_execute", note)
    assert done[0] == done[1] == done[2]
    assert len(done[0]) < 12


def test_workers_do_not_take_the_same_sign_ups(crowd: Crowd, engine: str) -> None:
    if engine == "sqlite":
        pytest.skip("on SQLite one transaction writes at a time")
    crowd.ask()
    results: list[bool] = []
    with crowd.database.write() as connection:
        assert len(lock_sign_ups(connection, crowd.now)) == 1
        other = Thread(target=lambda: results.append(admit_sign_ups(crowd.database, crowd.now)))
        other.start()
        other.join()
    assert (results, crowd.mails()) == ([False], [])
    crowd.admit()
    assert len(crowd.mails()) == 1
