"""A site whose dates are uncertain, postponed or counted, and its messages about them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from calfeed.model.dates.working_days import HolidayData
from calfeed.publish import apply
from calfeed.publish.plan import Plan
from tests.definitions.counted import read, write_calendar
from tests.publish.desk import BASE, Desk


def publish(desk: Desk, files: dict[str, bytes], holidays: HolidayData = HOLIDAY_LIBRARY) -> Plan:
    """Publish files by the names of their calendars, an hour after the publish before."""
    desk.now += timedelta(hours=1)
    defined = read(files, holidays)
    return apply.publish(desk.database, defined, desk.now, BASE, allow_removals=True)


def publish_events(
    desk: Desk, events: str, head: str = "", holidays: HolidayData = HOLIDAY_LIBRARY
) -> dict[str, Any]:
    """Publish the events of one calendar; return the messages by the names of their events.

    Each is its `data`, with the `type` of the message.
    """
    return tell(publish(desk, {"desk": write_calendar(events, head)}, holidays))


def publish_start(desk: Desk, start: str, keys: str = "") -> dict[str, Any]:
    """Publish one event, `it`, and return the data of its message; {} if there is none."""
    extra = f", {keys}" if keys else ""
    found = publish_events(desk, f"it: {{summary: It, start: {start}{extra}}}")
    data: dict[str, Any] = found.get("it", {})
    return data


def tell(plan: Plan) -> dict[str, Any]:
    """The messages of a plan by the names of their events, each told once."""
    told: dict[str, Any] = {}
    for message in plan.messages:
        body = json.loads(message.body)
        slug = body["data"]["event"]["slug"]
        assert slug not in told, "told twice"
        told[slug] = {"type": body["type"], **body["data"]}
    return told
