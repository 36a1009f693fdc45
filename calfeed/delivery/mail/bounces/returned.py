"""Process mails to the bounce address: bounces, and replies of calendar apps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from enum import StrEnum

from calfeed.delivery.mail.bounces.counting import record_bounces
from calfeed.errors import SettingsError
from calfeed.reminders.mail.identifiers import read_bounce_token
from calfeed.store.database import Database
from calfeed.store.people.bounces import record_bounce
from calfeed.store.people.records import load_people_key

_RECIPIENT_HEADERS = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
"""The headers with the address that a bounce was sent to: the envelope sender of the mail."""

_STATUS = re.compile(rb"^Status:\s*(5\.[0-9]{1,3}\.[0-9]{1,3})", re.IGNORECASE | re.MULTILINE)

MAX_BYTES = 2_000_000
"""The largest mail that is read; a bounce that has the whole mail in it is much smaller."""


class Verdict(StrEnum):
    """The kinds of mails to the bounce address."""

    PERMANENT = "a permanent bounce"
    """Counted, and recorded with its delivery."""

    TEMPORARY = "a temporary bounce"
    """Ignored: the sending server keeps trying, or has given up on one mail."""

    KNOWN = "a bounce that is recorded already"

    REPLY = "a calendar reply"
    """Discarded: calfeed does not track attendance."""

    OTHER = "not a bounce of a mail that this site sent"


def take_returned(database: Database, content: bytes, address: str, now: datetime) -> Verdict:
    """Process a mail to the bounce address; `address` has `*` for the token.

    Raises SettingsError if flufl.bounce is not installed.
    """
    # Parsed with the default policy, compat32, because the others fail on some malformed headers.
    # Anybody can send a mail to this address, and a malformed one must not prevent the next mails
    # from being read.
    mail = message_from_bytes(content[:MAX_BYTES])
    if _is_calendar_reply(mail):
        return Verdict.REPLY
    with database.write() as connection:
        key = load_people_key(connection)
        delivery_id = next(
            (
                found
                for token in _find_tokens(mail, address)
                if (found := read_bounce_token(key, token)) is not None
            ),
            None,
        )
        if delivery_id is None:
            return Verdict.OTHER
        verdict = judge_bounce(content)
        if verdict is not Verdict.PERMANENT:
            return verdict
        status = _STATUS.search(content)
        reason = f"it bounced later: {status[1].decode() if status else 'undeliverable'}"
        endpoint_id = record_bounce(connection, delivery_id, now, reason)
        if endpoint_id is None:
            return Verdict.KNOWN
        record_bounces(connection, [endpoint_id], now)
    return Verdict.PERMANENT


def judge_bounce(content: bytes) -> Verdict:
    """Return whether a mail is a bounce, and whether it is permanent, according to flufl.bounce.

    Raises SettingsError if flufl.bounce is not installed.
    """
    try:
        from flufl.bounce import all_failures
    except ImportError as error:
        raise SettingsError(
            "flufl.bounce, which reads bounces, is not installed; run pip install 'calfeed[mail]'"
        ) from error
    try:
        temporary, permanent = all_failures(message_from_bytes(content))
    except Exception:
        return Verdict.OTHER  # malformed in a way that flufl.bounce does not expect
    if permanent:
        return Verdict.PERMANENT
    return Verdict.TEMPORARY if temporary else Verdict.OTHER


def _is_calendar_reply(mail: Message) -> bool:
    """Return whether a mail is a calendar app's reply to an entry (iTIP REPLY, RFC 5546, 3.2.3)."""
    return any(
        part.get_content_type() == "text/calendar"
        and str(part.get_param("method", "")).upper() in ("REPLY", "COUNTER")
        for part in mail.walk()
    )


def _find_tokens(mail: Message, address: str) -> Iterator[str]:
    """Return the tokens in the addresses that a mail was sent to."""
    before, _, after = address.partition("*")
    pattern = re.compile(
        rf"(?<![\w.+-]){re.escape(before)}([0-9a-z-]+){re.escape(after)}(?![\w.-])", re.IGNORECASE
    )
    for name in _RECIPIENT_HEADERS:
        for value in mail.get_all(name, []):
            yield from pattern.findall(str(value))
