"""A desk that works in one language: events, changes and messages whose texts are all in it.

As a program it writes the golden files: `python -m tests.wording.corpus --write`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any, NamedTuple

from calfeed.ical.comparison.changes import EventChange, compare_revisions
from calfeed.ical.feed import Heading
from calfeed.ical.variants import PLAIN, render_variants
from calfeed.ical.vtodo import render_tasks
from calfeed.model.dates.dating import Cause, Hold, OnHold
from calfeed.model.dates.offsets import Offset
from calfeed.model.events import Calendar, Event
from calfeed.model.revision import ComparableRevision, Revision
from calfeed.publish.compare import revise
from calfeed.reminders.digests import DigestEntry, digest_message
from calfeed.reminders.messages import Message, change_message, reminder_message
from calfeed.reminders.plain_text import format_notification
from calfeed.reminders.plan import plan_reminders
from calfeed.store.catalog.announcements import AnnouncedChange, AnnouncementPosition
from calfeed.web.published.formats import make_atom
from tests.ical.defining import define

GOLDEN = Path(__file__).parent / "golden"
CREATED = datetime(2030, 1, 1, 8, tzinfo=UTC)
PAGE = "https://calendar.example.org/calendars/desk/it/"


class Title(NamedTuple):
    """What a desk writes in its language."""

    it: str
    cause: str
    note: str
    holiday: str
    place: str


TITLES = {
    "en": Title("The stay ends", "Ruling", "the judge is ill", "Founding day", "Room 4"),
    "ur": Title("قیام کا اختتام", "فیصلہ", "جج بیمار ہیں", "یوم تاسیس", "کمرہ ۴"),
    "ps": Title("د استوګنې پای", "پرېکړه", "قاضي ناروغ دی", "د تاسیس ورځ", "۴ خونه"),
    "fa": Title("پایان اقامت", "حکم", "قاضی مریض است", "روز تأسیس", "اتاق ۴"),
    "fr": Title("Fin du séjour", "Décision", "la juge est malade", "Fondation", "Salle 4"),
    "es": Title("Fin de la estancia", "Fallo", "el juez está enfermo", "Fundación", "Sala 4"),
    "ar": Title("نهاية الإقامة", "الحكم", "القاضي مريض", "يوم التأسيس", "القاعة ٤"),
    "de": Title("Ende der Frist", "Urteil", "die Richterin ist krank", "Gründungstag", "Saal 4"),
}

SERIES = 'start: 2030-03-01 09:00\nduration: 1 hour\nrepeat: {rule: "FREQ=WEEKLY;COUNT=%s"%s}'
COUNTED = "start: %s after cause"

# The keys of an event before and after, and what is different about the calendar afterwards.
CHANGES: dict[str, tuple[str | None, str]] = {
    "added": (None, "start: 2030-06-01"),
    "added-deadline": (None, "kind: deadline\nstart: 2030-06-12 17:00"),
    "moved": ("start: 2030-06-01", "start: 2030-06-14"),
    "moved-with-note": ("start: 2030-06-12", "start: 2030-06-14\nnote: {note}"),
    "moved-in-time": (
        "start: 2030-06-12 10:00\nend: 2030-06-12 11:00",
        "start: 2030-06-12 14:00\nend: 2030-06-13 12:00",
    ),
    "moved-by-a-range": (
        "start: 2030-06-03\nend: 2030-06-07",
        "start: 2030-06-28\nend: 2030-07-02",
    ),
    "moved-over-the-year": (
        "start: 2030-06-03..2030-06-20",
        "start: 2030-12-20..2031-01-03",
    ),
    "corrected": ("start: 2030-06-12", "start: 2030-06-21\ncorrection: {was: 2030-06-12}"),
    "firmed": ("start: 2030-06", "start: 2030-06-12"),
    "firmed-to-a-part": ("start: 2030-Q2", "start: mid-June 2030"),
    "loosened": ("start: 2030-06-12", "start: 2030-H1"),
    "time-open": ("start: 2030-06-12 10:00", "start: 2030-06-12 time TBC"),
    "season": ("start: 2030", "start: winter 2030"),
    "postponed": ("start: 2030-06-12", "start: postponed from 2030-06-12"),
    "back": ("start: postponed from 2030-06-12", "start: 2030-09-01"),
    "still-postponed": (
        "start: postponed from 2030-06-12",
        "start: postponed from 2030-06-12\nlocation: {place}",
    ),
    "longer": ("start: 2030-06-12\nend: 2030-06-13", "start: 2030-06-12\nend: 2030-06-15"),
    "done": ("start: 2030-06-12", "start: 2030-06-12\ndone: 2030-06-10"),
    "waived": (
        "kind: deadline\nstart: 2030-06-12",
        "kind: deadline\nstart: 2030-06-12\ndone: waived",
    ),
    "changed": ("start: 2030-06-12", "start: 2030-06-12\nlocation: {place}"),
    "cancelled": ("start: 2030-06-12", "start: 2030-06-12\nstatus: cancelled\nnote: {note}"),
    "cancelled-deadline": (
        "kind: deadline\nstart: 2030-06-12",
        "kind: deadline\nstart: 2030-06-12\nstatus: cancelled",
    ),
    "one-off": (SERIES % (6, ""), SERIES % (6, ", except: [2030-03-15 09:00]")),
    "one-more": (SERIES % (6, ""), SERIES % (6, ", also: [2030-03-12 09:00]")),
    "many-more": (SERIES % (2, ""), SERIES % (9, "")),
    "one-changed": (
        SERIES % (6, ""),
        SERIES % (6, ", changes: {2030-03-15 09:00: {location: {place}}}"),
    ),
    "one-moved": (
        SERIES % (6, ""),
        SERIES % (6, ", changes: {2030-03-15 09:00: {start: 2030-03-16 11:00}}")
        + "\nlocation: {place}",
    ),
    "cause-moved": (COUNTED % "3 working days", COUNTED % "3 working days"),
    "cause-of-months": (COUNTED % "2 months 1 day", COUNTED % "2 months 1 day"),
    "rolled": (COUNTED % "1 clear day", COUNTED % "1 clear day"),
}
_MOVED_CAUSES = {"cause-moved", "cause-of-months", "rolled"}


def define_calendar(
    language: str, keys: str, *, cause: str = "2030-06-12", closed: str = ""
) -> Calendar:
    """A calendar with an event `it` and one that it may be counted from, as others are."""
    title = TITLES[language]
    for name, text in title._asdict().items():
        keys = keys.replace(f"{{{name}}}", text)
    events = (
        f"it:\n  summary: {title.it}\n  reminders: [1 week]\n"
        f"  sources: [{{title: {title.cause}, date: 2030-01-01, url: https://example.org/1}}]\n"
        + indent(keys, "  ")
        + f"\ncause:\n  summary: {title.cause}\n  start: {cause}\n"
    )
    if "clear" in keys:
        events = events.replace("  reminders", "  roll: next\n  reminders", 1)
    days = f"closed: [{{date: {closed}, title: {title.holiday}}}]" if closed else ""
    head = f"language: {language}\nworking_days: {{weekend: [saturday, sunday], {days}}}"
    return define(events, head=head)


def define_it(language: str, keys: str, **more: str) -> Event:
    return next(e for e in define_calendar(language, keys, **more).events if e.slug == "it")


def day(text: str) -> date:
    return date.fromisoformat(text)


def wait_for(event: Event) -> Event:
    """The event while it waits for what it is counted from."""
    title = next(text for text in TITLES.values() if text.it in event.summary.values())
    summary = {event.language: title.cause}
    cause = Cause(calendar="desk", slug="cause", uid="cause@desk", summary=summary)
    on_hold = OnHold(why=Hold.WAITING, cause=cause, offset=Offset(direction=1, days=3))
    return event.model_copy(update={"on_hold": on_hold})


def first_revision(event: Event) -> Revision:
    return Revision(event=event, sequence=0, created=CREATED, modified=CREATED)


def change(before: Event | None, after: Event) -> EventChange:
    """The change that publishing one after the other makes."""
    if before is None:
        return compare_revisions(None, ComparableRevision(first_revision(after)))
    last = ComparableRevision(first_revision(before))
    return revise(after, last, last, CREATED + timedelta(days=1))


@cache
def list_changes(language: str) -> dict[str, EventChange]:
    """A change of each kind, by name."""
    changes = {}
    for name, (before, after) in CHANGES.items():
        old = define_it(language, before) if before is not None else None
        cause = "2030-06-14" if name in _MOVED_CAUSES else "2030-06-12"
        changes[name] = change(old, define_it(language, after, cause=cause))
    counted = COUNTED % "3 working days"
    old, new = define_it(language, counted), define_it(language, counted, closed="2030-06-13")
    changes["holiday-added"], changes["holiday-removed"] = change(old, new), change(new, old)
    changes["waits"], changes["waits-no-more"] = (
        change(old, wait_for(old)),
        change(wait_for(old), old),
    )
    changes["new-rules"] = replace(change(old, old), new_rules=True)
    withdrawn = first_revision(old).model_copy(update={"withdrawn": True, "sequence": 1})
    changes["withdrawn"] = compare_revisions(
        ComparableRevision(first_revision(old)), ComparableRevision(withdrawn)
    )
    return changes


def list_reminders(language: str) -> Iterator[Message]:
    """Reminders on time and late, of days and times, and of a date that is still open."""
    for keys, more in (
        ("start: 2030-06-12", "[1 week, 1 day, on the day]"),
        ("start: 2030-06-12 10:00", "[3 days, 2 hours, 45 minutes]"),
        ("start: 2030-06-24\nend: 2030-06-28", "[11 days]"),
        ("start: 2030-09", "[]"),
    ):
        event = define_it(language, keys)
        rules = define(f"it:\n  summary: It\n  reminders: {more}\n" + indent(keys, "  "))
        event = event.model_copy(update={"reminders": rules.events[0].reminders})
        for reminder in plan_reminders(event, CREATED, CREATED + timedelta(days=400)):
            for late in (timedelta(0), timedelta(minutes=2), timedelta(hours=1), timedelta(days=2)):
                now = reminder.due + late
                if now < reminder.until:
                    yield reminder_message(reminder, first_revision(event), now, page=PAGE)
            yield reminder_message(reminder, first_revision(event), reminder.due, rehearsal="one")


def list_digests(language: str) -> Iterator[Message]:
    """Digests of one date, of a few, and of more than are listed."""
    found = []
    for number in range(1, 9):
        event = define_it(language, f"start: 2030-06-0{number}")
        reminder = next(plan_reminders(event, CREATED, CREATED + timedelta(days=400)))
        body = reminder_message(reminder, first_revision(event), reminder.due, page=PAGE).body
        begins = reminder.occurrence.begins
        found.append(DigestEntry(f"msg_{number}", body, begins, begins))
    for count in (1, 2, 6, 7, 8):
        yield digest_message("msg_digest", found[:count], datetime(2030, 5, 31, 9, tzinfo=UTC))


def list_messages(language: str) -> Iterator[Message]:
    for one in list_changes(language).values():
        yield change_message(one, CREATED + timedelta(days=1), page=PAGE)
    yield from list_reminders(language)
    yield from list_digests(language)


def list_feeds(language: str) -> Iterator[bytes]:
    """What is rendered for calendar apps, of each state of each event."""
    for one in list_changes(language).values():
        yield from render_variants(one.after).values()


def make_tasks(language: str) -> bytes:
    changes = list_changes(language)
    return render_tasks(Heading(name="Desk", source=None), [one.after for one in changes.values()])


def make_atom_of(language: str) -> bytes:
    rows = [
        AnnouncedChange(
            AnnouncementPosition(1, name, number),
            CREATED,
            one.kind,
            one.after.model_dump_json(),
            one.before.model_dump_json() if one.before else None,
        )
        for number, (name, one) in enumerate(list_changes(language).items())
    ]
    return make_atom("Desk", PAGE, PAGE, rows, "https://calendar.example.org")


def write_feeds(language: str) -> str:
    return b"\n".join([*list_feeds(language), make_tasks(language)]).decode()


def write_messages(language: str) -> str:
    """The messages, what a chat gets of them, and the Atom feed."""
    lines = []
    for message in list_messages(language):
        notification = format_notification(message.body)
        lines += [message.body.decode(), notification.title, notification.text, ""]
    return "\n".join([*lines, make_atom_of(language).decode()])


def read_data(message: Message) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(message.body)["data"]
    return data


if __name__ == "__main__" and "--write" in sys.argv:
    assert PLAIN in render_variants(first_revision(define_it("en", "start: 2030-06-12")))
    for tag in ("en", "ur", "ps", "fa"):
        (GOLDEN / f"{tag}.ics").write_text(write_feeds(tag), "utf-8", newline="")
    (GOLDEN / "en.messages").write_text(write_messages("en"), "utf-8", newline="")
