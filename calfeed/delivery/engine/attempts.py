"""Post what was claimed, and record what came of it: the steps a worker repeats."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from calfeed.delivery.transport.guard import show_url
from calfeed.delivery.transport.sender import Outcome, Request, Sender
from calfeed.errors import CalfeedError
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.reminders.retry import Delivered, Disable, GiveUp, RetryAt, decide
from calfeed.reminders.signing import sign_headers
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import lifecycle, records
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.outbox import claims as store
from calfeed.store.outbox.claims import Attempt, Claim
from calfeed.store.outbox.messages import StoredMessage, load_messages

_log = logging.getLogger(__name__)

HEADERS = {"content-type": "application/json"}
"""What every message's post says, besides its signature."""

GIVEN_UP = timedelta(days=5)
"""How long every attempt has to fail until an endpoint is disabled."""

_SURELY = 4
"""The failed attempts of one message that are needed for that as well: about half an hour, so that
no short fault disables an endpoint whose last message had failed long before."""

_MOMENT = timedelta(seconds=1)

_ELSEWHERE = timedelta(minutes=1)
"""For how long what this process cannot send is left to others."""


class Posting(NamedTuple):
    """A claimed delivery on its way; `until` is when its message stops to matter, and
    `failing_since` is from when on its endpoint has failed. The URL is not part of its repr."""

    claim: Claim
    url: str
    until: datetime | None
    failing_since: datetime | None

    def __repr__(self) -> str:
        return f"Posting({self.claim!r})"


def prepare(
    connection: Connection,
    claims: Sequence[Claim],
    clock: Callable[[], datetime],
    *,
    at_once: bool = False,
    takes: Callable[[str], bool] | None = None,
) -> list[Request]:
    """Make the requests of claimed deliveries, each signed when it leaves.

    Those whose message no longer matters, or is no longer kept, are settled as expired, those
    whose endpoint is gone as dropped. What an endpoint does not want now, because it is paused, in
    its quiet hours or past its rate, is given back, and so is what has a URL that this process does
    not take, or a URL or a message that it cannot read. None of these are among the requests. The
    first attempt of a test does not ask whether it is paused, for the hours and for the rate, nor
    does any `at_once`.
    """
    now = clock()
    stored = load_messages(connection, [one.message_id for one in claims])
    receivers = records.load_endpoints(connection, list({one.endpoint_id for one in claims}))
    by_endpoint: dict[str, list[Claim]] = {}
    for one in claims:
        by_endpoint.setdefault(one.endpoint_id, []).append(one)
    expired: list[Claim] = []
    dropped: list[Claim] = []
    paused: list[Claim] = []
    later: dict[Claim, datetime] = {}
    requests: list[Request] = []
    for key, ready in by_endpoint.items():
        endpoint = receivers.get(key)
        if endpoint is None:
            dropped += ready
            continue
        expired += [one for one in ready if not stored[one.message_id].is_sendable(now)]
        ready = [one for one in ready if stored[one.message_id].is_sendable(now)]
        urgent = {
            one
            for one in ready
            if at_once or (stored[one.message_id].is_test and one.attempts == 0)
        }
        if not endpoint.accepts_messages:
            paused += [one for one in ready if one not in urgent]
            ready = [one for one in ready if one in urgent]
            if not ready:
                continue
        if endpoint.lost is not None:
            _complain(endpoint.id, endpoint.lost)
            later.update(dict.fromkeys(ready, now + _ELSEWHERE))
            continue
        if takes is not None and not takes(endpoint.url):
            later.update(dict.fromkeys(ready, now + _ELSEWHERE))
            continue
        lost = [one for one in ready if stored[one.message_id].unreadable]
        later.update(dict.fromkeys(lost, now + _ELSEWHERE))
        ready = [one for one in ready if one not in lost]
        others = [one for one in ready if one not in urgent]
        unwanted = _find_unwanted(connection, endpoint, others, stored, now)
        later |= unwanted
        ready = [one for one in ready if one not in unwanted]
        headers = {**HEADERS, **endpoint.headers}
        for one in ready:
            message = stored[one.message_id]
            posting = Posting(one, endpoint.url, message.until, endpoint.failing_since)
            signer = make_signer(one.message_id, message.body, endpoint.secrets_at, clock)
            requests.append(Request(posting, endpoint.url, headers, message.body, signer))
    store.settle(connection, expired, DeliveryState.EXPIRED, now, attempted=False)
    store.settle(connection, dropped, DeliveryState.DROPPED, now, attempted=False)
    idle = records.lock_inactive(connection, sorted({one.endpoint_id for one in paused}))
    held = [one for one in paused if one.endpoint_id in idle]
    # Not under a lease any more: whoever resumes the endpoint need not think it is on its way.
    later |= {one: now if one.endpoint_id in idle else now + _MOMENT for one in paused}
    store.hold(connection, held)
    store.defer(connection, later)
    return requests


