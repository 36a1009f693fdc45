"""People sign up, confirm, change what they get, pause and leave, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calfeed.delivery.retention import KEEP_CONSENT, Retention
from calfeed.errors import InvalidInputError, NotFoundError
from calfeed.model.states import EndpointState
from calfeed.reminders.following.choices import Choices, Reminders
from calfeed.reminders.option_values import parse_quiet
from calfeed.services.following import asking, own_page
from calfeed.store.people.changes import count_people
from calfeed.store.people.records import find_person
from tests.following.people import Crowd

AMINA = "mailto:amina@example.org"


def show(crowd: Crowd, endpoint_id: str) -> own_page.PersonDetails:
    shown = own_page.show_person(crowd.database, endpoint_id, crowd.secret(endpoint_id))
    assert shown is not None
    return shown


def test_an_address_is_asked_then_confirmed_then_welcomed(crowd: Crowd) -> None:
    crowd.ask("Amina@Example.ORG ", "desk/visa", choices=Choices(language="ur", entries=False))
    assert crowd.mails() == []
    crowd.admit()
    assert crowd.mails() == [("mailto:Amina@example.org", "follow.confirm")]
    endpoint_id = crowd.confirm()
    assert [kind for _, kind in crowd.mails()] == ["follow.confirm", "follow.welcome"]
    shown = show(crowd, endpoint_id)
    assert (shown.address, shown.state) == ("Amina@example.org", EndpointState.ACTIVE)
    assert shown.follows == ("desk/visa",)
    assert shown.choices == Choices(language="ur", entries=False)
    assert (shown.person.asked_at, shown.person.confirmed_at) == (crowd.now, crowd.now)


def test_confirming_again_changes_nothing(crowd: Crowd) -> None:
    first = crowd.join()
    assert crowd.confirm() == first
    assert len(crowd.mails()) == 2


def test_a_wrong_or_old_link_confirms_nothing(crowd: Crowd) -> None:
    crowd.ask()
    crowd.admit()
    request_id, secret = crowd.confirm_path().split("/")[3:]
    for wrong in (secret[:-1] + "_", "", "ü" * 32):
        with pytest.raises(NotFoundError):
            asking.confirm(crowd.database, request_id, wrong, crowd.now)
    crowd.pass_by(days=2)
    with pytest.raises(NotFoundError):
        crowd.confirm()


def test_sign_ups_of_a_day_are_one_mail_and_all_of_them_are_confirmed(crowd: Crowd) -> None:
    for name in ("desk", "court#hearing", "desk"):
        crowd.ask("amina@example.org", name)
        crowd.admit()
        crowd.pass_by(hours=1)
    crowd.ask("AMINA@example.org", "court/one", choices=Choices(reminders=Reminders.WEEKLY))
    crowd.admit()
    assert crowd.mails() == [(AMINA, "follow.confirm")]
    shown = show(crowd, crowd.confirm())
    assert shown.follows == ("desk", "court#hearing", "court/one")
    assert shown.choices.reminders is Reminders.WEEKLY


def test_who_does_not_confirm_is_mailed_again_on_the_next_day_only(crowd: Crowd) -> None:
    crowd.ask()
    crowd.admit()
    crowd.pass_by(hours=23, minutes=59)
    crowd.ask()
    crowd.admit()
    assert len(crowd.mails()) == 1
    crowd.pass_by(minutes=1)
    crowd.ask("amina@example.org", "court")
    crowd.admit()
    assert crowd.mails() == [(AMINA, "follow.confirm")] * 2
    assert show(crowd, crowd.confirm()).follows == ("desk", "court")


def test_who_follows_already_confirms_more_and_keeps_the_own_choices(crowd: Crowd) -> None:
    endpoint_id = crowd.join()
    crowd.ask("amina@example.org", "court", choices=Choices(moves=False, language="ps"))
    crowd.admit()
    assert len(crowd.mails()) == 2  # it was mailed on this day
    crowd.pass_by(days=1)
    crowd.admit()
    assert crowd.mails()[2:] == [(AMINA, "follow.known")]
    assert show(crowd, endpoint_id).follows == ("desk",)
    assert crowd.confirm() == endpoint_id
    shown = show(crowd, endpoint_id)
    assert shown.follows == ("desk", "court")
    assert shown.choices == Choices()


def test_choices_are_kept_and_something_must_be_wanted(crowd: Crowd) -> None:
    endpoint_id = crowd.join()
    secret = crowd.secret(endpoint_id)
    choices = Choices(
        reminders=Reminders.WEEKLY,
        moves=False,
        entries=False,
        language="fa-AF",
        time_zone="Asia/Kabul",
        quiet=parse_quiet("22:00-07:00"),
    )
    assert own_page.change_person(
        crowd.database, endpoint_id, secret, ["court", "desk"], choices, crowd.now
    )
    shown = show(crowd, endpoint_id)
    assert (shown.follows, shown.choices) == (("court", "desk"), choices)
    nothing = Choices(reminders=Reminders.NONE, moves=False)
    for follows, given in ((["desk"], nothing), ([], choices)):
        with pytest.raises(InvalidInputError):
            own_page.change_person(crowd.database, endpoint_id, secret, follows, given, crowd.now)


def test_a_person_pauses_and_resumes_and_leaves_once(crowd: Crowd) -> None:
    endpoint_id = crowd.join()
    secret = crowd.secret(endpoint_id)
    assert own_page.pause(crowd.database, endpoint_id, secret, crowd.now)
    assert show(crowd, endpoint_id).state is EndpointState.PAUSED
    assert own_page.resume(crowd.database, endpoint_id, secret, crowd.now)
    assert show(crowd, endpoint_id).state is EndpointState.ACTIVE
    for _ in range(2):
        own_page.leave(crowd.database, endpoint_id, secret, crowd.now)
        assert own_page.show_person(crowd.database, endpoint_id, secret) is None
    assert not own_page.resume(crowd.database, endpoint_id, secret, crowd.now)
    with pytest.raises(NotFoundError):
        crowd.confirm()


def test_a_link_of_one_person_opens_no_other_page(crowd: Crowd) -> None:
    one = crowd.join()
    other = crowd.join("other@example.org")
    for endpoint_id, secret in ((one, crowd.secret(other)), (one, ""), ("per_0", "x")):
        with pytest.raises(NotFoundError):
            own_page.show_person(crowd.database, endpoint_id, secret)
        with pytest.raises(NotFoundError):
            own_page.leave(crowd.database, endpoint_id, secret, crowd.now)


def test_who_left_can_come_back_with_another_link(crowd: Crowd) -> None:
    first = crowd.join()
    own_page.leave(crowd.database, first, crowd.secret(first), crowd.now)
    crowd.pass_by(days=1)
    second = crowd.join()
    assert second != first
    assert show(crowd, second).follows == ("desk",)


def test_people_are_counted_by_state(crowd: Crowd) -> None:
    paused, left = crowd.join("b@example.org"), crowd.join("c@example.org")
    crowd.join("a@example.org")
    crowd.ask("d@example.org")
    crowd.admit()
    own_page.pause(crowd.database, paused, crowd.secret(paused), crowd.now)
    own_page.leave(crowd.database, left, crowd.secret(left), crowd.now)
    with crowd.database.read() as connection:
        assert count_people(connection)._asdict() == {
            "confirmed": 2,
            "paused": 1,
            "bounced": 0,
            "waiting": 1,
            "left": 1,
        }


def test_unconfirmed_people_are_purged_after_two_days_and_others_stay(crowd: Crowd) -> None:
    kept = crowd.join("b@example.org")
    crowd.ask("c@example.org")
    crowd.admit()
    retention = Retention(crowd.database)
    for hours, waiting in ((47, 1), (1, 0)):
        crowd.pass_by(hours=hours)
        retention.run(crowd.now)
        with crowd.database.read() as connection:
            assert count_people(connection).waiting == waiting
    assert show(crowd, kept).follows == ("desk",)


def test_the_proof_of_consent_is_deleted_years_after_leaving(crowd: Crowd) -> None:
    endpoint_id = crowd.join()
    own_page.leave(crowd.database, endpoint_id, crowd.secret(endpoint_id), crowd.now)
    crowd.pass_by(days=KEEP_CONSENT / timedelta(days=1))
    Retention(crowd.database).run(crowd.now)
    with crowd.database.read() as connection:
        assert find_person(connection, "") is None
        assert count_people(connection).left == 0


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        (" a.b+c@Example.org ", "a.b+c@example.org"),
        ("amina@پاکستان.example", "amina@xn--mgbai9azgqp6j.example"),
        ("آمنہ@example.org", "آمنہ@example.org"),
    ],
)
def test_addresses_have_a_normal_form(given: str, normal: str) -> None:
    assert asking.read_address(given) == normal


@pytest.mark.parametrize(
    "given", ["", "amina", "a@b", "a@example.org, b@example.org", "a b@c.de", "a@[127.0.0.1]"]
)
def test_what_is_not_an_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidInputError):
        asking.read_address(given)
