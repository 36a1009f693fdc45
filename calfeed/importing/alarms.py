"""Convert the alarms of an event (VALARM, RFC 5545, 3.6.6) to reminders."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from calfeed.importing.components import Component, Property, parse_value
from calfeed.importing.losses import LossReporter
from calfeed.importing.times.property_times import Moment, length_between
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import DEFAULT_REMINDER_TIME

Reminder: TypeAlias = "str | dict[str, str]"

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)

_DAYS = re.compile(r"-P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?", re.IGNORECASE)
"""The beginning of a negative duration."""


def import_alarms(
    event: Component,
    start: Moment,
    end: Moment | None,
    zone: ZoneInfo,
    recurs: bool,
    report: LossReporter,
) -> list[Reminder]:
    """Return reminders for the times of an event's alarms, without duplicates.

    `zone` is that of the event. Unsupported alarms, such as those after the start, and unsupported
    alarm properties are reported. Feeds use the event's title as the text of alarms.
    """
    reminders: list[Reminder] = []
    for alarm in event.children("VALARM"):
        trigger = alarm.first("TRIGGER")
        if trigger is None:
            report("VALARM", "has no TRIGGER, so it is left out")
            continue
        try:
            offset = _offset(trigger, start, end, zone, recurs)
            days = _nominal_days(trigger, offset) if recurs else None
            reminder = _remind(offset, days, all_day=not isinstance(start, datetime))
        except (ValueError, TypeError, OverflowError) as error:
            report("VALARM", f"is left out: {error}", trigger.value.strip())
            continue
        if reminder not in reminders:
            reminders.append(reminder)
        _report_unsupported(alarm, event, report)
    return reminders


def _offset(
    trigger: Property, start: Moment, end: Moment | None, zone: ZoneInfo, recurs: bool
) -> timedelta:
    """Return the offset of the alarm from the start (midnight for an all-day event)."""
    value = parse_value(trigger.value)
    if isinstance(value, timedelta):
        from_end = trigger.params.get("RELATED", "").upper() == "END" and end is not None
        return value + length_between(start, end or start) if from_end else value
    if not isinstance(value, datetime):
        raise ValueError("it is neither a duration nor a time")
    if recurs:
        raise ValueError("it is a fixed time, but the event recurs")
    moment = value.replace(tzinfo=value.tzinfo or zone)
    if isinstance(start, datetime):
        return moment.astimezone(UTC) - start.astimezone(UTC)
    return moment.astimezone(zone).replace(tzinfo=None) - datetime.combine(start, time())


def _nominal_days(trigger: Property, offset: timedelta) -> int | None:
    """Return the days of a duration as it is written; the rest is exact (RFC 5545, 3.3.6).

    Return None for an alarm that is relative to the end of the event.
    """
    found = _DAYS.match(trigger.value.strip())
    if found is None or parse_value(trigger.value) != offset:
        return None
    return 7 * int(found["weeks"] or 0) + int(found["days"] or 0)


def _remind(offset: timedelta, days: int | None, *, all_day: bool) -> Reminder:
    """Return the reminder at an offset from the start, of which `days` are nominal.

    Without `days`, whole days become calendar days.
    """
    if offset % _MINUTE:
        raise ValueError("reminders have a precision of minutes")
    if all_day:
        days_before = -(offset // _DAY)
        clock = datetime.combine(date.min, time()) + offset % _DAY
        if days_before < 0:
            raise ValueError("it is after the first day, and reminders come before that")
        span = str(Duration(days=days_before))
        at = clock.time()
        return span if at == DEFAULT_REMINDER_TIME else {"before": span, "at": f"{at:%H:%M}"}
    if offset > timedelta():
        raise ValueError("it is after the start, and reminders come before that")
    if days is None:
        days = 0 if offset % _DAY else -offset // _DAY
    return str(Duration(days=days, minutes=(-offset - days * _DAY) // _MINUTE))


def _report_unsupported(alarm: Component, event: Component, report: LossReporter) -> None:
    action = alarm.value("ACTION")
    if action != "DISPLAY":
        report("VALARM", "becomes a reminder like any other", f"ACTION {action or 'missing'}")
    summary = event.first("SUMMARY")
    for prop in alarm.properties:
        is_title = prop.name == "DESCRIPTION" and summary is not None and prop.text == summary.text
        if prop.name not in ("ACTION", "TRIGGER") and not is_title:
            report("VALARM", f"its {prop.name} is not kept")
