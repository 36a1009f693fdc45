"""Two endpoints want different languages of the same message: real posts, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from calfeed.delivery.due import fan_out
from calfeed.delivery.engine.attempts import claim_of, prepare_requests
from calfeed.errors import Fault
from calfeed.ical.wording.words import words_in
from calfeed.model.site import PRODUCT
from calfeed.reminders.endpoint_values import read_options
from calfeed.reminders.messages import Message
from calfeed.reminders.option_values import Digest
from calfeed.reminders.options import Options
from calfeed.services.receivers.testing import request_test
from calfeed.services.rehearsals import make_rehearsal
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.records import (
    MAX_LANGUAGES,
    Endpoint,
    add_endpoint,
    list_languages,
    lock_endpoint,
)
from calfeed.store.outbox import claims, retention
from calfeed.store.outbox.claims import LEASE
from calfeed.store.outbox.messages import add_messages, load_bodies
from calfeed.store.secrets.private import seal_stored
from calfeed.store.tables import messages, translations
from tests.delivery.office import SECRET, Office, check_signature
from tests.delivery.receiver import Post
from tests.ical.defining import define
from tests.publish.desk import NOW
from tests.store.keeping import make_endpoint, make_message

FRENCH, PLAIN = "/status/204?fr", "/status/204?plain"
STAY = """
stay:
  summary: {{en: The stay ends, fr: Fin du séjour}}
  start: {start}
  location: {{en: Room 4, fr: Salle 4}}
  reminders: [1 week]
