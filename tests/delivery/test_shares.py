"""How much of a worker's hands an endpoint gets, by how it answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from calfeed.delivery.engine import concurrency as module
from calfeed.delivery.engine.attempts import Posting
from calfeed.delivery.engine.concurrency import Shares, endpoint_of
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.store.outbox.claims import Claim

AT = datetime(2025, 6, 1, tzinfo=UTC)
URL = "https://example.org/hook"


@pytest.fixture
def numbers() -> Iterator[int]:
    return count()


def claim(numbers: Iterator[int], many: int, endpoint: str = "end_1") -> list[Claim]:
    return [Claim(next(numbers), 1, "msg_1", endpoint, 0) for _ in range(many)]


def keep(shares: Shares, claims: list[Claim], at: float = 0.0) -> tuple[list[Request], list[float]]:
    """Take claims in hand: what is posted at once, and for how long the others are given back."""
    kept, back = shares.sort_out(claims, at)
    shares.line_up(Request(Posting(one, URL, None, None), URL, {}, b"") for one in kept)
    return shares.take_turns(at), list(back.values())


def end(
    shares: Shares,
    posted: list[Request],
    at: float,
    status: int | None = 204,
    seconds: float = 0.1,
) -> set[str]:
    """Let posts end at once; the endpoints that rest then."""
    error = None if status else "nothing"
    milliseconds = round(seconds * 1000)
    outcomes = [Outcome(one.key, status, error, milliseconds, None, "", AT) for one in posted]
    return shares.note(outcomes, at)


def test_a_new_endpoint_gets_a_few_and_some_wait_in_line(numbers: Iterator[int]) -> None:
    shares = Shares()
    posted, back = keep(shares, claim(numbers, 100))
    assert (len(posted), len(back), shares.in_hand) == (4, 32, 68)
    assert set(back) == {0.05}


def test_each_quick_answer_allows_one_more(numbers: Iterator[int]) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 60))
    end(shares, posted, 0.1)
    assert len(shares.take_turns(0.1)) == 8


@pytest.mark.parametrize(("status", "seconds"), [(204, 1.5), (500, 0.1), (302, 0.1)])
def test_a_slow_or_a_bad_answer_does_not(
    numbers: Iterator[int], status: int, seconds: float
) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 60))
    assert end(shares, posted, seconds, status, seconds) == set()
    assert len(shares.take_turns(seconds)) == 4


def test_what_a_slow_endpoint_has_no_room_for_comes_back_as_it_works_it_off(
    numbers: Iterator[int],
) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 4))
    end(shares, posted, 2.0, 204, 2.0)
    _, back = keep(shares, claim(numbers, 1000), 2.0)
    assert back[0] == pytest.approx(0.55)
    assert back[1] - back[0] == pytest.approx(0.5)
    assert max(back) == 300


def test_a_silence_in_which_nobody_listened_is_not_the_endpoints(numbers: Iterator[int]) -> None:
    """The worker waited for its database."""
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 4))
    end(shares, posted[:1], 0.1)
    _, back = keep(shares, claim(numbers, 2000), 4.0)
    assert set(back) == {0.1}


def test_what_an_endpoint_that_is_silent_has_no_room_for_comes_back_much_later(
    numbers: Iterator[int],
) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 4))
    end(shares, posted[:1], 0.1)
    end(shares, [], 4.0)
    _, back = keep(shares, claim(numbers, 2000), 4.0)
    assert max(back) > 60


def test_no_answer_in_time_puts_an_endpoint_to_rest_and_a_second_one_for_longer(
    numbers: Iterator[int],
) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 10))
    assert end(shares, posted[:1], 15.0, None, 15.0) == {"end_1"}
    assert len(shares.take_lines(lambda one: endpoint_of(one) == "end_1")) == 6
    assert shares.rest_of("end_1", 16.0) == 4
    assert keep(shares, claim(numbers, 2), 16.0) == ([], [4, 4])
    end(shares, posted[1:], 16.0, None, 16.0)
    probe, back = keep(shares, claim(numbers, 3), 20.0)
    assert (len(probe), back) == (1, [5, 5]), "one post finds out how it is"
    assert end(shares, probe, 35.0, None, 15.0) == {"end_1"}
    assert shares.rest_of("end_1", 35.0) == 10


def test_an_answer_ends_the_rest(numbers: Iterator[int]) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 2))
    end(shares, posted[:1], 15.0, None, 15.0)
    end(shares, posted[1:], 15.1, 500)
    assert shares.rest_of("end_1", 15.2) == 0


def test_one_connection_that_breaks_is_no_reason_to_rest(numbers: Iterator[int]) -> None:
    shares = Shares()
    posted, _ = keep(shares, claim(numbers, 2))
    assert end(shares, posted[:1], 0.1, None) == set()
    assert end(shares, posted[1:], 0.1, None) == {"end_1"}


def test_one_endpoint_takes_no_room_from_the_others(numbers: Iterator[int]) -> None:
    shares = Shares()
    for number in range(10):
        keep(shares, claim(numbers, 1000, f"stuck_{number}"))
    posted, back = keep(shares, claim(numbers, 1, "end_1"))
    assert (len(posted), back) == (1, [])


def test_not_much_more_is_claimed_than_there_is_room_for(numbers: Iterator[int]) -> None:
    shares = Shares()
    assert shares.find_room(shares.in_hand) == 68
    keep(shares, claim(numbers, 68))
    assert shares.find_room(shares.in_hand) == 64, "they may all be for this endpoint again"
    keep(shares, [one for number in range(64) for one in claim(numbers, 1, f"other_{number}")])
    assert shares.find_room(shares.in_hand) == 512


def test_an_endpoint_that_comes_back_as_others_are_forgotten_has_a_share(
    numbers: Iterator[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    shares = Shares()
    for name in ("end_1", "end_2"):
        posted, _ = keep(shares, claim(numbers, 1, name))
        end(shares, posted, 0.1)
    posted, back = keep(shares, [*claim(numbers, 1, "end_1"), *claim(numbers, 1, "end_3")], 100.0)
    assert (len(posted), back) == (2, [])
    assert shares.find_room(shares.in_hand) > 0


def test_idle_endpoints_are_forgotten(
    numbers: Iterator[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 5)
    shares = Shares()
    for number in range(50):
        posted, _ = keep(shares, claim(numbers, 1, f"end_{number}"), number * 100.0)
        end(shares, posted, number * 100.0)
    assert len(shares._shares) <= 6
