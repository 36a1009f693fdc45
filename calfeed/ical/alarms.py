"""Make alarms of events (RFC 5545, 3.6.6)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from icalendar import vDuration

from calfeed.ical.content_lines import Component, write_moment
from calfeed.ical.occurrences import Moment
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import Event
from calfeed.model.values import start_of

_MINUTE = timedelta(minutes=1)


def make_alarms(
    event: Event, start: Moment, end: Moment | None, title: str, rules: Iterable[ReminderRule]
) -> list[Component]:
    """Make the alarms of an event, or of an overridden occurrence, by these rules.

    A series has no alarms in working days, because no relative trigger can express them.
    """
    alarms = []
    for rule in rules:
        if rule.working and event.repeat is not None:
            continue
        alarm = Component("VALARM")
        alarm.put("ACTION", "DISPLAY")
        alarm.put_text("DESCRIPTION", title)
        if event.repeat is None:
            _put_trigger(alarm, event, start, end, rule)
        else:
            alarm.put("TRIGGER", _write_offset(event, start, end, rule))
        alarms.append(alarm)
    return alarms


def _write_offset(event: Event, moment: Moment, end: Moment | None, rule: ReminderRule) -> str:
    """Write the offset of an alarm from the start of each occurrence; `moment` is the first start.

    In a duration, days are nominal, and hours and minutes are exact (RFC 5545, 3.3.6): one day
    before a change of the clocks is not 24 hours.
    """
    start, due = start_of(moment, event.zone), event.find_due(rule, moment, end)
    if rule.on_calendar or not isinstance(moment, datetime):
        # For apps, an all-day event begins at midnight on the user's clock, and so do its days.
        return _write_duration(due.replace(tzinfo=None) - start.replace(tzinfo=None))
    if rule.of_end or rule.before.months:
        return _write_exact(0, (due.astimezone(UTC) - start.astimezone(UTC)) // _MINUTE)
    return _write_exact(-rule.before.days, -rule.before.minutes)


@lru_cache(maxsize=1024)
def _write_duration(span: timedelta) -> str:
    """Write a duration in days, and in hours only for the rest."""
    written: bytes = vDuration(span).to_ical()  # type: ignore[no-untyped-call]  # icalendar's
    return written.decode()


@lru_cache(maxsize=1024)
def _write_exact(days: int, minutes: int) -> str:
    """Write a duration of nominal days and exact minutes, which have the same sign."""
    hours, rest = divmod(abs(minutes), 60)
    time = (f"{hours}H" if hours else "") + (f"{rest}M" if rest or not hours else "")
    sign = "-" if minutes < 0 or days < 0 else ""
    return f"{sign}P{f'{abs(days)}D' if days else ''}T{time}"


def _put_trigger(
    alarm: Component, event: Event, moment: Moment, end: Moment | None, rule: ReminderRule
) -> None:
    """Put the trigger of an alarm of a single event.

    The trigger is relative only if all apps compute the same instant from it; otherwise it is that
    instant. Some apps count a day as 24 hours even when the clocks change, and for apps, an all-day
    event begins at midnight in the user's own zone. A rule in working days never has a relative
    trigger, because at another date it would be another distance in time.
    """
    start = start_of(moment, event.zone)
    due = event.find_due(rule, moment, end)
    same_offset = due.utcoffset() == start.utcoffset()
    if isinstance(moment, datetime) and same_offset and not rule.working:
        alarm.put("TRIGGER", _write_duration(due.astimezone(UTC) - start.astimezone(UTC)))
    else:
        alarm.put("TRIGGER", write_moment(due), {"VALUE": "DATE-TIME"})
