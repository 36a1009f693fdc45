"""Make drafts of mails from stored messages, with data from the ledger and the calendars.

A draft is made once for each message, in the claim's transaction. The sender's threads then make
the content in each language from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from calfeed.ical.comparison.changes import EventChange
from calfeed.model.events import Calendar
from calfeed.model.revision import Revision
from calfeed.model.values import Text, text_in
from calfeed.reminders.following.choices import split_name
from calfeed.reminders.mail import announcing, greeting, reminding
from calfeed.reminders.mail.content import Content, Wording
from calfeed.reminders.mail.entry import EntryTemplate, make_entry, make_entry_of_change
from calfeed.reminders.mail.reminding import Due
from calfeed.store.catalog.announcements import find_announced
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.events import find_published
from calfeed.store.catalog.revisions import load_revisions
from calfeed.store.catalog.visibility import is_public
from calfeed.store.database import Connection

GREETINGS = {
    "follow.confirm": greeting.describe_confirmation,
    "follow.known": greeting.describe_further_request,
    "follow.welcome": greeting.describe_welcome,
}
"""The functions that write mails about following itself, such as the confirmation, by type."""


@dataclass(frozen=True)
class Named:
    """A name in one or more languages; there is always one in the language `default`."""

    text: Text
    default: str

    def in_language(self, language: str) -> str:
        """Return the name in a language, if there is one."""
        return text_in(self.text, language, self.default)


@dataclass(frozen=True)
class Draft:
    """A message for which `describe` makes the content in any language.

    The calendar entry is made from `change`, which is None if there is no entry.
    `request` is the id of the request to follow dates, if the message is about one, otherwise "".
    """

    type: str
    calendar: Named | None
    slug: str
    describe: Callable[[Wording], Content]
    change: EventChange | None = None
    request: str = ""

    def entry(self, language: str, *, has_event: bool) -> EntryTemplate | None:
        """Return the calendar entry, None if the message has no change.

        `has_event` says whether the reader may already have an entry of the event.
        """
        if self.change is None:
            return None
        if has_event:
            return make_entry_of_change(self.change, language)
        return make_entry(self.change.after, language)


def draft(connection: Connection, body: bytes, now: datetime) -> Draft:
    """Make the draft of a stored message that is sent at `now` (UTC)."""
    message: dict[str, Any] = json.loads(body)
    message_type, data = str(message["type"]), message["data"]
    event: dict[str, Any] = data.get("event") or {}
    slug = str(event.get("calendar", ""))
    names = load_calendar_names(connection, [slug]) if slug else {}
    change = None
    describe: Callable[[Wording], Content]
    if message_type == "reminder.digest":
        dues = _read_dues(connection, data["reminders"])
        describe = partial(reminding.describe_digest, dues, now)
    elif message_type == "reminder.due":
        (due,) = _read_dues(connection, [data])
        describe = partial(reminding.describe_reminder, due, now)
    elif message_type == "event.date_open":
        (due,) = _read_dues(connection, [data])
        describe = partial(reminding.describe_open_date, due)
    elif event:
        announced = find_announced(connection, event["uid"], event["sequence"])
        change = announced.change if announced else None
        describe = _describe_change(change, data)
    else:
        describe = greeting.describe_test
    return Draft(
        type=message_type,
        calendar=names.get(slug),
        slug=slug,
        describe=describe,
        change=change,
        request=str(data.get("request", "")),
    )


def load_calendar_names(connection: Connection, slugs: Sequence[str]) -> dict[str, Named]:
    """Load the names of calendars by slug."""
    rows = load_calendars(connection)
    found = {
        slug: Calendar.model_validate_json(rows[slug].content) for slug in slugs if slug in rows
    }
    return {slug: Named(calendar.name, calendar.language) for slug, calendar in found.items()}


def name_followed(connection: Connection, follows: Sequence[str]) -> list[list[Named]]:
    """Return, for each item that a person follows, the calendar's name and the item's own name.

    There is no second name if the item is a whole calendar. A calendar or event that is no longer
    public is named as in the person's filter.
    """
    slugs = {split_name(name)[0] for name in follows}
    calendars = load_calendar_names(
        connection, [slug for slug in slugs if is_public(connection, slug)]
    )
    named = []
    for name in follows:
        slug, event, category = split_name(name)
        parts = [calendars.get(slug, Named({"en": slug}, "en"))]
        if category:
            parts.append(Named({"en": category}, "en"))
        if event:
            revision = _find_public(connection, slug, event)
            parts.append(
                Named({"en": event}, "en")
                if revision is None
                else Named(revision.event.summary, revision.event.language)
            )
        named.append(parts)
    return named


def find_single_event(connection: Connection, follows: Sequence[str]) -> Revision | None:
    """Return the public event that a person follows, if the person follows only that event."""
    calendar, event, _ = split_name(follows[0]) if len(follows) == 1 else ("", "", "")
    return _find_public(connection, calendar, event) if event else None


def _find_public(connection: Connection, calendar: str, event: str) -> Revision | None:
    if not is_public(connection, calendar):
        return None
    return find_published(connection, calendar, event)


def _read_dues(connection: Connection, reminders: Sequence[dict[str, Any]]) -> list[Due]:
    names = {(each["event"]["uid"], each["event"]["sequence"]) for each in reminders}
    found = load_revisions(connection, names)
    return [
        Due(each, found.get((each["event"]["uid"], each["event"]["sequence"])))
        for each in reminders
    ]


def _describe_change(
    change: EventChange | None, data: dict[str, Any]
) -> Callable[[Wording], Content]:
    page: str | None = data["event"].get("page")
    if change is not None:
        return partial(_describe_in, change, page)
    # The ledger has no such revision, or its key is missing: use the message's own text.
    return lambda wording: Content(
        subject=data["text"],
        kicker="",
        title=data["event"]["summary"],
        paragraphs=(data["text"],),
        action=(wording.gettext("Open the event's page"), page) if page else None,
    )


def _describe_in(change: EventChange, page: str | None, wording: Wording) -> Content:
    return announcing.describe_change(change, wording, page)
