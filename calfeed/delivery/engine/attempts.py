"""The steps of one delivery attempt: prepare the requests of claims, record the outcomes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from calfeed.delivery.engine.composing import Composers, InFlightDelivery, Outgoing
from calfeed.delivery.mail.bounces.counting import record_bounces
from calfeed.delivery.transport.sender import Outcome, Request, Sender
from calfeed.delivery.transport.tracing import make_traceparent
from calfeed.errors import CalfeedError
from calfeed.model.states import DeliveryState, EndpointKind, EndpointState
from calfeed.reminders.retry import (
    Delivered,
    Disable,
    Fault,
    GiveUp,
    RetryAt,
    decide,
    ends_subscription,
)
from calfeed.reminders.signing import sign_headers
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import lifecycle, records
from calfeed.store.endpoints.records import Endpoint
from calfeed.store.outbox import claims as store
from calfeed.store.outbox.claims import Attempt, Claim
from calfeed.store.outbox.messages import StoredMessage, has_pending_fan_out, load_bodies
from calfeed.store.push.subscriptions import remove_subscription
from calfeed.store.watching.operational import (
    report_certificates,
    report_failed,
    report_failing,
)

_log = logging.getLogger(__name__)

MESSAGE_HEADERS = {"content-type": "application/json"}
"""The headers of every message, without those of its signature."""

DISABLE_AFTER = timedelta(days=5)
"""An endpoint is disabled if all its attempts have failed for this long."""

_MIN_FAILED_ATTEMPTS = 4
"""Disabling also requires this many failed attempts of one message, which take about half an hour.

