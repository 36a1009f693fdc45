"""Messages to one person who follows dates by mail. Their bodies say nothing of the person."""

from __future__ import annotations

from datetime import datetime

from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message, make_body, make_id

CONFIRM = "follow.confirm"
"""Asks an address whether it wants to follow; the mail has the link to confirm."""

KNOWN = "follow.known"
"""Tells somebody who follows already what was asked, with the link to confirm it."""

WELCOME = "follow.welcome"
"""Follows a confirmation: what is followed, the entries of it, the link to the own page."""

SENT_ALWAYS = (CONFIRM, KNOWN)
"""The types that are sent in quiet hours and while a person has paused, because they were just
asked for."""

_TEXTS = {
    CONFIRM: "Somebody asked to follow dates by mail, which has to be confirmed.",
    KNOWN: "Somebody who follows dates asked to follow more, which has to be confirmed.",
    WELCOME: "Following by mail was confirmed.",
}


def person_message(
    message_type: str, request_id: str, now: datetime, until: datetime | None = None
) -> Message:
    """A message of one of the types above about a request, made at `now`.

    It is not sent after `until`. A request that is asked again later has further messages.
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
