"""Rehearsals: send the reminders of a period to an endpoint now, separately from the real ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from datetime import datetime

from calfeed.counting import count
from calfeed.delivery.engine.attempts import MESSAGE_HEADERS, make_signer
from calfeed.delivery.senders import open_sender_to, url_rules
from calfeed.delivery.transport.guard import check_url
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.errors import ConflictError, Fault, InvalidFieldsError
from calfeed.model.states import EndpointState
from calfeed.publish.plan import page_url
from calfeed.publish.windows import Planned, load_window
from calfeed.reminders.filters import Filters
from calfeed.reminders.messages import Message, reminder_message
from calfeed.reminders.signing import check_secret
from calfeed.settings import Settings
from calfeed.store.database import Database, Transactions
from calfeed.store.endpoints.records import Endpoint, find_endpoint
from calfeed.store.outbox.rehearsals import Rehearsal, add_rehearsal

MAX_REMINDERS = 500
"""The maximum number of reminders in a rehearsal."""

_POLL_SECONDS = 1.0

Window = tuple[datetime, datetime]


def make_rehearsal(
    database: Transactions, base_url: str, endpoint_id: str, window: Window, now: datetime
) -> Rehearsal:
    """Make a worker send an active endpoint the matching reminders of a period.

    The messages have ids of their own, and are not in the histories of the events. Raises
    NotFoundError for an unknown endpoint, ConflictError for one that is not active, SealError for
    one whose secrets cannot be decrypted, InvalidFieldsError for a period with no or too many
    reminders.
    """
    target = _find_target(database, endpoint_id)
    name = secrets.token_hex(8)
    rehearsed = _make_messages(database, base_url, target, window, now, name)
    messages = [message for _, message in rehearsed]
    with database.write() as connection:
        return add_rehearsal(connection, f"rh_{name}", target.id, window, messages, now)


def send_rehearsal(
    database: Database,
    settings: Settings,
    target: str | Endpoint,
    window: Window,
    clock: Callable[[], datetime],
) -> Iterator[tuple[str, Outcome]]:
    """Send a rehearsal from this process, without storing it.

    Yields a line about each reminder and the outcome of its attempt, in the order in which the
    reminders are due, as soon as the outcomes of this reminder and all earlier ones are known.
    `target` is the id of an endpoint, or an endpoint that is not stored. Raises the same errors as
    `make_rehearsal`, and ConflictError for a polled endpoint.
    """
    endpoint = _find_target(database, target) if isinstance(target, str) else target
    if endpoint.is_polled:
        raise ConflictError(
            f"endpoint {endpoint.id} is polled, so nothing can be sent to it from here; rehearse "
            "it in the console or by the API, and its receiver fetches the reminders"
        )
    name, now = secrets.token_hex(8), clock()
    messages = _make_messages(database, settings.base_url, endpoint, window, now, name)
    requests = [
        Request(
            message.id,
            endpoint.url,
            {**MESSAGE_HEADERS, **endpoint.headers},
            message.body,
            make_signer(message.id, message.body, endpoint.secrets_at, clock),
        )
        for _, message in messages
    ]
    outcomes: dict[Hashable, Outcome] = {}
    with open_sender_to(settings, endpoint.url) as sender:
        sender.submit(requests)
        for planned, message in messages:
            while message.id not in outcomes:
                outcomes |= {outcome.key: outcome for outcome in sender.results(_POLL_SECONDS)}
            yield _describe(planned), outcomes[message.id]


def temporary_endpoint(settings: Settings, url: str, secret: str, now: datetime) -> Endpoint:
    """Make an endpoint that is not stored, for a rehearsal. Raises InvalidInputError."""
    return Endpoint(
        id="",
        url=check_url(url, *url_rules(settings)),
        filters=Filters(),
        secret=check_secret(secret),
        created=now,
    )


def _find_target(database: Transactions, endpoint_id: str) -> Endpoint:
    with database.read() as connection:
        endpoint = find_endpoint(connection, endpoint_id).require_readable()
    if endpoint.state is not EndpointState.ACTIVE:
        raise ConflictError(
            f"endpoint {endpoint_id} is {endpoint.state}; only an active one can be sent to"
        )
    return endpoint


def _make_messages(
    database: Transactions,
    base_url: str,
    target: Endpoint,
    window: Window,
    now: datetime,
    name: str,
) -> list[tuple[Planned, Message]]:
    """Make the messages that match the target's filters; `name` is the rehearsal's unique name."""
    messages = []
    for planned in load_window(database, *window):
        page = page_url(base_url, planned.reminder.event)
        message = reminder_message(
            planned.reminder,
            planned.revision,
            now,
            page=page,
            rehearsal=name,
            language=target.options.language,
        )
        if target.filters.allow(planned.public) and target.filters.want(message.subject):
            messages.append((planned, replace(message, uid=None)))
    if not messages:
        text = "no reminder in this period matches the endpoint's filters; nothing was sent"
        raise InvalidFieldsError([Fault("to", text)])
    if len(messages) > MAX_REMINDERS:
        text = f"the period has {count(len(messages), 'reminder')}; choose one with 1 to "
        raise InvalidFieldsError([Fault("to", f"{text}{MAX_REMINDERS}")])
    return messages


def _describe(planned: Planned) -> str:
    event = planned.reminder.event
    due = planned.reminder.due.astimezone(event.zone)
    occurrence = planned.reminder.occurrence.id
    name = f"{event.calendar}/{event.slug}" + (f" {occurrence}" if occurrence else "")
    return f"{due:%Y-%m-%d %H:%M} {name}, {planned.reminder.rule}"