"""
MOVED = (
    "Fin du séjour\u00a0: date déplacée, désormais 31 août 2025, auparavant 30 juin 2025",
    "The stay ends: moved from 30 June 2025 to 31 August 2025",
)


def subscribe(office: Office, name: str, path: str, **options: Any) -> None:
    endpoint = Endpoint(
        name,
        office.receiver.url(path),
        make_endpoint(name).filters,
        SECRET,
        NOW - timedelta(days=1),
        options=Options(**options),
    )
    with office.database.write() as connection:
        add_endpoint(connection, endpoint)


def subscribe_both(office: Office, path: str = FRENCH, **options: Any) -> None:
    subscribe(office, "end_fr", path, language="fr", **options)
    subscribe(office, "end_plain", PLAIN, **options)


def change_options(office: Office, name: str, **options: Any) -> None:
    with office.database.write() as connection:
        changed = replace(lock_endpoint(connection, name), options=Options(**options))
        lifecycle.change_endpoint(connection, changed, office.now)


def move(office: Office) -> None:
    """Publish the stay, let it be announced, and move it."""
    office.publish(STAY.format(start="2025-06-30"))
    office.deliver()
    office.receiver.posts.clear()
    office.publish(STAY.format(start="2025-08-31"))


def posts_to(office: Office, path: str) -> list[Post]:
    return [post for post in office.receiver.posts if post.path == path]


def data_of(post: Post) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(post.body)["data"]
    return data


def test_the_same_move_reaches_each_endpoint_in_its_language(office: Office) -> None:
    subscribe_both(office)
    move(office)
    office.deliver()
    (french,), (plain,) = posts_to(office, FRENCH), posts_to(office, PLAIN)
    assert (data_of(french)["text"], data_of(plain)["text"]) == MOVED
    assert french.headers["webhook-id"] == plain.headers["webhook-id"]
    check_signature(french)
    check_signature(plain)
    assert data_of(french)["language"] == "fr"
    assert "language" not in data_of(plain)
    event = data_of(french)["event"]
    assert (event["summary"], event["location"]) == ("Fin du séjour", "Salle 4")
    assert data_of(french)["previous"]["summary"] == "Fin du séjour"
    # What programs read is the same.
    for key in ("uid", "sequence", "status", "kind", "start", "end"):
        assert event[key] == data_of(plain)["event"][key]
    assert data_of(french)["change"] == data_of(plain)["change"] == "moved"


def test_each_attempt_sends_the_same_bytes_even_if_the_option_changes(office: Office) -> None:
    subscribe_both(office, "/status/500")
    move(office)
    office.deliver()
    change_options(office, "end_fr")
    change_options(office, "end_plain", language="fr")
    office.now += timedelta(minutes=10)
    office.deliver()
    office.redirect(FRENCH, "end_fr")
    office.now += timedelta(hours=5)
    office.deliver()
    attempts = [*posts_to(office, "/status/500"), *posts_to(office, FRENCH)]
    moves = [post for post in attempts if json.loads(post.body)["type"] == "event.moved"]
    assert len(moves) >= 3
    assert len({post.body for post in moves}) == len({p.headers["webhook-id"] for p in moves}) == 1
    assert data_of(moves[0])["text"] == MOVED[0]
    for post in moves:
        check_signature(post)
    # The next message is in the language that each wants now.
    office.publish(STAY.format(start="2025-09-30"))
    office.deliver()
    assert data_of(posts_to(office, FRENCH)[-1])["text"].startswith("The stay ends: moved")
    assert data_of(posts_to(office, PLAIN)[-1])["text"].startswith("Fin du séjour")


def test_what_a_worker_died_with_is_sent_again_with_the_same_bytes(office: Office) -> None:
    subscribe_both(office)
    move(office)
    office.deliver()
    office.receiver.posts.clear()
    office.publish(STAY.format(start="2025-10-31"))
    while fan_out(office.database, office.now):
        pass
    with office.database.write() as connection:
        taken = claims.claim(connection, office.now, 9)
        lost = prepare_requests(connection, taken, lambda: office.now)
    # The worker is killed after it sent, before it recorded anything; its leases run out.
    bodies = {claim_of(request).endpoint_id: request.body for request in lost}
    change_options(office, "end_fr")
    office.now += LEASE
    office.deliver()
    (french,), (plain,) = posts_to(office, FRENCH), posts_to(office, PLAIN)
    assert {"end_fr": french.body, "end_plain": plain.body} == bodies
    assert data_of(french)["text"].startswith("Fin du séjour")


def test_a_message_that_is_the_same_in_a_language_is_stored_once(office: Office) -> None:
    subscribe(office, "end_fr", FRENCH, language="en")
    move(office)
    office.deliver()
    with office.database.read() as connection:
        assert connection.execute(select(translations)).all() == []
    (post,) = office.receiver.posts
    assert data_of(post)["text"] == MOVED[1]


def test_an_endpoint_whose_message_has_no_translation_gets_it_as_it_is(office: Office) -> None:
    """The language was chosen after the message was made, and before its fan-out."""
    subscribe(office, "end_fr", FRENCH)
    office.publish(STAY.format(start="2025-06-30"))
    change_options(office, "end_fr", language="fr")
    office.deliver()
    (post,) = office.receiver.posts
    assert data_of(post)["text"] == "The stay ends: new, 30 June 2025"


def test_reminders_and_digests_are_in_the_language_of_the_endpoint(office: Office) -> None:
    subscribe(office, "end_fr", FRENCH, language="fr", digest=Digest(at=time(18)))
    subscribe(office, "end_plain", PLAIN, digest=Digest(at=time(18)))
    subscribe(office, "end_2", "/status/204?2", language="fr")
    office.publish(STAY.format(start="2025-06-30"))
    office.deliver()
    office.receiver.posts.clear()
    for hour in (4, 18):  # when the reminder is due, and the digests
        office.now = NOW.replace(day=23, hour=hour)
        office.deliver()
    (digest,), (plain,), (single,) = (
        posts_to(office, path) for path in (FRENCH, PLAIN, "/status/204?2")
    )
    assert data_of(single)["text"] == "Fin du séjour\u00a0: 30 juin 2025, dans 7 jours"
    assert (
        data_of(digest)["text"] == "1 date\u00a0: Fin du séjour\u00a0: 30 juin 2025, dans 7 jours"
    )
    assert data_of(digest)["reminders"][0]["event"]["location"] == "Salle 4"
    assert data_of(plain)["text"] == "1 date: The stay ends: 30 June 2025, in 7 days"
    check_signature(digest)


def test_tests_and_rehearsals_are_in_the_language_of_the_endpoint(office: Office) -> None:
    subscribe(office, "end_fr", FRENCH, language="fr")
    office.publish(STAY.format(start="2025-06-30"))
    office.deliver()
    office.receiver.posts.clear()
    request_test(office.database, "end_fr", office.now)
    window = (office.now, office.now + timedelta(days=90))
    make_rehearsal(office.database, "https://example.org", "end_fr", window, office.now)
    office.deliver()
    texts = {data_of(post)["text"] for post in office.receiver.posts}
    assert texts == {
        words_in("fr").test.format(site=PRODUCT),
        "Fin du séjour\u00a0: 30 juin 2025, dans 7 jours",
    }


def test_a_desk_that_works_in_one_language_gets_its_tests_in_it(office: Office) -> None:
    subscribe(office, "end_plain", PLAIN)
    office.publish_calendars(define(STAY.format(start="2025-06-30"), head="language: fr"))
    request_test(office.database, "end_plain", office.now)
    office.deliver()
    assert words_in("fr").test.format(site=PRODUCT) in {
        data_of(post)["text"] for post in office.receiver.posts
    }


def test_translations_are_deleted_with_the_body_of_their_message(office: Office) -> None:
    subscribe_both(office)
    move(office)
    office.deliver()
    later = office.now + timedelta(days=900)
    with office.database.write() as connection:
        assert connection.execute(select(translations)).all() != []
        assert retention.delete_old_bodies(connection, later, None) is None
        assert connection.execute(select(translations)).all() == []


def test_translations_of_a_private_calendar_are_sealed(office: Office) -> None:
    subscribe_both(office)
    move(office)
    with office.database.write() as connection:
        seal_stored(connection, ["desk"])
        (raw,) = connection.exec_driver_sql(
            "SELECT body FROM translations ORDER BY message_id LIMIT 1"
        ).one()
        assert "séjour".encode() not in bytes(raw)
        keys = connection.execute(select(translations.c.message_id, translations.c.language)).all()
        bodies = load_bodies(connection, [tuple(key) for key in keys])
    assert all("séjour".encode() in message.body for message in bodies.values())
    office.deliver()
    assert data_of(posts_to(office, FRENCH)[-1])["text"] == MOVED[0]


def test_no_more_languages_are_translated_into_than_the_oldest_endpoints_want(
    office: Office,
) -> None:
    """Anybody can register an endpoint, and each language costs each message a body."""
    tags = [f"x{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(MAX_LANGUAGES + 5)]
    with office.database.write() as connection:
        for number, tag in enumerate(tags):
            endpoint = replace(
                make_endpoint(f"end_{number}"),
                created=NOW - timedelta(days=100 - number),
                options=Options(language=tag, rate=number + 1),
            )
            add_endpoint(connection, endpoint)
        assert list_languages(connection) == tags[:MAX_LANGUAGES]


def test_a_message_that_is_added_again_keeps_its_translations(office: Office) -> None:
    message: Message = replace(make_message(), translations={"fr": b'{"text":"le"}'})
    again = replace(message, translations={"fr": b'{"text":"la"}', "de": b"{}"})
    with office.database.write() as connection:
        add_messages(connection, [message])
        add_messages(connection, [again])
        found = load_bodies(connection, [("msg_1", "fr"), ("msg_1", None), ("msg_1", "es")])
        assert connection.scalar(select(messages.c.id)) == "msg_1"
    assert found["msg_1", "fr"].body == b'{"text":"le"}'
    assert found["msg_1", None].body == found["msg_1", "es"].body == message.body


@pytest.mark.parametrize("tag", ["french!", "", "fr_FR"])
def test_a_language_has_to_be_a_tag(tag: str) -> None:
    faults: list[Fault] = []
    assert read_options(Options(), {"language": tag}, faults) == Options()
    assert [fault.place for fault in faults] == ["options/language"]
