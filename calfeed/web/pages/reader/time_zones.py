"""The time zone of a page, and the zones to choose from."""

from __future__ import annotations

from datetime import datetime

from flask import abort, g, request

from calfeed.definitions.formats.zone_names import find_zone
from calfeed.model.texts import shortened
from calfeed.web.pages.reader.dates import write_city, write_zone
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.wording import gettext
from calfeed.web.published.state import State

_OFFERED = (
    "UTC",
    "America/Los_Angeles",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Africa/Lagos",
    "Africa/Cairo",
    "Africa/Nairobi",
    "Asia/Riyadh",
    "Asia/Tehran",
    "Asia/Dubai",
    "Asia/Kabul",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
"""Zones in the menu, west to east; URLs may name any other zone."""


def read_zone() -> None:
    """Set the reader's zone from the URL; abort with 400 if it is unknown."""
    name = request.args.get("zone", "")
    if name and find_zone(name) is None:
        abort(
            400,
            gettext(
                "There is no time zone called “%(name)s”. Zones have names such as Asia/Karachi.",
                name=shortened(name),
            ),
        )
    g.reader = g.reader.choose_zone(name)


def default_zone(name: str) -> Reader:
    g.reader = g.reader.default_zone(name)
    reader: Reader = g.reader
    return reader


def find_site_zone(state: State) -> str:
    """Return the zone of pages about several calendars.

    It is that of `site.yaml`, that of the settings, the one that all public calendars share, or
    UTC: the first of these that there is.
    """
    zones = {found.calendar.time_zone for found in state.snapshot.calendars.values()}
    shared = zones.pop() if len(zones) == 1 else "UTC"
    return state.snapshot.site.time_zone or state.time_zone or shared


def list_zones(
    reader: Reader, *others: str, moment: datetime | None = None
) -> list[tuple[str, str]]:
    """Return ids and display names of zones to choose from, the reader's and `others` first.

    With a `moment`, the names include UTC offsets.
    """
    names = dict.fromkeys([reader.time_zone, *others, *_OFFERED])
    if moment is None:
        return [(name, write_city(name, reader.language)) for name in names]
    return [(name, write_zone(name, moment, reader.language)) for name in names]
