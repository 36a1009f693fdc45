"""Sign-ups in great numbers: nobody is mailed often, and nobody else has to wait for long."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from calfeed.reminders.following.limits import (
    PER_DAY,
    PER_MINUTE,
    PER_NETWORK,
    Sent,
    Waiting,
    choose_mails,
)
from calfeed.store.people import requests
from tests.following.people import NOW, Crowd
from tests.migrated import migrated_sqlite


def wait(origin: str, number: int = 0, after: int = 0) -> Waiting:
    return Waiting(f"{origin}/{number}", origin, NOW + timedelta(seconds=after))


def test_an_address_is_chosen_once_whoever_asks() -> None:
    waiting = [wait("a"), wait("a"), wait("a")._replace(origin="b")]
    assert len(choose_mails(waiting, {})) == 1


def test_networks_take_turns_and_those_with_few_sign_ups_begin() -> None:
    waiting = [wait("busy", number) for number in range(10)] + [wait("small", 0, after=9)]
    chosen = [one.origin for one in choose_mails(waiting, {})]
    assert chosen[:2] == ["small", "busy"]
    sent = {"small": Sent(3, 0), "busy": Sent(1, 0)}
    chosen = [one.origin for one in choose_mails(waiting, sent)]
    assert chosen.index("small") == 2


def test_half_of_the_mails_is_kept_for_networks_that_were_sent_nothing() -> None:
    busy = [wait("busy", number) for number in range(PER_MINUTE)]
    assert len(choose_mails(busy, {})) == PER_MINUTE // 2 + 1
    many = [wait(f"network {number}") for number in range(PER_MINUTE)]
    used = {"busy": Sent(PER_MINUTE // 2 + 1, PER_MINUTE // 2 + 1)}
    chosen = choose_mails([*busy, *many], used)
    assert {one.origin for one in chosen}.isdisjoint({"busy"})
    assert len(chosen) == PER_MINUTE // 2 - 1


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"a": Sent(PER_NETWORK - 1, 0)}, 1),
        ({"a": Sent(PER_NETWORK, 0)}, 0),
        ({"b": Sent(PER_DAY, 0)}, 0),
        ({"b": Sent(PER_DAY - 1, 0)}, 1),
        ({"b": Sent(PER_MINUTE, PER_MINUTE)}, 0),
    ],
)
def test_there_is_a_cap_for_a_network_and_one_for_all(sent: dict[str, Sent], expected: int) -> None:
    chosen = choose_mails([wait("a", number) for number in range(3)], sent)
    assert len(chosen) == expected


@pytest.mark.slow
def test_a_flood_mails_each_address_once_a_day_and_keeps_nobody_out(tmp_path: Path) -> None:
    """10,000 sign-ups from 100 networks for 1,000 addresses; ten people from elsewhere between."""
    crowd = Crowd(migrated_sqlite(tmp_path))
    asked: dict[str, datetime] = {}
    for number in range(10_000):
        if number % 100 == 0:  # 100 a second
            crowd.pass_by(seconds=1)
            crowd.admit()
            with crowd.database.write() as connection:  # one, as each would wait for the disk
                for one in range(number, number + 100):
                    flood = f"v{one * 7 % 1_000}@example.org"
                    crowd.ask(flood, network=f"192.0.2.{one % 100}", within=connection)
        if number % 1_000 == 999:
            address = f"person{number}@example.net"
            crowd.ask(address, network=f"198.51.100.{number // 1_000}")
            asked["mailto:" + address] = crowd.now
    crowd.admit_all()
    mailed = crowd.mail_times()
    counted = Counter(url for url, _ in mailed)
    assert set(counted.values()) == {1}
    assert len(counted) == 1_010
    waits = [at - asked[url] for url, at in mailed if url in asked]
    assert len(waits) == 10
    assert max(waits) <= timedelta(minutes=1)
    per_minute = Counter((at - NOW) // timedelta(minutes=1) for _, at in mailed)
    assert max(per_minute.values()) <= 2 * PER_MINUTE
    crowd.database.close()


def test_too_many_that_wait_push_out_those_of_the_busiest_network(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MAX_WAITING", 5)
    crowd.ask("first@example.org", network="198.51.100.1")
    for number in range(10):
        crowd.ask(f"v{number}@example.org", network="192.0.2.1")
    crowd.admit()
    mailed = {url for url, _ in crowd.mails()}
    assert "mailto:first@example.org" in mailed
    assert len(mailed) == 5
