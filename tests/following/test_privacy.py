"""Where an address is, and where it is no longer after its person has left."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from calfeed.delivery.retention import Retention
from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message
from calfeed.services.following import own_page
from calfeed.services.following.asking import identify_address
from calfeed.store.outbox.claims import Attempt, record_attempts
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.people.records import find_person, load_people
from calfeed.store.secrets.resealing import count_by_key, reseal_all
from calfeed.store.secrets.sealing import VERSION
from calfeed.store.tables import metadata
from tests.following.people import Crowd

ADDRESS = "amina@example.org"


def dump(crowd: Crowd) -> str:
    """Every value in the database, as a dump has it."""
    with crowd.database.read() as connection:
        return "\n".join(
            repr(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(text(f"SELECT * FROM {table.name}"))
        )


def read_bytes(crowd: Crowd) -> bytes:
    """The bytes of the file and its write-ahead log, after a vacuum."""
    path = Path(str(crowd.database.engine.url.database))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))


def list_sealed(crowd: Crowd, endpoint_id: str) -> Iterator[str]:
    """The sealed copies of the address: they are what must go, as it is nowhere in plain."""
    with crowd.database.read() as connection:
        yield from connection.scalars(
            text("SELECT url FROM endpoints WHERE id = :id"), {"id": endpoint_id}
        )
        yield from connection.scalars(text("SELECT address FROM sign_ups"))


def record_bounce(crowd: Crowd, endpoint_id: str) -> None:
    """Record an attempt whose response quotes the address, as mail servers' do."""
    subject = Subject(type="event.moved", calendar="desk", event="visa")
    with crowd.database.write() as connection:
        message = Message("msg_1", subject, crowd.now, b"{}")
        delivery_id = add_delivery(connection, message, endpoint_id)
        quoted = f"550 <{ADDRESS}>: no such user"
        attempt = Attempt(delivery_id, 1, crowd.now, 5, 550, quoted, quoted)
        record_attempts(connection, [attempt])


def test_an_address_is_encrypted_from_the_sign_up_on(crowd: Crowd) -> None:
    crowd.ask(ADDRESS)
    assert ADDRESS not in dump(crowd)
    crowd.admit()
    assert ADDRESS not in dump(crowd)
    crowd.confirm()
    assert ADDRESS not in dump(crowd)


def test_leaving_deletes_the_address_from_the_bytes_of_the_database(crowd: Crowd) -> None:
    endpoint_id = crowd.join(ADDRESS, "desk/visa")
    record_bounce(crowd, endpoint_id)
    crowd.ask(ADDRESS, "court")
    sealed = list(list_sealed(crowd, endpoint_id))
    assert len(sealed) == 2
    before = dump(crowd)
    assert all(one.startswith(VERSION) and one in before for one in sealed)
    own_page.leave(crowd.database, endpoint_id, crowd.secret(endpoint_id), crowd.now)
    after = dump(crowd)
    assert not any(one in after for one in sealed)
    assert ADDRESS not in after
    assert "desk/visa" not in after
    assert "no such user" not in after
    with crowd.database.read() as connection:
        kept = load_people(connection, [endpoint_id])[endpoint_id]
    assert (kept.left_at, kept.language) == (crowd.now, "")
    assert kept.hash == identify_address(crowd.key, ADDRESS)
    if crowd.database.is_sqlite:
        stored = read_bytes(crowd)
        assert kept.hash.encode() in stored
        assert not any(one.encode() in stored for one in sealed)
        assert ADDRESS.encode() not in stored


def test_nothing_is_sent_after_leaving(crowd: Crowd) -> None:
    endpoint_id = crowd.join(ADDRESS)
    own_page.leave(crowd.database, endpoint_id, crowd.secret(endpoint_id), crowd.now)
    with crowd.database.read() as connection:
        states = connection.scalars(text("SELECT state FROM deliveries")).all()
    assert set(states) == {"dropped"}


def test_what_is_left_of_who_never_confirmed_does_not_identify_anybody(crowd: Crowd) -> None:
    crowd.ask(ADDRESS)
    crowd.admit()
    with crowd.database.read() as connection:
        person = find_person(connection, identify_address(crowd.key, ADDRESS))
    assert person is not None
    sealed = list(list_sealed(crowd, person.endpoint_id))
    crowd.pass_by(days=2)
    Retention(crowd.database).run(crowd.now)
    after = dump(crowd)
    assert person.hash not in after
    assert not any(one in after for one in sealed)


def test_who_does_not_want_the_first_mail_leaves_with_it(crowd: Crowd) -> None:
    crowd.ask(ADDRESS)
    crowd.admit()
    with crowd.database.read() as connection:
        person = find_person(connection, identify_address(crowd.key, ADDRESS))
    assert person is not None
    endpoint_id = person.endpoint_id
    own_page.leave(crowd.database, endpoint_id, crowd.secret(endpoint_id), crowd.now)
    with crowd.database.read() as connection:
        assert load_people(connection, [endpoint_id]) == {}


def test_addresses_are_encrypted_again_with_a_new_key(crowd: Crowd) -> None:
    endpoint_id = crowd.join(ADDRESS)
    crowd.ask("other@example.org")
    with crowd.database.read() as connection:
        counted = count_by_key(connection)
    assert sum(counted.values()) == 3  # of the people's key, a URL and a sign-up
    reseal_all(crowd.database)
    shown = own_page.show_person(crowd.database, endpoint_id, crowd.secret(endpoint_id))
    assert shown is not None
    assert shown.address == ADDRESS
    assert ADDRESS not in repr(crowd.database) + repr(shown.person)
