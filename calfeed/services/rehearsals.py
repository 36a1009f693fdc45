"""Rehearsals: the reminders of any window, sent now to one endpoint, apart from the real ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from calfeed.counting import count
from calfeed.delivery.engine.attempts import HEADERS, make_signer
from calfeed.delivery.senders import open_sender_to, url_rules
from calfeed.delivery.transport.guard import check_url
from calfeed.delivery.transport.sender import Outcome, Request
from calfeed.errors import ConflictError, Fault, InvalidFieldsError
from calfeed.model.states import EndpointState
from calfeed.publish.plan import page_address
from calfeed.publish.windows import Planned, load_window
from calfeed.reminders.filters import Filters
from calfeed.reminders.messages import Message, reminder_message
from calfeed.reminders.signing import check_secret
from calfeed.settings import Settings
from calfeed.store.database import Database, Transactions
from calfeed.store.endpoints.records import Endpoint, find_endpoint
from calfeed.store.outbox.rehearsals import Rehearsal, add_rehearsal

MAX_REMINDERS = 500
"""How many reminders a rehearsal has at most."""

_PATIENCE = 1.0

Window = tuple[datetime, datetime]


def make_rehearsal(
    database: Transactions, base_url: str, endpoint_id: str, window: Window, now: datetime
) -> Rehearsal:
    """Let a worker send an active endpoint the reminders of a window that it wants.

    They have ids of this rehearsal, and are no part of the record of their events. Raises
    NotFoundError for no such endpoint, ConflictError for one that is not active, SealError for one
    whose secrets cannot be read, InvalidFieldsError for a window with too few or too many.
    """
    target = _find_target(database, endpoint_id)
    name = secrets.token_hex(8)
    messages = [message for _, message in _rehearse(database, base_url, target, window, now, name)]
    with database.write() as connection:
        return add_rehearsal(connection, f"rh_{name}", target.id, window, messages, now)


def send_rehearsal(
    database: Database,
    settings: Settings,
    target: str | Endpoint,
    window: Window,
    clock: Callable[[], datetime],
) -> Iterator[Outcome]:
    """Send the same from this process, and keep nothing; return what comes of each, as it does.

    `target` is the id of an endpoint, or one that is not kept. The key of each outcome is a line
    that tells its reminder from the others. Raises as `make_rehearsal`.
    """
    one = _find_target(database, target) if isinstance(target, str) else target
    name, now = secrets.token_hex(8), clock()
    requests = [
        Request(
            _describe(planned),
            one.url,
            {**HEADERS, **one.headers},
            message.body,
            make_signer(message.id, message.body, one.secrets_at, clock),
        )
        for planned, message in _rehearse(database, settings.base_url, one, window, now, name)
    ]
    with open_sender_to(settings, one.url) as sender:
        sender.submit(requests)
        waiting = len(requests)
        while waiting:
            for outcome in sender.results(_PATIENCE):
                waiting -= 1
                yield outcome


def receiver_at(settings: Settings, url: str, secret: str, now: datetime) -> Endpoint:
    """An endpoint that is not kept, to send a rehearsal to. Raises InvalidInputError."""
    return Endpoint(
        id="",
        url=check_url(url, *url_rules(settings)),
        filters=Filters(),
        secret=check_secret(secret),
        created=now,
    )


def _find_target(database: Transactions, endpoint_id: str) -> Endpoint:
    with database.read() as connection:
        found = find_endpoint(connection, endpoint_id).require_readable()
    if found.state is not EndpointState.ACTIVE:
        raise ConflictError(
            f"endpoint {endpoint_id} is {found.state}, so nothing is sent to it; "
            "it has to be active"
        )
    return found


def _rehearse(
    database: Transactions,
    base_url: str,
    target: Endpoint,
    window: Window,
    now: datetime,
    name: str,
) -> list[tuple[Planned, Message]]:
    """The messages of a rehearsal called `name`: of the reminders there are, those it wants."""
    made = []
    for planned in load_window(database, *window):
        page = page_address(base_url, planned.reminder.event)
        message = reminder_message(
            planned.reminder, planned.revision, now, page=page, rehearsal=name
        )
        if target.filters.allow(planned.public) and target.filters.want(message.subject):
            made.append((planned, replace(message, uid=None)))
    if not made:
        words = "no reminder is due in that window that this endpoint wants; nothing was sent"
        raise InvalidFieldsError([Fault("to", words)])
    if len(made) > MAX_REMINDERS:
        words = f"due in it: {count(len(made), 'reminder')}; choose a window with 1 to "
        raise InvalidFieldsError([Fault("to", f"{words}{MAX_REMINDERS}")])
    return made


def _describe(planned: Planned) -> str:
    event = planned.reminder.event
    due = planned.reminder.due.astimezone(event.zone)
    occurrence = planned.reminder.occurrence.id
    name = f"{event.calendar}/{event.slug}" + (f" {occurrence}" if occurrence else "")
    return f"{due:%Y-%m-%d %H:%M} {name}, {planned.reminder.rule}"
