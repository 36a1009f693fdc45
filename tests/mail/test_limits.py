"""When mails wait: for a mail server that fails, and for the turn of their domain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from calfeed.delivery.mail.breaker import Breaker
from calfeed.delivery.mail.pacing import DomainPacer
from calfeed.delivery.mail.replies import MailError
from calfeed.reminders.retry import Fault, Outcome, RetryAt, decide

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


class Watch:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def outcome(fault: Fault | None, status: int | None = None, error: str | None = "x") -> Outcome:
    return Outcome("key", status, error, 5, None, "", NOW, fault)


def test_while_the_server_fails_one_mail_a_minute_tries_it() -> None:
    """What was queued before fails without a try; one success lets all others follow."""
    watch = Watch()
    breaker = Breaker("mail.example.org:465", watch)
    assert breaker.admits()
    breaker.check()
    breaker.record(outcome(Fault.SITE))
    with pytest.raises(MailError) as caught:
        breaker.check()
    assert caught.value.fault is Fault.SITE
    assert not breaker.admits()
    for _ in range(2):
        watch.seconds += 60
        assert [breaker.admits() for _ in range(3)] == [True, False, False]
        breaker.check()
        with pytest.raises(MailError):
            breaker.check()
        breaker.record(outcome(Fault.SITE))
    watch.seconds += 60
    assert breaker.admits()
    breaker.check()
    breaker.record(outcome(None, 250, None))
    assert [breaker.admits() for _ in range(3)] == [True] * 3
    breaker.check()


@pytest.mark.parametrize("fault", [None, Fault.RECEIVER])
def test_a_refusal_of_one_mail_stops_no_others(fault: Fault | None) -> None:
    breaker = Breaker("mail.example.org:465", Watch())
    breaker.record(outcome(fault, 550))
    assert breaker.admits()
    breaker.check()


def test_a_fault_of_the_site_never_uses_up_the_schedule() -> None:
    """It is given up only if the message would no longer matter."""
    decision = decide(outcome(Fault.SITE), 99, NOW, None, 0.5)
    assert isinstance(decision, RetryAt)
    assert not isinstance(decide(outcome(Fault.SITE), 1, NOW, NOW, 0.5), RetryAt)
    assert not isinstance(decide(outcome(None), 99, NOW, None, 0.5), RetryAt)
    assert not isinstance(decide(outcome(Fault.RECEIVER, 550), 1, NOW, None, 0.5), RetryAt)


def test_the_mails_of_ten_seconds_go_at_once_and_the_others_have_turns() -> None:
    watch = Watch()
    pacer = DomainPacer(60, watch)
    delays = [pacer.delay("example.net") for _ in range(13)]
    assert delays[:10] == [0.0] * 10
    assert delays[10:] == pytest.approx([1.0, 2.0, 3.0])
    assert pacer.delay("example.org") == 0
    watch.seconds += 2
    assert [pacer.delay("example.net") > 0 for _ in range(3)] == [False, False, True]


def test_domains_are_forgotten_once_they_may_send_at_once_again() -> None:
    """So many domains take no memory for ever."""
    watch = Watch()
    pacer = DomainPacer(60, watch)
    for number in range(10_000):
        pacer.delay(f"{number}.example")
    watch.seconds += 60
    pacer.delay("one.more.example")
    assert len(pacer._buckets) == 1