Without this, a short fault would disable an endpoint whose previous message failed long before.
"""

_PAUSED_DELAY = timedelta(seconds=1)
"""How long to postpone a delivery to a paused endpoint that another transaction is changing."""

_UNSENDABLE_DELAY = timedelta(minutes=1)
"""How long this process leaves a delivery to other workers if it cannot send it."""


def prepare_requests(
    connection: Connection,
    claims: Sequence[Claim],
    clock: Callable[[], datetime],
    *,
    immediate: bool = False,
    accepts: Callable[[str], bool] = lambda _: True,
    composers: Composers | None = None,
) -> list[Request]:
    """Make the requests of claimed deliveries, each signed when it is sent.

    `composers` make the requests to endpoints other than webhooks. Deliveries to polled endpoints
    are held: their receivers fetch them.

    Claims whose message is no longer relevant or no longer stored are settled as expired; claims
    whose endpoint was removed are settled as dropped. A claim is released if its endpoint is
    paused, in its quiet hours or over its rate limit, if `accepts` rejects the endpoint's URL, if
    there is no composer for the kind of endpoint, or if the URL or the message cannot be decrypted.
    The first attempt of an urgent message ignores pausing, quiet hours and the rate limit; if
    `immediate` is true, every attempt does.
    """
    now = clock()
    bodies = load_bodies(connection, [(claim.message_id, claim.language) for claim in claims])
    messages = {claim: bodies[claim.message_id, claim.language] for claim in claims}
    receivers = records.load_endpoints(connection, list({claim.endpoint_id for claim in claims}))
    by_endpoint: dict[str, list[Claim]] = {}
    for claim in claims:
        by_endpoint.setdefault(claim.endpoint_id, []).append(claim)
    expired: list[Claim] = []
    dropped: list[Claim] = []
    paused: list[Claim] = []
    offered: list[Claim] = []  # to polled endpoints
    postponed: dict[Claim, datetime] = {}
    requests: list[Request] = []
    composers = composers or {}
    composed: dict[EndpointKind, list[Outgoing]] = {}
    for endpoint_id, candidates in by_endpoint.items():
        endpoint = receivers.get(endpoint_id)
        if endpoint is None:
            dropped += candidates
            continue
        expired += [claim for claim in candidates if not messages[claim].is_sendable(now)]
        candidates = [claim for claim in candidates if messages[claim].is_sendable(now)]
        urgent = {
            claim
            for claim in candidates
            if immediate or (messages[claim].is_urgent and claim.attempts == 0)
        }
        if not endpoint.accepts_messages:
            paused += [claim for claim in candidates if claim not in urgent]
            candidates = [claim for claim in candidates if claim in urgent]
            if not candidates:
                continue
        if endpoint.lost is not None:
            _log_unreadable_endpoint(endpoint.id, endpoint.lost)
        known = endpoint.kind is EndpointKind.WEBHOOK or endpoint.kind in composers
        sendable = endpoint.is_polled or (known and accepts(endpoint.url))
        if endpoint.lost is not None or not sendable:
            postponed.update(dict.fromkeys(candidates, now + _UNSENDABLE_DELAY))
            continue
        unreadable = [claim for claim in candidates if messages[claim].unreadable]
        postponed.update(dict.fromkeys(unreadable, now + _UNSENDABLE_DELAY))
        candidates = [claim for claim in candidates if claim not in postponed]
        limited = [claim for claim in candidates if claim not in urgent]
        postponed |= _find_postponed(connection, endpoint, limited, messages, now)
        headers = {**MESSAGE_HEADERS, **endpoint.headers}
        for claim in candidates:
            if claim in postponed:
                continue
            if endpoint.is_polled:
                offered.append(claim)
                continue
            message = messages[claim]
            delivery = InFlightDelivery(
                claim, endpoint.url, message.until, endpoint.failing_since, endpoint.kind
            )
            if endpoint.kind is not EndpointKind.WEBHOOK:
                outgoing = Outgoing(delivery, message, endpoint)
                composed.setdefault(endpoint.kind, []).append(outgoing)
                continue
            signer = make_signer(claim.message_id, message.body, endpoint.secrets_at, clock)
            trace = make_traceparent(claim.message_id, claim.delivery_id, claim.attempts + 1)
            own = {**headers, "traceparent": trace}
            requests.append(Request(delivery, endpoint.url, own, message.body, signer))
    for kind, waiting in composed.items():
        made = composers[kind].compose(connection, waiting, now)
        requests += made.requests
        postponed |= made.postponed
    store.settle(connection, expired, DeliveryState.EXPIRED, now, attempted=False)
    store.settle(connection, dropped, DeliveryState.DROPPED, now, attempted=False)
    idle = records.lock_inactive(connection, sorted({claim.endpoint_id for claim in paused}))
    held = [claim for claim in paused if claim.endpoint_id in idle] + offered
    store.hold(connection, held)
    # End the lease of held deliveries: resuming the endpoint then makes them due at once.
    postponed |= dict.fromkeys(paused, now + _PAUSED_DELAY) | dict.fromkeys(held, now)
    store.defer(connection, postponed)
    return requests


@cache
def _log_unreadable_endpoint(endpoint_id: str, reason: str) -> None:
    """Log, once per endpoint and reason, that its secrets cannot be decrypted."""
    _log.error("cannot send to endpoint %s, so its deliveries wait: %s", endpoint_id, reason)


def _find_postponed(
    connection: Connection,
    endpoint: Endpoint,
    claims: Sequence[Claim],
    messages: Mapping[Claim, StoredMessage],
    now: datetime,
) -> dict[Claim, datetime]:
    """Return the claims that quiet hours or the rate limit postpone, and until when."""
    postponed: dict[Claim, datetime] = {}
    quiet, rate = endpoint.options.quiet_until(now), endpoint.options.rate
    if quiet is not None:
        for claim in claims:
            until = messages[claim].until
            if until is None or quiet < until:
                postponed[claim] = quiet
    wanted = [claim for claim in claims if claim not in postponed]
    if rate is not None and wanted:
        turns = lifecycle.reserve_send_times(connection, endpoint.id, rate, len(wanted), now)
        postponed |= {claim: at for claim, at in zip(wanted, turns, strict=True) if at > now}
    return postponed


def record_outcomes(
    connection: Connection,
    outcomes: Sequence[Outcome],
    now: datetime,
    random: Callable[[], float],
) -> bool:
    """Store the attempts, settle or retry their deliveries, and disable endpoints that fail.

    What operators have to know becomes operational messages in the same transaction. Return
    whether there may be such messages, which then wait for their fan-out.
    """
    delivered: list[Claim] = []
    failed: list[Claim] = []
    given_up: list[int] = []
    retries: dict[Claim, datetime] = {}
    waiting: dict[Claim, datetime] = {}  # after a fault of the site's mail server
    refused: list[str] = []  # ids of people whose mailbox does not exist
    recovered: set[str] = set()
    failing: set[str] = set()
    certificates: dict[str, datetime] = {}  # when receivers' certificates expire, by endpoint
    lasting: dict[str, str] = {}  # errors of endpoints for which a message failed several times
    disabled: dict[str, str] = {}  # the reasons, by endpoint
    ended: set[str] = set()
    disable_before = now - DISABLE_AFTER
    for outcome in outcomes:
        delivery = delivery_of(outcome)
        claim, since = delivery.claim, delivery.failing_since
        endpoint_id, attempts = claim.endpoint_id, claim.attempts + 1
        if outcome.certificate_until is not None:
            certificates[endpoint_id] = outcome.certificate_until
        pushed = delivery.kind is EndpointKind.PUSH
        if pushed and ends_subscription(outcome.status):
            failed.append(claim)
            ended.add(endpoint_id)
            continue
        decision = decide(outcome, attempts, now, delivery.until, random())
        if isinstance(decision, Delivered):
            delivered.append(claim)
            if since is not None:
                recovered.add(endpoint_id)
            continue
        # A failed mail does not make a person's endpoint a failing one: only `fault` says whether
        # the mailbox exists, and a missing reply is the fault of the mail server.
        reason = outcome.error or f"status {outcome.status}"
        if delivery.kind is EndpointKind.MAIL:
            refused += [endpoint_id] * (outcome.fault is Fault.RECEIVER)
        elif attempts >= _MIN_FAILED_ATTEMPTS:
            failing.add(endpoint_id)
            lasting[endpoint_id] = reason
        elif since is None or isinstance(decision, Disable):
            failing.add(endpoint_id)
        label = str(delivery)
        if isinstance(decision, RetryAt) and outcome.fault is Fault.SITE:
            waiting[claim] = decision.at
        elif isinstance(decision, RetryAt):
            retries[claim] = decision.at
            _log.warning("%s: %s; again at %s", label, reason, f"{decision.at:%Y-%m-%d %H:%M:%SZ}")
        else:
            failed.append(claim)
            if isinstance(decision, GiveUp):
                given_up.append(claim.delivery_id)
                _log.error("%s failed: %s", label, decision.reason)
            else:
                disabled[endpoint_id] = "its receiver responded with 410 (gone)"
    store.record_attempts(connection, [_to_attempt(outcome) for outcome in outcomes])
    store.settle(connection, delivered, DeliveryState.DELIVERED, now)
    store.settle(connection, failed, DeliveryState.FAILED, now)
    store.schedule_retries(connection, retries)
    store.release(connection, waiting)
    record_bounces(connection, refused, now)
    failing_since = lifecycle.record_failing_since(connection, recovered, failing, now)
    report_failing(connection, failing_since, lasting, now)
    report_failed(connection, given_up, now)
    report_certificates(connection, certificates, now)
    for endpoint_id, since in failing_since.items():
        if since <= disable_before:
            reason = f"every attempt since {since:%Y-%m-%d %H:%M} UTC has failed"
            disabled.setdefault(endpoint_id, reason)
    for endpoint_id in sorted(ended):
        remove_subscription(connection, endpoint_id, now)
    for endpoint_id, reason in sorted(disabled.items()):
        if lifecycle.pause_or_disable_endpoint(
            connection, endpoint_id, EndpointState.DISABLED, now, reason
        ):
            _log.error(
                "endpoint %s is disabled: %s; `calfeed endpoint resume %s` sends what it missed",
                endpoint_id,
                reason,
                endpoint_id,
            )
    return bool(
        recovered or lasting or given_up or disabled or certificates
    ) and has_pending_fan_out(connection)


def deliver_now(
    database: Database,
    sender: Sender,
    add: Callable[[Connection], int],
    clock: Callable[[], datetime],
    random: Callable[[], float],
) -> Attempt:
    """Add a delivery, attempt it immediately, record the attempt and return it.

    `add` returns the delivery's id. The same transaction claims the delivery, so that no worker
    claims it first. Raises CalfeedError if the delivery cannot be attempted.
    """
    with database.write() as connection:
        delivery_id = add(connection)
        claims = store.claim_by_id(connection, delivery_id, clock())
        requests = prepare_requests(
            connection, claims, clock, immediate=True, accepts=sender.accepts
        )
    if not requests:
        raise CalfeedError(f"delivery {delivery_id} is not pending, or its message cannot be read")
    sender.submit(requests)
    outcomes = sender.results(timeout=60.0)
    with database.write() as connection:
        record_outcomes(connection, outcomes, clock(), random)
    return _to_attempt(outcomes[0])


def make_signer(
    message_id: str,
    body: bytes,
    secrets_at: Callable[[datetime], Sequence[str]],
    clock: Callable[[], datetime],
) -> Callable[[], Mapping[str, str]]:
    """Return a function that signs a message, with the time and the secrets at each call."""

    def sign() -> Mapping[str, str]:
        now = clock()
        return sign_headers(message_id, now, body, secrets_at(now))

    return sign


def delivery_of(item: Request | Outcome) -> InFlightDelivery:
    """The delivery that a request was made for; TypeError if it was made for something else."""
    if not isinstance(item.key, InFlightDelivery):
        raise TypeError(f"the key is not a delivery: {item.key!r}")
    return item.key


def claim_of(item: Request | Outcome) -> Claim:
    """The claim of the delivery that a request was made for."""
    return delivery_of(item).claim


def _to_attempt(outcome: Outcome) -> Attempt:
    claim = claim_of(outcome)
    return Attempt(
        delivery_id=claim.delivery_id,
        claim=claim.number,
        at=outcome.started_at,
        milliseconds=outcome.milliseconds,
        status=outcome.status,
        error=outcome.error,
        response=outcome.response_start,
    )
