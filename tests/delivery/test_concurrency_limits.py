"""Per-endpoint concurrency limits adapt to the responses of the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from calfeed.delivery.engine import concurrency
from calfeed.delivery.engine.composing import InFlightDelivery
from calfeed.delivery.engine.concurrency import ConcurrencyLimits, endpoint_of
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.store.outbox.claims import Claim

AT = datetime(2025, 6, 1, tzinfo=UTC)
URL = "https://example.org/hook"


@pytest.fixture
def numbers() -> Iterator[int]:
    return count()


def claim(numbers: Iterator[int], many: int, endpoint: str = "end_1") -> list[Claim]:
    return [Claim(next(numbers), 1, "msg_1", endpoint, 0) for _ in range(many)]


def admit(
    limits: ConcurrencyLimits, claims: list[Claim], at: float = 0.0
) -> tuple[list[Request], list[float]]:
    """Admit claims; return the requests sent at once, and for how long others are released."""
    admitted, released = limits.admit(claims, at)
    limits.enqueue(
        Request(InFlightDelivery(one, URL, None, None), URL, {}, b"") for one in admitted
    )
    return limits.dequeue(at), list(released.values())


def end(
    limits: ConcurrencyLimits,
    posted: list[Request],
    at: float,
    status: int | None = 204,
    seconds: float = 0.1,
) -> set[str]:
    """End requests with an outcome; return the endpoints whose backoff begins."""
    error = None if status else "nothing"
    milliseconds = round(seconds * 1000)
    outcomes = [Outcome(one.key, status, error, milliseconds, None, "", AT) for one in posted]
    return limits.adjust(outcomes, at)


def test_a_new_endpoint_gets_four_requests_and_a_queue(numbers: Iterator[int]) -> None:
    limits = ConcurrencyLimits()
    posted, back = admit(limits, claim(numbers, 100))
    assert (len(posted), len(back), limits.outstanding) == (4, 32, 68)
    assert set(back) == {0.05}


def test_each_fast_response_raises_the_limit_by_one(numbers: Iterator[int]) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 60))
    end(limits, posted, 0.1)
    assert len(limits.dequeue(0.1)) == 8


@pytest.mark.parametrize(("status", "seconds"), [(204, 1.5), (500, 0.1), (302, 0.1)])
def test_a_slow_or_failed_response_does_not_raise_the_limit(
    numbers: Iterator[int], status: int, seconds: float
) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 60))
    assert end(limits, posted, seconds, status, seconds) == set()
    assert len(limits.dequeue(seconds)) == 4


def test_claims_over_the_limit_of_a_slow_endpoint_are_released_at_its_pace(
    numbers: Iterator[int],
) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 4))
    end(limits, posted, 2.0, 204, 2.0)
    _, back = admit(limits, claim(numbers, 1000), 2.0)
    assert back[0] == pytest.approx(0.55)
    assert back[1] - back[0] == pytest.approx(0.5)
    assert max(back) == 300


def test_time_without_polling_does_not_count_as_silence(numbers: Iterator[int]) -> None:
    """The worker waits for its database."""
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 4))
    end(limits, posted[:1], 0.1)
    _, back = admit(limits, claim(numbers, 2000), 4.0)
    assert set(back) == {0.1}


def test_claims_over_the_limit_of_a_silent_endpoint_are_released_for_longer(
    numbers: Iterator[int],
) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 4))
    end(limits, posted[:1], 0.1)
    end(limits, [], 4.0)
    _, back = admit(limits, claim(numbers, 2000), 4.0)
    assert max(back) > 60


def test_a_timeout_starts_a_backoff_and_a_second_one_doubles_it(
    numbers: Iterator[int],
) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 10))
    assert end(limits, posted[:1], 15.0, None, 15.0) == {"end_1"}
    assert len(limits.remove_queued(lambda one: endpoint_of(one) == "end_1")) == 6
    assert limits.backoff_remaining("end_1", 16.0) == 4
    assert admit(limits, claim(numbers, 2), 16.0) == ([], [4, 4])
    end(limits, posted[1:], 16.0, None, 16.0)
    probe, back = admit(limits, claim(numbers, 3), 20.0)
    assert (len(probe), back) == (1, [5, 5]), "a single request probes the endpoint"
    assert end(limits, probe, 35.0, None, 15.0) == {"end_1"}
    assert limits.backoff_remaining("end_1", 35.0) == 10


def test_a_response_ends_the_backoff(numbers: Iterator[int]) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 2))
    end(limits, posted[:1], 15.0, None, 15.0)
    end(limits, posted[1:], 15.1, 500)
    assert limits.backoff_remaining("end_1", 15.2) == 0


def test_a_single_broken_connection_starts_no_backoff(numbers: Iterator[int]) -> None:
    limits = ConcurrencyLimits()
    posted, _ = admit(limits, claim(numbers, 2))
    assert end(limits, posted[:1], 0.1, None) == set()
    assert end(limits, posted[1:], 0.1, None) == {"end_1"}


def test_stuck_endpoints_leave_capacity_for_others(numbers: Iterator[int]) -> None:
    limits = ConcurrencyLimits()
    for number in range(10):
        admit(limits, claim(numbers, 1000, f"stuck_{number}"))
    posted, back = admit(limits, claim(numbers, 1, "end_1"))
    assert (len(posted), back) == (1, [])


def test_the_claim_size_follows_the_free_capacity(numbers: Iterator[int]) -> None:
    limits = ConcurrencyLimits()
    assert limits.claim_size(limits.outstanding) == 68
    admit(limits, claim(numbers, 68))
    assert limits.claim_size(limits.outstanding) == 64, "they may all be for this endpoint again"
    admit(limits, [one for number in range(64) for one in claim(numbers, 1, f"other_{number}")])
    assert limits.claim_size(limits.outstanding) == 512


def test_an_endpoint_that_is_claimed_while_others_are_forgotten_keeps_its_state(
    numbers: Iterator[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "_MAX_ENDPOINTS", 2)
    limits = ConcurrencyLimits()
    for name in ("end_1", "end_2"):
        posted, _ = admit(limits, claim(numbers, 1, name))
        end(limits, posted, 0.1)
    posted, back = admit(limits, [*claim(numbers, 1, "end_1"), *claim(numbers, 1, "end_3")], 100.0)
    assert (len(posted), back) == (2, [])
    assert limits.claim_size(limits.outstanding) > 0


def test_idle_endpoints_are_forgotten(
    numbers: Iterator[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "_MAX_ENDPOINTS", 5)
    limits = ConcurrencyLimits()
    for number in range(50):
        posted, _ = admit(limits, claim(numbers, 1, f"end_{number}"), number * 100.0)
        end(limits, posted, number * 100.0)
    assert len(limits._endpoints) <= 6
