"""Wall times: moments without their zone, as rules count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time


def wall_time(moment: date | datetime) -> datetime:
    """Return the naive wall time of a moment; midnight for a date."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None, fold=0)
    return datetime.combine(moment, time())


def moment_at(wall: datetime, like: date | datetime) -> date | datetime:
    """Convert a wall time of a rule to the type and zone of the event's start.

    A wall time in a gap uses the offset before the gap; an ambiguous one is the first (RFC 5545,
    3.3.5).
    """
    if not isinstance(like, datetime):
        return wall.date()
    # The round trip through UTC turns a wall time in a gap into one that exists.
    return wall.replace(tzinfo=like.tzinfo).astimezone(UTC).astimezone(like.tzinfo)
