"""Secrets are encrypted in the database, each bound to its row and column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from calfeed.errors import InvalidInputError, KeyFileError, SealError, StoreError
from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import remove_endpoint
from calfeed.store.endpoints.records import (
    Endpoint,
    add_endpoint,
    find_endpoint,
    list_endpoints,
    load_endpoint_page,
    load_endpoints,
    save_endpoint,
)
from calfeed.store.migrate import migrate
from calfeed.store.outbox.claims import Attempt, claim, record_attempts
from calfeed.store.outbox.deliveries import load_attempts
from calfeed.store.secrets.keys import Key, KeyFile, make_key
from calfeed.store.secrets.resealing import count_by_key, drop_key, reseal_all
from calfeed.store.secrets.sealing import Keyring
from calfeed.store.tables import attempts, endpoints
from tests.store.keeping import NOW, keep_deliveries, make_endpoint

URL = "https://example.org/hook/T0KEN"
HEADERS = {"Authorization": "Bearer h3ader"}


def secret_endpoint(name: str = "end_1") -> Endpoint:
    return replace(make_endpoint(name, URL), headers=HEADERS)


def add(database: Database, *names: str) -> None:
    with database.write() as connection:
        for name in names:
            add_endpoint(connection, secret_endpoint(name))


def keys_of(database: Database) -> KeyFile:
    assert database.keyring is not None
    return database.keyring.file


@pytest.fixture
def own(empty_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database with its own keys."""
    with closing(Database(empty_url, tmp_path / "calfeed.keys")) as database:
        migrate(database)
        yield database


def again(database: Database) -> Database:
    """Open the same database as another process would."""
    url = database.engine.url.render_as_string(hide_password=False)
    return Database(url, database.keys)


def test_an_endpoint_is_decrypted_as_it_was_written(database: Database) -> None:
    one = replace(secret_endpoint(), former_secret="whsec_old", former_until=NOW)
    with database.write() as connection:
        add_endpoint(connection, one)
    with database.read() as connection:
        assert find_endpoint(connection, "end_1") == one
        assert load_endpoints(connection, ["end_1"]) == {"end_1": one}
        (row,) = connection.execute(select(endpoints)).all()
    stored = [row.url, row.headers, row.secret, row.former_secret]
    assert all(each.startswith("v1:") for each in stored)
    assert len({each[-40:] for each in stored}) == 4


def test_encryption_is_not_deterministic(database: Database) -> None:
    """The database does not reveal whether endpoints share a secret or change it."""
    add(database, "end_1", "end_2")
    with database.read() as connection:
        assert len(set(connection.scalars(select(endpoints.c.secret)))) == 2


def test_filters_are_read_without_decrypting_secrets(database: Database) -> None:
    add(database, "end_1")
    with database.write() as connection:
        connection.execute(update(endpoints).values(secret="nonsense"))
        (one,) = load_endpoint_page(connection, "", 10)
    assert (one.id, one.lost, one.url) == ("end_1", None, "")


@pytest.mark.parametrize(
    "swap",
    [
        "UPDATE endpoints SET secret = (SELECT secret FROM endpoints WHERE id = 'end_2')",
        "UPDATE endpoints SET secret = url",
        "UPDATE endpoints SET url = 'https://attacker.example/'",
        "UPDATE endpoints SET secret = substr(secret, 1, 12) || 'AAAA' || substr(secret, 17)",
        "UPDATE endpoints SET headers = 'v1:'",
    ],
    ids=["another row's", "another column's", "plain", "changed", "cut off"],
)
def test_moved_or_changed_secrets_are_refused_and_others_work(
    database: Database, swap: str
) -> None:
    add(database, "end_1", "end_2")
    with database.write() as connection:
        connection.execute(text(f"{swap} WHERE id = 'end_1'"))
    with database.read() as connection:
        found = load_endpoints(connection, ["end_1", "end_2"])
    assert found["end_2"] == secret_endpoint("end_2")
    assert "was changed, or moved from another row" in (found["end_1"].lost or "")
    assert (found["end_1"].url, found["end_1"].secret, found["end_1"].headers) == ("", "", {})
    with pytest.raises(SealError, match="endpoint end_1 cannot be read"), database.write() as to:
        save_endpoint(to, found["end_1"])


def test_removal_deletes_everything_but_id_and_description(database: Database) -> None:
    with database.write() as connection:
        add_endpoint(connection, replace(secret_endpoint(), description="The desk's robot"))
        remove_endpoint(connection, "end_1", NOW)
        (row,) = connection.execute(select(endpoints)).all()
    assert (row.url, row.headers, row.secret, row.former_secret) == ("", "", "", None)
    assert row.description == "The desk's robot"


def test_responses_of_receivers_are_sealed(database: Database) -> None:
    """A receiver may repeat the headers of the request."""
    keep_deliveries(database, 1)
    with database.write() as connection:
        (one,) = claim(connection, NOW, 1)
        made = Attempt(one.delivery_id, one.number, NOW, 5, 200, None, "you said Bearer h3ader")
        record_attempts(connection, [made])
    with database.read() as connection:
        assert load_attempts(connection, one.delivery_id) == [made]
        assert "h3ader" not in (connection.scalar(select(attempts.c.response)) or "")


