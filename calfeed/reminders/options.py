"""Endpoint options: rate limit, quiet hours, digests."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from calfeed.definitions.formats.zone_names import check_zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _check_wall_time(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a time of day must have no offset; it is in time_zone")
    return value


WallTime = Annotated[time, AfterValidator(_check_wall_time)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuietHours(_Value):
    """The hours in which nothing is sent, from `begin` until `end`; they may span midnight."""

    begin: WallTime
    end: WallTime

    @model_validator(mode="after")
    def _check(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError("quiet hours must not begin and end at the same time")
        return self


class Digest(_Value):
    """The time at which gathered reminders are sent, every day or on one day of the week."""

    at: WallTime
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    """0 is Monday; None: every day."""


MAX_RATE = 600_000
"""The highest rate limit, in messages per minute."""


class Options(_Value):
    """The options of an endpoint. Times of day are in `time_zone`."""

    rate: Annotated[int, Field(ge=1, le=MAX_RATE)] | None = None
    """The rate limit, in messages per minute."""
    time_zone: str = "UTC"
    quiet: QuietHours | None = None
    digest: Digest | None = None

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        return check_zone(value)

    def quiet_until(self, moment: datetime) -> datetime | None:
        """The end (UTC) of the quiet hours that contain a moment; None if none do."""
        if self.quiet is None:
            return None
        local = moment.astimezone(self._zone)
        clock, quiet = local.time(), self.quiet
        over_midnight = quiet.end < quiet.begin
        if over_midnight:
            inside = clock >= quiet.begin or clock < quiet.end
        else:
            inside = quiet.begin <= clock < quiet.end
        if not inside:
            return None
        later = timedelta(days=1 if over_midnight and clock >= quiet.begin else 0)
        return self._next(local, quiet.end, later)

    def digest_after(self, moment: datetime) -> datetime | None:
        """The time (UTC) of the next digest after a moment; None without digests.

        A digest that is scheduled within the quiet hours is sent at their end.
        """
        if self.digest is None:
            return None
        local = moment.astimezone(self._zone)
        weekday = self.digest.weekday
        days_ahead = 0 if weekday is None else (weekday - local.weekday()) % 7
        interval = 1 if weekday is None else 7
        # Begin with the previous one, which may be delayed by quiet hours.
        for offset in (-1, 0, 1):
            at = self._at(local, self.digest.at, timedelta(days=days_ahead + offset * interval))
            at = self.quiet_until(at) or at
            if at > moment:
                break
        return at

    def _next(self, local: datetime, clock: time, later: timedelta) -> datetime:
        """A future wall time: of an hour that occurs twice, the first that is not past."""
        at = self._at(local, clock, later)
        return at if at > local else self._at(local, clock.replace(fold=1), later)

    def _at(self, local: datetime, clock: time, later: timedelta) -> datetime:
        wall = datetime.combine(local.date() + later, clock, self._zone)
        return wall.astimezone(UTC)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
