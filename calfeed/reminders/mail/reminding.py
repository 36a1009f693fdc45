"""The content of mails about coming dates: reminders, digests, and dates that are still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from calfeed.ical.wording.dates_text import format_times
from calfeed.model.revision import Revision
from calfeed.model.values import text_in
from calfeed.reminders.mail.announcing import list_facts
from calfeed.reminders.mail.content import Content, Entry, Fact, Wording

_LATE_SECONDS = 60


@dataclass(frozen=True)
class Due:
    """A reminder: the `data` of its message, and its event's revision in the ledger.

    If `revision` is None, texts are taken from the message, in the language of the calendar.
    """

    data: Mapping[str, Any]
    revision: Revision | None

    @property
    def page(self) -> str | None:
        page: str | None = self.data["event"].get("page")
        return page

    def title(self, wording: Wording) -> str:
        """The title of the occurrence if it has its own, else the title of the event."""
        event, occurrence = self.data["event"], self.data["occurrence"]
        own: str | None = occurrence.get("summary")
        if self.revision is None or own is not None:
            return own or str(event["summary"])
        summary = self.revision.event.summary
        return text_in(summary, wording.language, self.revision.event.language)

    def when(self, wording: Wording) -> str:
        """The date of the occurrence."""
        start, end = self.start, _read_moment(self.data["occurrence"]["end"])
        precision = None
        if self.revision is not None:
            event = self.revision.event
            precision = event.precision
            if isinstance(start, datetime) and isinstance(end, datetime):
                start, end = start.astimezone(event.zone), end.astimezone(event.zone)
        return format_times(start, end, precision, wording.language)

    @property
    def start(self) -> date | datetime:
        return _read_moment(self.data["occurrence"]["start"])

    def distance(self, moment: datetime, wording: Wording) -> str:
        """The time from `moment` (aware) to the occurrence: "in 7 days", "today", "now"."""
        start = self.start
        if not isinstance(start, datetime):
            zone = self.revision.event.zone if self.revision else moment.tzinfo
            return _format_days((start - moment.astimezone(zone).date()).days, wording)
        minutes = int((start - moment) / timedelta(minutes=1))
        if minutes >= 24 * 60:
            return _format_days(minutes // (24 * 60), wording)
        if minutes >= 60:
            return wording.ngettext("in %(num)s hour", "in %(num)s hours", minutes // 60)
        if minutes >= 1:
            return wording.ngettext("in %(num)s minute", "in %(num)s minutes", minutes)
        return wording.gettext("now")


def describe_reminder(due: Due, moment: datetime, wording: Wording) -> Content:
    """Describe a reminder that is sent at `moment` (aware)."""
    title, when = due.title(wording), due.when(wording)
    late = due.data["reminder"]["late_seconds"] > _LATE_SECONDS
    at = moment if late else _read_due(due, moment)
    distance = due.distance(at, wording)
    subject = wording.gettext(
        "Reminder: %(title)s, %(distance)s (%(when)s)", title=title, distance=distance, when=when
    )
    small = wording.gettext("This reminder is late.") if late else ""
    return Content(
        subject=subject,
        kicker=distance,
        title=title,
        facts=(Fact(wording.gettext("When"), when), *_facts_of(due, wording)),
        small=(small,) if small else (),
        action=_open(due.page, wording),
    )


def describe_open_date(due: Due, wording: Wording) -> Content:
    """Describe an event whose day is still open, shortly before its first possible day."""
    title, when = due.title(wording), due.when(wording)
    return Content(
        subject=wording.gettext("Date still open: %(title)s, %(when)s", title=title, when=when),
        kicker=wording.gettext("Date still open"),
        title=title,
        facts=(Fact(wording.gettext("When"), when), *_facts_of(due, wording)),
        action=_open(due.page, wording),
    )


def describe_digest(reminders: Sequence[Due], moment: datetime, wording: Wording) -> Content:
    """Describe the dates of reminders that are sent at `moment` (aware), in the given order.

    Reminders of the same occurrence are combined.
    """
    each = {(due.data["event"]["uid"], due.data["occurrence"]["start"]): due for due in reminders}
    title = wording.ngettext("%(num)s date ahead", "%(num)s dates ahead", len(each))
    return Content(
        subject=title,
        kicker=wording.gettext("Reminders"),
        title=title,
        entries=tuple(
            Entry(
                due.title(wording),
                (f"{due.when(wording)} ({due.distance(moment, wording)})",),
                due.page,
            )
            for due in each.values()
        ),
    )


def _facts_of(due: Due, wording: Wording) -> list[Fact]:
    return list_facts(due.revision.event, wording) if due.revision else []


def _open(page: str | None, wording: Wording) -> tuple[str, str] | None:
    return (wording.gettext("Open the event's page"), page) if page else None


def _format_days(days: int, wording: Wording) -> str:
    if days <= 0:
        return wording.gettext("today")
    if days == 1:
        return wording.gettext("tomorrow")
    return wording.ngettext("in %(num)s day", "in %(num)s days", days)


def _read_due(due: Due, moment: datetime) -> datetime:
    """Return when a reminder was due, `moment` if its message has only the day.

    Counted from the time of sending, milliseconds later, "in 7 days" would become "in 6 days".
    """
    planned = _read_moment(due.data["reminder"]["due"])
    return planned if isinstance(planned, datetime) else moment


def _read_moment(text: str) -> date | datetime:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