@cache
def _complain(endpoint_id: str, why: str) -> None:
    """Log, once, that an endpoint's secrets cannot be read; others go on."""
    _log.error("nothing can be sent to endpoint %s, and what is for it waits: %s", endpoint_id, why)


def _find_unwanted(
    connection: Connection,
    endpoint: Endpoint,
    ready: Sequence[Claim],
    stored: Mapping[str, StoredMessage],
    now: datetime,
) -> dict[Claim, datetime]:
    """What an endpoint does not want now, because of its quiet hours or its rate, until when."""
    later: dict[Claim, datetime] = {}
    quiet, rate = endpoint.options.quiet_until(now), endpoint.options.rate
    if quiet is not None:
        untils = [(one, stored[one.message_id].until) for one in ready]
        later |= {one: quiet for one, until in untils if until is None or quiet < until}
    wanted = [one for one in ready if one not in later]
    if rate is not None and wanted:
        turns = lifecycle.reserve_send_times(connection, endpoint.id, rate, len(wanted), now)
        later |= {one: at for one, at in zip(wanted, turns, strict=True) if at > now}
    return later


def record(
    connection: Connection,
    outcomes: Sequence[Outcome],
    now: datetime,
    random: Callable[[], float],
) -> None:
    """Keep the attempts, settle or put off their deliveries, and disable who is gone."""
    delivered: list[Claim] = []
    failed: list[Claim] = []
    again: dict[Claim, datetime] = {}
    answered: set[str] = set()
    failing: set[str] = set()
    gone: dict[str, str] = {}
    for outcome in outcomes:
        posting = outcome.key
        if not isinstance(posting, Posting):
            raise TypeError(f"an outcome of something else: {posting!r}")
        claimed, since = posting.claim, posting.failing_since
        key, made = claimed.endpoint_id, claimed.attempts + 1
        decision = decide(outcome, made, now, posting.until, random())
        if isinstance(decision, Delivered):
            delivered.append(claimed)
            if since is not None:
                answered.add(key)
            continue
        long = since is not None and since <= now - GIVEN_UP and made >= _SURELY
        if since is None or long or isinstance(decision, Disable):
            failing.add(key)
        reason = outcome.error or f"status {outcome.status}"
        place = f"delivery {claimed.delivery_id} to {show_url(posting.url)}"
        if isinstance(decision, RetryAt):
            again[claimed] = decision.at
            _log.warning("%s: %s; again at %s", place, reason, f"{decision.at:%Y-%m-%d %H:%M:%SZ}")
        else:
            failed.append(claimed)
            if isinstance(decision, GiveUp):
                _log.error("%s failed: %s", place, decision.reason)
            else:
                gone[key] = "its receiver answered 410 (gone)"
    store.record_attempts(connection, [_to_attempt(outcome) for outcome in outcomes])
    store.settle(connection, delivered, DeliveryState.DELIVERED, now)
    store.settle(connection, failed, DeliveryState.FAILED, now)
    store.schedule_retries(connection, again)
    for key, since in lifecycle.record_outcomes(connection, answered, failing, now).items():
        if since <= now - GIVEN_UP:
            gone.setdefault(key, f"every attempt since {since:%Y-%m-%d %H:%M} UTC has failed")
    for key, why in sorted(gone.items()):
        if lifecycle.suspend_endpoint(connection, key, EndpointState.DISABLED, now, why):
            _log.error(
                "endpoint %s is disabled: %s; `calfeed endpoint resume %s` sends it what it missed",
                key,
                why,
                key,
            )


def post_now(
    database: Database,
    sender: Sender,
    add: Callable[[Connection], int],
    clock: Callable[[], datetime],
    random: Callable[[], float],
) -> Attempt:
    """Add a delivery, attempt it at once, record it, and return the attempt.

    `add` returns the delivery's number. It is claimed in the same transaction, so that no worker
    takes it first. Raises CalfeedError where it cannot be attempted.
    """
    with database.write() as connection:
        number = add(connection)
        claims = store.claim_by_id(connection, number, clock())
        requests = prepare(connection, claims, clock, at_once=True, takes=sender.takes)
    if not requests:
        raise CalfeedError(f"delivery {number} is not pending, or its message cannot be read")
    sender.submit(requests)
    outcomes = sender.results(timeout=60.0)
    with database.write() as connection:
        record(connection, outcomes, clock(), random)
    return _to_attempt(outcomes[0])


def make_signer(
    message_id: str,
    body: bytes,
    secrets_at: Callable[[datetime], Sequence[str]],
    clock: Callable[[], datetime],
) -> Callable[[], Mapping[str, str]]:
    """What signs a message when it leaves, at the time it is then, with the secrets of then."""

    def sign() -> Mapping[str, str]:
        now = clock()
        return sign_headers(message_id, now, body, secrets_at(now))

    return sign


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
