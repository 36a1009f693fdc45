"""The pages for people who follow: the form, the link, the own page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from calfeed.store.people.tables import sign_ups
from calfeed.web.app import make_flask
from calfeed.web.pages.page_cache import PageCache
from calfeed.web.published.state import State
from tests.following.people import BASE, Crowd
from tests.web.published import Published, make_site

DESK = """
name: {en: The desk, ur: ڈیسک}
time_zone: Asia/Karachi
events:
  visa: {summary: Visa applications close, start: 2026-12-11, categories: [deadline]}
  talks: {summary: Talks, start: 2026-12-12}
"""
PRIVATE = """
name: Vault
time_zone: UTC
visibility: private
events:
  it: {summary: It, start: 2026-12-12}
"""
FORM = {
    "address": "amina@example.org",
    "moves": "on",
    "entries": "on",
    "reminders": "each",
    "language": "en",
    "zone": "Asia/Karachi",
}


class House:
    """A site with mail, and a crowd in front of it."""

    def __init__(self, site: Published) -> None:
        self.crowd = Crowd(site.database, site.now)
        state = State(site.database, BASE, lambda: self.crowd.now)
        state.refresh()
        self.client = Client(PageCache(make_flask(state, BASE, mails=True).wsgi_app, state))

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def send(self, path: str, **fields: object) -> TestResponse:
        return self.client.post(path, data=fields, environ_base={"REMOTE_ADDR": "192.0.2.1"})

    def join(self, path: str = "/follow/desk/") -> str:
        """Sign up by the form and confirm; returns the path of the own page."""
        assert self.send(path, **FORM).status_code == 200
        self.crowd.admit()
        return self.crowd.own_path(self.crowd.confirm())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK, "vault": PRIVATE})
    yield House(site)
    site.database.close()


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("/calendars/desk/", "/follow/desk/"),
        ("/calendars/desk/?category=deadline", "/follow/desk/?category=deadline"),
        ("/calendars/desk/?lang=ur&view=month", "/follow/desk/?lang=ur"),
        ("/calendars/desk/visa/", "/follow/desk/visa/"),
    ],
)
def test_pages_lead_to_the_form_where_mail_is_set_up(house: House, page: str, form: str) -> None:
    link = f'href="{form.replace("&", "&amp;")}"'
    assert link in house.get(page).text
    assert house.get(form).status_code == 200


def test_without_mail_there_is_neither_a_link_nor_a_form(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    assert "/follow/" not in site.get("/calendars/desk/").text
    assert site.get("/follow/desk/").status_code == 404
    site.database.close()


@pytest.mark.parametrize("path", ["/follow/vault/", "/follow/nowhere/", "/follow/vault/it/"])
def test_private_calendars_cannot_be_followed(house: House, path: str) -> None:
    assert house.get(path).status_code == 404
    assert house.send(path, **FORM).status_code == 404
    house.crowd.admit()
    assert house.crowd.mails() == []


def test_a_form_leads_to_a_mail_whose_page_has_a_button(house: House) -> None:
    response = house.send("/follow/desk/?category=deadline", **FORM)
    assert response.headers["Cache-Control"] == "no-store"
    house.crowd.admit()
    path = house.crowd.confirm_path()
    for _ in range(2):  # a scanner and a person follow the link
        assert "Yes, follow" in house.get(path).text
    assert len(house.crowd.mails()) == 1
    page = house.send(path)
    assert "You follow these dates now" in page.text
    assert "confirmed this already" in house.get(path).text
    assert "You follow these dates now" in house.send(path).text
    own = house.get(house.crowd.own_path(house.crowd.confirm()))
    assert "deadline" in own.text
    assert "amina@example.org" in own.text


def test_only_what_was_shown_is_confirmed(house: House) -> None:
    """Whoever knows an address can add to its request; the page then asks again."""
    house.send("/follow/desk/visa/", **FORM)
    house.crowd.admit()
    path = house.crowd.confirm_path()

    def press(page: str) -> str:
        found = re.search(r'name="shown" value="([0-9a-f]+)"', page)
        assert found is not None
        return house.send(path, shown=found[1]).text

    before = house.get(path).text
    house.send("/follow/desk/", **FORM)
    house.crowd.admit()
    again = press(before)
    assert "Yes, follow" in again
    assert "You follow these dates now" in press(again)


def test_who_follows_already_is_not_told_that_the_address_is_deleted(house: House) -> None:
    """Without the button nothing changes for them; only an unconfirmed address is deleted."""
    house.send("/follow/desk/", **FORM)
    house.crowd.admit()
    text = "your address is deleted after two days"
    assert text in house.get(house.crowd.confirm_path()).text
    house.crowd.confirm()
    house.crowd.pass_by(days=1)
    house.send("/follow/desk/visa/", **FORM)
    house.crowd.admit()
    page = house.get(house.crowd.confirm_path()).text
    assert "You follow other dates already" in page
    assert text not in page


def test_a_customer_with_many_networks_is_one_origin(house: House) -> None:
    """Who has 65,536 IPv6 networks does not get the share of 65,536 people."""
    for number in range(3):
        address = {"REMOTE_ADDR": f"2001:db8:1:{number}::1"}
        form = {**FORM, "address": f"{number}@example.org"}
        house.client.post("/follow/desk/", data=form, environ_base=address)
    house.send("/follow/desk/", **FORM)
    with house.crowd.database.read() as connection:
        origins = connection.scalars(select(sign_ups.c.origin)).all()
    assert (len(origins), len(set(origins))) == (4, 2)


def test_the_answer_is_the_same_for_every_address_and_for_programs(house: House) -> None:
    house.join()
    answers = [house.send("/follow/desk/", **FORM)]  # known
    answers.append(house.send("/follow/desk/", **{**FORM, "address": "new@example.org"}))
    answers.append(house.send("/follow/desk/", **FORM, website="https://spam.example"))
    assert {(one.status, one.text, str(one.headers)) for one in answers} == {
        (answers[0].status, answers[0].text, str(answers[0].headers))
    }
    house.crowd.admit()
    assert [url for url, _ in house.crowd.mails()].count("mailto:new@example.org") == 1
    assert len(house.crowd.mails()) == 3


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": "amina"}, "This is not a mail address"),
        ({"address": ""}, "This is not a mail address"),
        ({"reminders": "often"}, "Choose one of these"),
        ({"reminders": "none", "moves": None}, "Choose moved dates or reminders"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_at_its_field(
    house: House, changed: dict[str, str | None], said: str
) -> None:
    fields = {name: value for name, value in {**FORM, **changed}.items() if value is not None}
    response = house.send("/follow/desk/", **fields)
    assert response.status_code == 422
    assert said in response.text
    assert 'aria-invalid="true"' in response.text


def test_errors_are_in_the_language_of_the_reader(house: House) -> None:
    english = house.send("/follow/desk/", **{**FORM, "address": "x"}).text
    urdu = house.send("/follow/desk/?lang=ur", **{**FORM, "address": "x"}).text
    assert "This is not a mail address" in english
    assert "This is not a mail address" not in urdu


def test_a_person_changes_pauses_resumes_and_leaves_on_the_own_page(house: House) -> None:
    path = house.join()
    changed = house.send(
        path,
        follows=["desk/visa", "desk#deadline", "vault"],
        reminders="weekly",
        language="ur",
        zone="Asia/Kabul",
        quiet_from="22:00",
        quiet_until="07:00",
    )
    assert changed.status_code == 200
    text = house.get(path + "?lang=en").text
    assert 'value="desk/visa" checked' in text
    assert 'value="weekly" checked' in text
    assert "vault" not in text  # it is private
    assert 'value="22:00"' in text
    assert 'lang="ur"' in house.get(path).text.partition("<head>")[0]
    assert "Paused" in house.send(path + "?lang=en", act="pause").text
    assert "Paused" in house.get(path + "?lang=en").text
    assert "Resumed" in house.send(path + "?lang=en", act="resume").text
    assert "Do you want to leave?" in house.get(path + "leave?lang=en").text
    assert house.get(path).status_code == 200  # the link alone changes nothing


def test_one_click_leaves_without_a_cookie_or_a_redirect(house: House) -> None:
    """RFC 8058: the mail program posts to the URL of the header, and shows nothing."""
    path = house.join()
    for _ in range(2):
        response = house.client.post(
            path + "leave", data={"List-Unsubscribe": "One-Click"}, headers={"User-Agent": "mail"}
        )
        assert (response.status_code, response.headers.get("Location")) == (200, None)
        assert response.headers.get("Set-Cookie") is None
    assert "You have left" in house.get(path).text
    assert "amina" not in house.get(path).text


def test_pages_behind_a_secret_are_not_stored_nor_named_to_others(house: House) -> None:
    own = house.join()
    confirm = house.crowd.confirm_path()
    for path in (own, own + "leave", confirm, own[:-2] + "/", confirm + "x"):
        response = house.get(path)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_a_wrong_link_is_answered_alike_for_everybody(house: House) -> None:
    own = house.join()
    secret = own.split("/")[3]
    wrong = [own.replace(secret, "x" * 32), f"/follow/per_{'0' * 16}/{secret}/"]
    answers = [house.get(path + tail) for path in wrong for tail in ("", "leave")]
    answers += [house.send(path + tail) for path in wrong for tail in ("", "leave")]
    assert {one.status_code for one in answers} == {404}
    assert house.get(own).status_code == 200
