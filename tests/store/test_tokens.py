"""Tokens and idempotency keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.errors import InvalidInputError
from calfeed.store.access.idempotency import RETENTION, claim_key, store_response
from calfeed.store.access.tokens import (
    SCOPES,
    add_token,
    allows,
    find_token,
    load_tokens,
    may_read,
    normalize_scopes,
    parse_expiry,
    revoke_token,
)
from calfeed.store.database import Database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_token_is_found_until_it_is_revoked(database: Database) -> None:
    with database.write() as connection:
        number = add_token(connection, "mine", None, "board", NOW, ["deliveries", "read:open"])
        add_token(connection, "another", "vault", "", NOW)
    with database.read() as connection:
        found = find_token(connection, "mine", NOW)
        assert find_token(connection, "min", NOW) is None
        feed = load_tokens(connection)[1]
    assert found is not None
    assert (found.id, found.scopes, found.calendars) == (
        number,
        ("deliveries", "read:open"),
        ["open"],
    )
    assert (feed.scopes, feed.calendars) == ((), ["vault"])
    assert "mine" not in repr(found)
    with database.write() as connection:
        assert revoke_token(connection, number, NOW)
        assert not revoke_token(connection, number, NOW)
        assert find_token(connection, "mine", NOW) is None


@pytest.mark.parametrize("scope", ["", "all", "read:", "read:Open", "read:a/b", "adminadmin", "re"])
def test_unknown_scopes_are_refused(scope: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a scope; use read, endpoints"):
        normalize_scopes(["read", scope])


def test_scopes_are_sorted_without_duplicates() -> None:
    assert normalize_scopes(["read:b", "admin", "read:b"]) == ("admin", "read:b")


def test_scopes_include_only_what_they_name() -> None:
    for scope in SCOPES:
        for wanted in SCOPES:
            assert allows([scope], wanted) is (scope in (wanted, "admin"))
        assert allows([scope], "read:open") is (scope in ("read", "admin"))
    assert not allows(["read:open"], "read")
    assert may_read(["read:open"], ["open-days", "open"])
    assert not may_read(["read:open"], ["vault"])
    assert not may_read([], [])


def test_concurrent_requests_with_one_key_run_once(database: Database) -> None:
    def ask(number: int) -> str | None:
        with database.write() as connection:
            before = claim_key(connection, "key", "request", NOW)
            if before is None:
                store_response(connection, "key", f"the answer of {number}")
            return before

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(8)))
    first = [number for number, before in enumerate(found) if before is None]
    assert len(first) == 1
    assert {one for one in found if one is not None} == {f"the answer of {first[0]}"}


def test_a_key_is_bound_to_one_request_for_a_day(database: Database) -> None:
    with database.write() as connection:
        assert claim_key(connection, "key", "request", NOW) is None
        store_response(connection, "key", "done")
        with pytest.raises(InvalidInputError):
            claim_key(connection, "key", "another", NOW + RETENTION)
    with database.write() as connection:
        later = NOW + RETENTION + timedelta(seconds=1)
        assert claim_key(connection, "key", "another", later) is None


def test_a_token_is_found_until_it_expires(database: Database) -> None:
    end = NOW + timedelta(days=90)
    with database.write() as connection:
        add_token(connection, "short", None, "", NOW, ["read"], end)
    with database.read() as connection:
        assert find_token(connection, "short", end - timedelta(microseconds=1)) is not None
        assert find_token(connection, "short", end) is None
        (kept,) = load_tokens(connection)
    assert kept.expires == end


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("90 days", datetime(2027, 2, 21, 12, tzinfo=UTC)),
        ("90d", datetime(2027, 2, 21, 12, tzinfo=UTC)),
        ("3 months", datetime(2027, 2, 23, 12, tzinfo=UTC)),
        ("12 hours", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_duration_or_a_date(text: str, end: datetime) -> None:
    assert parse_expiry(text, NOW) == end


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "write a duration"),
        ("", "write a duration"),
        ("90", "write a duration"),
        ("2027-02-30", "such as 2027-06-30"),
        ("99999d", "write a duration"),
        ("2026-11-23", "is in the past"),
        ("0 days", "is in the past"),
    ],
)
def test_invalid_and_past_expiries_are_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        parse_expiry(text, NOW)
