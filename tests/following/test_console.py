"""The console's page about people: counts, and one address that an operator types."""

from __future__ import annotations

from pathlib import Path
from re import sub

from sqlalchemy import select

from calfeed.services.following import own_page
from calfeed.services.following.lookup import find_address
from calfeed.store.tables import endpoints
from tests.delivery.office import Office
from tests.following.people import Crowd
from tests.web.test_console import make_house


def test_the_state_of_an_address_is_found_in_any_case(crowd: Crowd) -> None:
    assert find_address(crowd.database, "amina@example.org") is None
    crowd.ask()
    crowd.admit()
    states = []

    def look() -> None:
        found = find_address(crowd.database, "AMINA@example.org")
        assert found is not None
        states.append(found.state)

    look()
    endpoint_id = crowd.confirm()
    look()
    secret = crowd.secret(endpoint_id)
    own_page.pause(crowd.database, endpoint_id, secret, crowd.now)
    look()
    own_page.leave(crowd.database, endpoint_id, secret, crowd.now)
    look()
    assert states == ["has not confirmed yet", "follows", "has paused", "has left"]


def test_the_page_has_counts_and_no_list(office: Office, tmp_path: Path) -> None:
    crowd = Crowd(office.database, office.now)
    crowd.join("amina@example.org")
    visitor = make_house(office, tmp_path).enter()
    text = visitor.open("/people")
    assert "Confirmed 1" in " ".join(sub("<[^>]+>", " ", text).split())
    assert "amina" not in text
    text = visitor.send("/people", address="Amina@example.org")
    assert "This address follows." in text
    assert "amina" not in visitor.place
    assert "Nothing is known" in visitor.send("/people", address="other@example.org")
    assert "is not a mail address" in visitor.send("/people", address="amina")


def test_an_operator_removes_a_person_who_asks_for_it(office: Office, tmp_path: Path) -> None:
    """As if they left by themselves: no address is left, and a second press changes nothing."""
    crowd = Crowd(office.database, office.now)
    crowd.join("amina@example.org")
    visitor = make_house(office, tmp_path).enter()
    assert "Remove this person" in visitor.send("/people", address="amina@example.org")
    for _ in range(2):
        text = visitor.send("/people", address="amina@example.org", act="remove")
        assert "Removed: the address is deleted" in text
    with office.database.read() as connection:
        urls = connection.scalars(select(endpoints.c.url)).all()
    assert urls == [""]
    assert "This address has left." in visitor.send("/people", address="amina@example.org")


def test_deliveries_and_their_lists_show_no_address(office: Office, tmp_path: Path) -> None:
    crowd = Crowd(office.database, office.now)
    endpoint_id = crowd.join("amina@example.org")
    visitor = make_house(office, tmp_path).enter()
    assert endpoint_id in visitor.open("/deliveries")
    assert "amina" not in visitor.text
    visitor.open("/deliveries/1")
    assert "a person who follows by mail" in visitor.text
    assert "amina" not in visitor.text
    visitor.open(f"/endpoints/{endpoint_id}")
    assert visitor.page.status_code == 404
    assert endpoint_id not in visitor.open("/endpoints")
