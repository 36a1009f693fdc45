"""How an endpoint wants its messages: how fast, at which hours, one by one or gathered."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from calfeed.definitions.times import check_zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuietHours(_Value):
    """The hours in which nothing is sent: from `begin` until `end`, over midnight if need be."""

    begin: time
    end: time

    @model_validator(mode="after")
    def _check(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError("quiet hours have to end at another time than they begin")
        return self


class Digest(_Value):
    """When gathered reminders are sent: at a time of every day, or of one day of the week."""

    at: time
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    """0 is Monday; None: every day."""


class Options(_Value):
    """What an endpoint asks for. The hours are on the wall clock of `time_zone`."""

    rate: Annotated[int, Field(ge=1, le=600_000)] | None = None
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
        """When (UTC) the next digest after a moment is sent; None where there are none."""
        if self.digest is None:
            return None
        local = moment.astimezone(self._zone)
        weekday = self.digest.weekday
        ahead = 0 if weekday is None else (weekday - local.weekday()) % 7
        step = 1 if weekday is None else 7
        found = self._at(local, self.digest.at, timedelta(days=ahead))
        return (
            found
            if found > moment
            else self._at(local, self.digest.at, timedelta(days=ahead + step))
        )

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
