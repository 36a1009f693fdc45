"""Messages to one person who follows dates by mail. Their bodies contain no personal data."""

from __future__ import annotations

from datetime import datetime

from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, make_body, make_id

CONFIRM = "follow.confirm"
"""Asks the owner of an address to confirm; the mail has the link to confirm."""

KNOWN = "follow.known"
"""Asks a person who already follows to confirm additions; the mail has the link to confirm."""

WELCOME = "follow.welcome"
"""Sent after a confirmation: what is followed, its calendar entries, the link to the own page."""

SENT_ALWAYS = (CONFIRM, KNOWN)
"""The types that are also sent in quiet hours and while a person has paused.

The person has just requested them.
"""

_TEXTS = {
    CONFIRM: "Somebody asked to follow dates by mail, which has to be confirmed.",
    KNOWN: "Somebody who follows dates asked to follow more, which has to be confirmed.",
    WELCOME: "Following by mail was confirmed.",
}


def person_message(
    message_type: str, request_id: str, now: datetime, until: datetime | None = None
) -> Message:
    """A message about a request, of one of the types above, made at `now`.

    It is not sent after `until`. A request that is mailed again later gets further messages.
    """
    text = _TEXTS[message_type]
    return Message(
        id=make_id(message_type, request_id, now.isoformat()),
        subject=Subject(type=message_type, calendar="", event=""),
        at=now,
        body=make_body(message_type, now, {"request": request_id, "text": text}),
        until=until,
        text=text,
    )
