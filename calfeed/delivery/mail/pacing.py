"""Limit how many mails a worker sends to the addresses of one domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_BURST_SECONDS = 10.0
"""As many mails as the rate allows in this time may be sent at once: a few mails need not wait."""

_MAX_DOMAINS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    turned_away: int = 0


class DomainPacer:
    """A token bucket for each domain: `rate` mails in a minute, measured on `elapsed` (seconds)."""

    def __init__(self, rate: int, elapsed: Callable[[], float]) -> None:
        self._per_second = rate / 60
        self._burst = max(1.0, self._per_second * _BURST_SECONDS)
        self._elapsed = elapsed
        self._buckets: dict[str, _Bucket] = {}

    def delay(self, domain: str) -> float:
        """Return 0 if a mail may be sent to a domain now, else how many seconds it has to wait.

        The delay is not a reservation: call this again when it is over.
        """
        now = self._elapsed()
        if len(self._buckets) >= _MAX_DOMAINS:
            self._forget_full(now)
        bucket = self._buckets.setdefault(domain, _Bucket(self._burst, now))
        filled = bucket.tokens + (now - bucket.at) * self._per_second
        bucket.tokens, bucket.at = min(self._burst, filled), now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            bucket.turned_away = 0
            return 0.0
        bucket.turned_away += 1
        return (bucket.turned_away - bucket.tokens) / self._per_second

    def _forget_full(self, now: float) -> None:
        self._buckets = {
            domain: bucket
            for domain, bucket in self._buckets.items()
            if bucket.tokens + (now - bucket.at) * self._per_second < self._burst
        }
