"""The calendar part of a mail (iMIP, RFC 6047): a REQUEST or CANCEL for one reader.

The organizer is the sender, because apps ignore updates from another address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from icalendar import Calendar, Component, vCalAddress

from calfeed import PRODID
from calfeed.ical.comparison.changes import EventChange
from calfeed.ical.feed import zone_in_use
from calfeed.ical.history import ENDLESS
from calfeed.ical.occurrences import Moment, format_moment, last_end
from calfeed.ical.vevent import render_event
from calfeed.ical.zones.vtimezones import render_vtimezone
from calfeed.model.events import Change, Repeat, Status
from calfeed.model.revision import Revision

_PARAMETERS = {
    "CUTYPE": "INDIVIDUAL",
    "ROLE": "REQ-PARTICIPANT",
    "PARTSTAT": "NEEDS-ACTION",
    "RSVP": "FALSE",
}


@dataclass(frozen=True)
class CalendarPart:
    """An iTIP object (RFC 5546): its method, which the mail's header repeats, and its bytes."""

    method: str
    content: bytes


@dataclass(frozen=True)
class EntryTemplate:
    """An event as an iTIP object, without the parts that differ between readers."""

    method: str
    zones: bytes
    events: tuple[Component, ...]

    def address(self, organizer: str, attendee: str, now: datetime) -> CalendarPart:
        """Make the calendar part for one reader, at `now` (UTC).

        `organizer` and `attendee` are mail addresses.
        """
        events = []
        for template in self.events:
            event = template.copy(recursive=True)
            event.pop("DTSTAMP", None)
            event.add("DTSTAMP", now.astimezone(UTC).replace(microsecond=0))
            event["ORGANIZER"] = vCalAddress(f"mailto:{organizer}")
            reader = vCalAddress(f"mailto:{attendee}")
            reader.params.update(_PARAMETERS)
            event["ATTENDEE"] = reader
            events.append(event.to_ical())
        content = b"".join([_header(self.method), self.zones, *events, b"END:VCALENDAR\r\n"])
        return CalendarPart(self.method, content)


def make_entry(revision: Revision, language: str) -> EntryTemplate:
    """Make the entry of a whole event from this revision.

    An event that is cancelled, withdrawn or on hold is a CANCEL.
    """
    rendered = render_event(revision, (language,))
    events = _read(rendered)
    gone = revision.cancelled or revision.event.on_hold is not None
    if gone:
        events = events[:1]
    return EntryTemplate("CANCEL" if gone else "REQUEST", _zones(revision, rendered), events)


def make_entry_of_change(change: EventChange, language: str) -> EntryTemplate:
    """Make the entry of a change, for a reader who has the entry of the event.

    If only one occurrence of a series changed, the entry is that occurrence alone, because Outlook
    does not read changes inside a series.
    """
    whole = make_entry(change.after, language)
    if len(change.occurrences) != 1 or change.event_differs or whole.method == "CANCEL":
        return whole
    (one,) = change.occurrences
    if one.onwards or one.after.original is None or not _begins_as_before(change):
        return whole
    revision = _cancel(change.after, one.after.original) if one.dropped else change.after
    rendered = render_event(revision, (language,))
    own = tuple(event for event in _read(rendered) if _recurrence_id(event) == one.after.id)
    if not own:
        return whole  # it is an ordinary occurrence again, without its own values
    return EntryTemplate("CANCEL" if one.dropped else "REQUEST", whole.zones, own)


def _begins_as_before(change: EventChange) -> bool:
    """Whether the start and the zone of a series, which only its whole entry has, are the same."""
    starts = [
        (revision.event.start, revision.event.time_zone)
        for revision in (change.before, change.after)
        if revision is not None
    ]
    return len(set(starts)) == 1


def _cancel(revision: Revision, original: Moment) -> Revision:
    """Return a revision in which an occurrence is cancelled, even if the series excludes it."""
    repeat = revision.event.repeat or Repeat()
    others = (change for change in repeat.changes if change.original != original)
    changes = (*others, Change(original=original, status=Status.CANCELLED))
    event = revision.event.model_copy(
        update={"repeat": repeat.model_copy(update={"changes": changes})}
    )
    return revision.model_copy(update={"event": event})


def _read(rendered: bytes) -> tuple[Component, ...]:
    """Parse rendered VEVENTs, without their alarms: reminders come by mail."""
    text = b"BEGIN:VCALENDAR\r\n" + rendered + b"END:VCALENDAR\r\n"
    events = Calendar.from_ical(text).walk("VEVENT")
    for event in events:
        event.subcomponents.clear()
    return tuple(events)


def _zones(revision: Revision, rendered: bytes) -> bytes:
    end = last_end(revision.event)
    use = zone_in_use(revision.event, rendered, ENDLESS if end is None else end.year)
    return b"" if use is None else render_vtimezone(use.time_zone, use.first, use.last)


def _recurrence_id(event: Component) -> str | None:
    moment = event.get("RECURRENCE-ID")
    return None if moment is None else format_moment(moment.dt)


def _header(method: str) -> bytes:
    calendar = Calendar()
    calendar.add("PRODID", PRODID)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    header: bytes = calendar.to_ical()
    return header.removesuffix(b"END:VCALENDAR\r\n")
