"""An example of each type of message, made by the code that makes the real ones.

All are about one event, the report that `docs/receiving.md` defines.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.model import events
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.dates.uncertainty import Precision
from calfeed.model.events import Event, Source
from calfeed.model.revision import Revision
from calfeed.model.uids import NAME_BASED_UIDS
from calfeed.reminders.digests import DigestEntry, digest_message
from calfeed.reminders.messages import (
    Message,
    change_message,
    make_id,
    probe_message,
    reminder_message,
    verify_message,
)
from calfeed.reminders.plan import Reminder, plan_reminders

ENDPOINT = "ep_f282773a29b74c6e"
CHALLENGE = "vH3oT0yZ2m6pQm8b9cXj1uWl4sKd7aRf"

_PAGE = "https://calendar.example.org/calendars/grants/report-due/"
_CREATED = datetime(2030, 1, 7, 6, tzinfo=UTC)
_MODIFIED = datetime(2030, 5, 2, 9, 30, tzinfo=UTC)
_HORIZON = datetime(2031, 1, 1, tzinfo=UTC)
_DUE = datetime(2030, 6, 28, 17, tzinfo=ZoneInfo("Asia/Karachi"))

EVENT = Event(
    calendar="grants",
    slug="report-due",
    uid=NAME_BASED_UIDS.make("grants", "report-due"),
    summary={"en": "Report to the foundation is due"},
    description={"en": "The narrative report, and the accounts to March."},
    start=_DUE,
    time_zone="Asia/Karachi",
    language="en",
    kind=events.Kind.DEADLINE,
    categories=("report",),
    sources=(Source(title="Letter of the foundation", date=date(2030, 5, 2)),),
    reminders=(ReminderRule(before=Duration(days=7)),),
    note={"en": "The foundation gives two weeks more"},
)


def make_reminder() -> Message:
    """The reminder a week before."""
    return reminder_message(_reminder(), _after(), _reminder().due, page=_PAGE)


def make_digest() -> Message:
    """A digest with this reminder alone."""
    due, reminder = make_reminder(), _reminder()
    entry = DigestEntry(due.id, due.body, reminder.occurrence.begins, reminder.until)
    return digest_message(make_id("digest"), [entry], reminder.due)


def make_added() -> Message:
    """The announcement of the event, two weeks earlier."""
    before = _before()
    return change_message(EventChange(Kind.ADDED, None, before), before.created, page=_PAGE)


def make_moved() -> Message:
    """The move by two weeks."""
    return _make_change(Kind.MOVED)


def make_corrected() -> Message:
    """The same, if the earlier date was wrong."""
    return _make_change(Kind.CORRECTED)


def make_changed() -> Message:
    """The same, as a change that is no move."""
    return _make_change(Kind.CHANGED)


def make_cancelled() -> Message:
    """The same, as a cancellation."""
    return _make_change(Kind.CANCELLED)


def make_date_open() -> Message:
    """The question for the date, if only its month were known."""
    month = {"start": date(2030, 6, 1), "end": date(2030, 7, 1), "precision": Precision.MONTH}
    uncertain = _revise(EVENT.model_copy(update=month), 0)
    (ask,) = plan_reminders(uncertain.event, _CREATED, _HORIZON)
    return reminder_message(ask, uncertain, ask.due, page=_PAGE)


def make_verification() -> Message:
    """The challenge of a registered endpoint."""
    return verify_message(ENDPOINT, _CREATED, CHALLENGE, _CREATED + timedelta(hours=1))


def make_test() -> Message:
    """The message of `calfeed endpoint test`."""
    return probe_message(ENDPOINT, _CREATED, "1")


def _make_change(kind: Kind) -> Message:
    after = _after()
    return change_message(EventChange(kind, _before(), after), after.modified, page=_PAGE)


def _before() -> Revision:
    earlier = {"start": _DUE - timedelta(days=14), "note": None}
    return _revise(EVENT.model_copy(update=earlier), 0)


def _after() -> Revision:
    return _revise(EVENT, 1)


def _revise(event: Event, sequence: int) -> Revision:
    return Revision(event=event, sequence=sequence, created=_CREATED, modified=_MODIFIED)


def _reminder() -> Reminder:
    (reminder,) = plan_reminders(EVENT, _CREATED, _HORIZON)
    return reminder
