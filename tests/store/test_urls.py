"""Database URLs: what they mean, and what is never shown of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from calfeed.errors import StoreError
from calfeed.store.database import Database

KEYS = Path("calfeed.keys")


def given(url: str) -> dict[str, Any]:
    """What the driver is given for a URL of PostgreSQL."""
    with closing(Database(url, KEYS)) as database:
        _, found = database.engine.dialect.create_connect_args(database.engine.url)
    return dict(found)


def name_of(url: str) -> str:
    with closing(Database(url, KEYS)) as database:
        return database.name


@pytest.mark.parametrize(
    ("url", "user", "password"),
    [
        ("postgresql://u:s3,cr3t@127.0.0.1:5432/x", "u", "s3,cr3t"),
        ("postgresql://u,v:s3cr3t@127.0.0.1:5432/x", "u,v", "s3cr3t"),
        ("postgresql://u:s3:cr3t@127.0.0.1:5432/x", "u", "s3:cr3t"),
        ("postgresql://u:s3/cr3t@127.0.0.1:5432/x", "u", "s3/cr3t"),
        ("postgresql://u:s3?cr3t@127.0.0.1:5432/x", "u", "s3?cr3t"),
        ("postgresql://u:s3#cr3t@127.0.0.1:5432/x", "u", "s3#cr3t"),
        ("postgresql://u:s3%40cr%2C3t%25@127.0.0.1:5432/x", "u", "s3@cr,3t%"),
        ("postgresql://u@server:s3cr3t@127.0.0.1:5432/x", "u@server", "s3cr3t"),
    ],
)
def test_a_user_and_a_password_may_have_any_character_that_leaves_one_reading(
    url: str, user: str, password: str
) -> None:
    found = given(url)
    assert (found["user"], found["password"]) == (user, password)
    assert (found["host"], found["port"], found["dbname"]) == ("127.0.0.1", 5432, "x")
    assert name_of(url).endswith(":***@127.0.0.1:5432/x")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3c@r3t@127.0.0.1:1/x",
        "postgresql://u:s3c@r3t/hunter2@127.0.0.1:1/x",
        "postgresql://u:s3c@r3t?hunter2@127.0.0.1:1/x",
        "postgresql://u:s3c@r3t?hunter2=r3t@127.0.0.1:1/x",
        "postgresql://u:s3c@r3t#hunter2@127.0.0.1:1/x",
        "postgresql://u:12/s3c@r3t@127.0.0.1:1/x",
        "postgresql://u:12?r3t=s3c@hunter2@127.0.0.1:1/x",
        "postgresql://u:12/s3c@127.0.0.1:1/x",
        "postgresql://u/v:s3c@127.0.0.1:1/x",
        "postgresql://u?v:s3c@127.0.0.1:1/x",
        "postgresql://u:s3c@a,r3t@b/x",
        "postgresql://127.0.0.1:1/x?application_name=s3c@r3t&password=hunter2",
        "postgresql://u:s3c@127.0.0.1:1/x?r3t",
        "postgresql://u:s3c%00@127.0.0.1:1/x",
    ],
)
def test_a_url_with_two_readings_is_refused_without_any_of_it(url: str) -> None:
    with pytest.raises(StoreError, match=r"is not a database URL.*percent-encode") as caught:
        Database(url, KEYS)
    told = f"{caught.value} {caught.value.__cause__!r}"
    for part in ("s3c", "r3t", "hunter2", "127.0.0.1"):
        assert part not in told


@pytest.mark.parametrize(
    "key", ["password", "passwd", "pwd", "PASSWORD", "sslpassword", "scram_client_key"]
)
def test_a_parameter_is_shown_only_if_it_is_known_not_to_be_secret(key: str) -> None:
    shown = name_of(f"postgresql://u@127.0.0.1:1/x?{key}=s3cr3t&sslmode=require")
    assert shown == f"postgresql://u@127.0.0.1:1/x?{key}=***&sslmode=require"


@pytest.mark.parametrize(
    ("url", "host", "port", "shown"),
    [
        ("one:5432,two:5433/name", "one,two", "5432,5433", "one:5432,two:5433/name"),
        ("one,two/name", "one,two", ",", "one,two/name"),
        ("/name?host=one:5432&host=two:5433", "one,two", "5432,5433", "one:5432,two:5433/name"),
        ("/name?host=one,two&port=1", "one,two", "1,1", "one:1,two:1/name"),
        ("/name?host=one,two", "one,two", ",", "one,two/name"),
        ("[::1]:1,[::2]:2/name", "::1,::2", "1,2", "[::1]:1,[::2]:2/name"),
        ("[::1]:5432/name", "::1", 5432, "[::1]:5432/name"),
        ("/name?host=/run/pg", "/run/pg", None, "/name?host=/run/pg"),
        ("%2Frun%2Fpg/name", "/run/pg", None, "%2Frun%2Fpg/name"),
        ("one:/name", "one", None, "one/name"),
    ],
)
def test_one_or_several_hosts_are_read_and_shown_as_in_libpq(
    url: str, host: str, port: Any, shown: str
) -> None:
    found = given(f"postgresql://u:p@{url}")
    assert (found["host"], found.get("port"), found["dbname"]) == (host, port, "name")
    assert name_of(f"postgresql://u:p@{url}") == f"postgresql://u:***@{shown}"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///x.db?timeout=abc",
        "postgresql://u:hunter2@h/x?port=abc",
        "postgresql://u:hunter2@h:port/x",
        "postgresql://u:hunter2@a:x,b:2/x",
        "postgresql://u:hunter2@a:1,b:2/x?port=3",
        "postgresql://u:hunter2@a:1,b:2/x?host=c",
        "postgresql://u:hunter2@/x?host=a,b&port=1,2,3",
        "postgresql://u:hunter2@::1/x",
        "postgresql://u:hunter2@h/x?plugin=none",
        "sqlite:///x%00.db",
    ],
)
def test_an_invalid_part_of_a_url_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match="is not a database URL") as caught:
        Database(url, KEYS)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_sqlite_url_with_a_host_is_refused_with_the_right_form() -> None:
    with pytest.raises(StoreError, match="write three slashes"):
        Database("sqlite://var/calfeed.sqlite3")


def test_a_driver_of_sqlite_that_calfeed_does_not_use_is_refused() -> None:
    with pytest.raises(StoreError, match=r"not sqlite\+aiosqlite"):
        Database("sqlite+aiosqlite:///x.db")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("u:hunter2@h:1/x", "u@h:1/x"),
        ("h:1/x?user=u&password=hunter2", "h:1/x?user=u"),
        ("/x?host=/run/pg&user=u&password=hunter2", "/x?host=/run/pg&user=u"),
        ("u@h/x?sslmode=require&sslpassword=hunter2", "u@h/x?sslmode=require"),
        ("u:hunter2@a:1,b:2/x", "u@a:1,b:2/x"),
        (
            "u:hunter2@[::1]:1,b/x?target_session_attrs=any",
            "u@[::1]:1,b/x?target_session_attrs=any",
        ),
        (
            "a%20%24b:hunter2@h/c%20d%22?options=-c%20x%3D%241",
            "a%20%24b@h/c%20d%22?options=-c%20x%3D%241",
        ),
    ],
)
def test_the_url_for_other_programs_is_one_of_libpq_without_passwords(url: str, shown: str) -> None:
    from psycopg.conninfo import conninfo_to_dict

    with closing(Database(f"postgresql://{url}", KEYS)) as database:
        assert database.program_url == f"postgresql://{shown}"
    written = conninfo_to_dict(f"postgresql://{url}")
    kept = {key: value for key, value in written.items() if "hunter2" not in str(value)}
    assert conninfo_to_dict(database.program_url) == kept
