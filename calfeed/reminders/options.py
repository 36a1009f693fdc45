"""How an endpoint wants its messages: how fast, at which hours, one by one or gathered."""

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
        raise ValueError("a time of day has no offset: it is on the clock of time_zone")
    return value


WallTime = Annotated[time, AfterValidator(_check_wall_time)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuietHours(_Value):
    """The hours in which nothing is sent: from `begin` until `end`, over midnight if need be."""

    begin: WallTime
    end: WallTime

    @model_validator(mode="after")
    def _check(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError("quiet hours have to end at another time than they begin")
        return self


class Digest(_Value):
    """When gathered reminders are sent: at a time of every day, or of one day of the week."""

    at: WallTime
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    """0 is Monday; None: every day."""


MAX_RATE = 600_000
"""The most posts in a minute that an endpoint can ask for."""


class Options(_Value):
    """What an endpoint asks for. The hours are on the wall clock of `time_zone`."""

    rate: Annotated[int, Field(ge=1, le=MAX_RATE)] | None = None
    """The most posts in a minute."""
    time_zone: str = "UTC"
    quiet: QuietHours | None = None
    digest: Digest | None = None

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        return check_zone(value)

    def quiet_until(self, moment: datetime) -> datetime | None:
        """The end (UTC) of the quiet hours that a moment lies in; None where it lies in none."""
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
        """When (UTC) the next digest after a moment is sent; None where there are none.

        One that would fall into the quiet hours is sent at their end.
        """
        if self.digest is None:
            return None
        local = moment.astimezone(self._zone)
        weekday = self.digest.weekday
        ahead = 0 if weekday is None else (weekday - local.weekday()) % 7
        step = 1 if weekday is None else 7
        # The one before the next may be waiting for the quiet hours to end.
        for turn in (-1, 0, 1):
            at = self._at(local, self.digest.at, timedelta(days=ahead + turn * step))
            at = self.quiet_until(at) or at
            if at > moment:
                break
        return at

    def _next(self, local: datetime, clock: time, later: timedelta) -> datetime:
        """A wall time that lies ahead: of an hour that comes twice, the one still to come."""
        found = self._at(local, clock, later)
        return found if found > local else self._at(local, clock.replace(fold=1), later)

    def _at(self, local: datetime, clock: time, later: timedelta) -> datetime:
        wall = datetime.combine(local.date() + later, clock, self._zone)
        return wall.astimezone(UTC)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
