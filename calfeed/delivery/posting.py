"""Post what was claimed, and record what came of it: the steps a worker repeats."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from calfeed.delivery.guard import show_url
from calfeed.delivery.sender import Outcome, Request, Sender
from calfeed.errors import CalfeedError
from calfeed.reminders.retry import Delivered, Disable, GiveUp, RetryAt, decide
from calfeed.reminders.signing import sign_headers
from calfeed.store import deliveries, endpoints
from calfeed.store.database import Connection, Database
from calfeed.store.deliveries import Attempt, Claim

_log = logging.getLogger(__name__)

HEADERS = {"content-type": "application/json"}
"""What every message's post says, besides its signature."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A claimed delivery on its way; `until` is when its message stops to matter."""

    claim: Claim
    url: str
    until: datetime | None


def prepare(
    connection: Connection, claims: Sequence[Claim], clock: Callable[[], datetime]
) -> list[Request]:
    """Make the requests of claimed deliveries, each signed when it leaves.

    Those whose message no longer matters are settled as expired, those whose endpoint is gone as
    dropped, and are not among them.
    """
    now = clock()
    messages = deliveries.load_messages(connection, [one.message_id for one in claims])
    receivers = endpoints.load_endpoints(connection, list({one.endpoint_id for one in claims}))
    requests, expired, dropped = [], [], []
    for claimed in claims:
        message = messages[claimed.message_id]
        endpoint = receivers.get(claimed.endpoint_id)
        if endpoint is None:
            dropped.append(claimed)
        elif message.until is not None and message.until <= now:
            expired.append(claimed)
        else:
            key = Posting(claimed, endpoint.url, message.until)
            signer = make_signer(claimed.message_id, message.body, endpoint.secret, clock)
            requests.append(Request(key, endpoint.url, HEADERS, message.body, signer))
    deliveries.settle(connection, expired, "expired", now, attempted=False)
    deliveries.settle(connection, dropped, "dropped", now, attempted=False)
    return requests


def record(
    connection: Connection,
    outcomes: Sequence[Outcome],
    now: datetime,
    random: Callable[[], float],
) -> None:
    """Keep the attempts, and settle or put off their deliveries."""
    delivered: list[Claim] = []
    failed: list[Claim] = []
    again: dict[Claim, datetime] = {}
    gone: set[str] = set()
    for outcome in outcomes:
        posting = outcome.key
        if not isinstance(posting, Posting):
            raise TypeError(f"an outcome of something else: {posting!r}")
        claimed = posting.claim
        decision = decide(outcome, claimed.attempts + 1, now, posting.until, random())
        if isinstance(decision, Delivered):
            delivered.append(claimed)
            continue
        reason = outcome.error or f"status {outcome.status}"
        place = f"delivery {claimed.delivery_id} to {show_url(posting.url)}"
        if isinstance(decision, RetryAt):
            again[claimed] = decision.at
            _log.warning("%s: %s; again at %s", place, reason, f"{decision.at:%Y-%m-%d %H:%M:%SZ}")
        elif isinstance(decision, GiveUp):
            failed.append(claimed)
            _log.error("%s failed: %s", place, decision.reason)
        elif isinstance(decision, Disable):
            failed.append(claimed)
            gone.add(claimed.endpoint_id)
            _log.error(
                "%s: the receiver is gone (410); endpoint %s is disabled",
                place,
                claimed.endpoint_id,
            )
    deliveries.record_attempts(connection, [_to_attempt(outcome) for outcome in outcomes])
    deliveries.settle(connection, delivered, "delivered", now)
    deliveries.settle(connection, failed, "failed", now)
    deliveries.put_off(connection, again)
    for endpoint_id in sorted(gone):
        endpoints.retire_endpoint(connection, endpoint_id, "disabled", now)


def post_now(
    database: Database,
    sender: Sender,
    delivery_id: int,
    clock: Callable[[], datetime],
    random: Callable[[], float],
) -> Attempt:
    """Attempt one pending delivery at once, record it, and return the attempt.

    Raises CalfeedError where the delivery is not there to be attempted.
    """
    with database.write() as connection:
        claims = deliveries.claim_one(connection, delivery_id, clock())
        requests = prepare(connection, claims, clock)
    if not requests:
        raise CalfeedError(f"delivery {delivery_id} is not pending, or a worker has just taken it")
    sender.submit(requests)
    outcomes = sender.results(timeout=60.0)
    with database.write() as connection:
        record(connection, outcomes, clock(), random)
    return _to_attempt(outcomes[0])


def make_signer(
    message_id: str, body: bytes, secret: str, clock: Callable[[], datetime]
) -> Callable[[], Mapping[str, str]]:
    """What signs a message when it leaves, at the time it is then."""
    return lambda: sign_headers(message_id, clock(), body, [secret])


def _to_attempt(outcome: Outcome) -> Attempt:
    posting = outcome.key
    if not isinstance(posting, Posting):
        raise TypeError(f"an outcome of something else: {posting!r}")
    return Attempt(
        delivery_id=posting.claim.delivery_id,
        claim=posting.claim.number,
        at=outcome.started_at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        error=outcome.error,
        response=outcome.response_start,
    )