def test_a_lost_key_affects_only_what_it_has_encrypted(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calfeed.store.secrets.sealing._REFRESH_SECONDS", -1.0)
    add(own, "end_1")
    former = keys_of(own).load()[0]
    keys_of(own).add(datetime.now(UTC))
    add(own, "end_2")
    keys_of(own).drop(former.id)
    with closing(again(own)) as other, other.read() as connection:
        found = {one.id: one for one in list_endpoints(connection)}
        assert count_by_key(connection)[former.id] == 3
    assert f"the key {former.id} that it is encrypted with is not in" in (found["end_1"].lost or "")
    assert found["end_2"] == secret_endpoint("end_2")


def test_a_lost_key_file_is_not_recreated_and_the_error_says_what_to_do(own: Database) -> None:
    add(own, "end_1")
    keys_of(own).path.rename(keys_of(own).path.with_suffix(".aside"))
    with closing(again(own)) as other:
        migrate(other)
        with other.read() as connection:
            (one,) = list_endpoints(connection)
        assert "there is no key file" in (one.lost or "")
        with pytest.raises(KeyFileError, match="restore it"):
            add(other, "end_2")
        # Once it is back, all is well, in this very process.
        keys_of(own).path.with_suffix(".aside").rename(keys_of(own).path)
        with other.read() as connection:
            assert list_endpoints(connection) == [secret_endpoint("end_1")]


def test_loaded_keys_are_used_while_the_key_file_is_missing(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts have to be recorded, or messages are sent again."""
    monkeypatch.setattr("calfeed.store.secrets.sealing._REFRESH_SECONDS", -1.0)
    (number,) = keep_deliveries(own, 1)
    keys_of(own).path.unlink()
    made = Attempt(number, 1, NOW, 5, 200, None, "thank you")
    with own.write() as connection:
        record_attempts(connection, [made])
        assert load_attempts(connection, number) == [made]
    with closing(again(own)) as other, other.write() as connection:
        record_attempts(connection, [made._replace(claim=2)])
        assert [one.response for one in load_attempts(connection, number)][1:] == [""]


def test_keys_are_rotated_while_other_processes_read_and_write(own: Database) -> None:
    add(own, *(f"end_{number}" for number in range(3)))
    with closing(again(own)) as other:
        with other.read() as connection:
            assert len(list_endpoints(connection)) == 3  # it has read the keys by now
        former = keys_of(own).load()[0]
        current = keys_of(own).add(datetime.now(UTC) - timedelta(hours=1))
        reseal_all(own)
        with other.read() as connection:
            assert [one.lost for one in list_endpoints(connection)] == [None] * 3
        add(other, "end_9")
        with other.read() as connection:
            assert count_by_key(connection) == {current.id: 12}
        drop_key(own, former.id, datetime.now(UTC))
        assert [one.id for one in keys_of(own).load()] == [current.id]


def test_a_key_in_use_cannot_be_dropped(own: Database) -> None:
    add(own, "end_1")
    now = datetime.now(UTC)
    former = keys_of(own).load()[0]
    with pytest.raises(InvalidInputError, match="is the current one"):
        drop_key(own, former.id, now + timedelta(hours=1))
    keys_of(own).add(now)
    with pytest.raises(InvalidInputError, match="3 texts are still encrypted with key"):
        drop_key(own, former.id, now + timedelta(hours=1))
    reseal_all(own)
    with pytest.raises(InvalidInputError, match="less than a minute ago"):
        drop_key(own, former.id, now)
    drop_key(own, former.id, now + timedelta(minutes=2))
    with pytest.raises(InvalidInputError, match="there is no key"):
        drop_key(own, "00000000", now + timedelta(minutes=2))


def test_an_interrupted_reseal_can_be_repeated(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calfeed.store.secrets.resealing.BATCH_SIZE", 2)
    add(own, *(f"end_{number}" for number in range(5)))
    former = keys_of(own).load()[0]
    keys_of(own).add(datetime.now(UTC))
    with own.write() as connection:  # one that cannot be read is passed over
        connection.execute(text("UPDATE endpoints SET url = url || 'x' WHERE id = 'end_1'"))
    assert reseal_all(own) > 5
    with own.read() as connection:
        assert count_by_key(connection)[former.id] == 1
    assert reseal_all(own) == 1


def test_without_a_key_file_no_secret_is_stored(empty_url: str, engine: str) -> None:
    if engine == "sqlite":
        return  # its keys are beside it
    with closing(Database(empty_url)) as database:
        migrate(database)
        with pytest.raises(StoreError, match="no key file is configured"):
            add(database, "end_1")


def test_a_changed_key_file_is_read_again(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys")
    file.make(NOW)
    (first,) = file.load()
    KeyFile(file.path).add(NOW + timedelta(days=1))
    assert [one.id for one in file.load()][1:] == [first.id]
    file.make(NOW)  # there is one
    assert len(file.load()) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "there is no key in"),
        ("0123abcd 2025-01-01T00:00:00+00:00 c2hvcnQ=", "line 1 of .* is not a key"),
        ("whatever this is", "line 1 of .* is not a key"),
        ("\N{SNOWMAN}", "line 1 of .* is not a key"),
    ],
)
def test_an_invalid_key_file_is_refused(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "keys").write_text(line + "\n", "utf-8")
    with pytest.raises(KeyFileError, match=said) as caught:
        KeyFile(tmp_path / "keys").load()
    assert "c2hvcnQ" not in str(caught.value)


def test_two_keys_with_the_same_id_are_refused(tmp_path: Path) -> None:
    one = make_key(NOW)
    other = Key(one.id, NOW, bytes(32))
    (tmp_path / "keys").write_text(f"{one.line}\n{other.line}\n", "ascii")
    with pytest.raises(KeyFileError, match="the same id"):
        KeyFile(tmp_path / "keys").load()


def test_the_repr_of_keys_and_keyrings_shows_no_secret(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys")
    file.make(NOW)
    (key,) = file.load()
    secret = key.line.split()[-1]
    for one in (key, file, Keyring(file)):
        assert secret not in repr(one)
        assert repr(key.secret) not in repr(one)
