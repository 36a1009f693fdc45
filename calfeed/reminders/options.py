"""Endpoint options: rate limit, quiet hours, digests, language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from calfeed.definitions.formats.zone_names import check_zone
from calfeed.model.texts import check_language
from calfeed.reminders.option_values import (
    MAX_RATE,
    Digest,
    Option,
    QuietHours,
    parse_digest,
    parse_quiet,
    parse_rate,
    show_digest,
    show_quiet,
)

_RATE = Option(
    parse=parse_rate,
    maximum=MAX_RATE,
    help="At most this many messages per minute.",
    removal="Remove the rate limit.",
    description="The maximum number of messages per minute.",
    label="Messages per minute",
    hint="The maximum. Leave empty for no limit.",
    attributes='inputmode="numeric"',
    phrase="at most {} messages per minute",
)
_ZONE = Option(
    parse=check_zone,
    metavar="ZONE",
    help="The time zone for --quiet and --digest; default: UTC.",
    description="The time zone of `quiet` and `digest`.",
    label="Time zone",
    hint="For the quiet hours and the digest.",
    attributes='list="zones" autocomplete="off"',
    example="Asia/Karachi",
)
_QUIET = Option(
    parse=parse_quiet,
    show=show_quiet,
    metavar="HH:MM-HH:MM",
    help="Send nothing in these hours.",
    removal="Remove the quiet hours.",
    description="Send nothing in these hours.",
    label="Quiet hours",
    hint="Nothing is sent in these hours, unless it would be too late afterwards.",
    example="22:00-07:00",
    phrase="{} ({zone})",
)
_DIGEST = Option(
    parse=parse_digest,
    show=show_digest,
    metavar="DAY@HH:MM",
    help="Send reminders together, daily or weekly, such as daily@09:00 or monday@09:00.",
    removal="Send each reminder by itself.",
    description="Send reminders together at this time.",
    label="Digest",
    hint="Reminders are sent together at this time. Without a digest, each is sent separately.",
    example="daily@09:00",
    phrase="{} ({zone})",
)
_LANGUAGE = Option(
    parse=check_language,
    metavar="TAG",
    help="Send texts in this language (BCP 47), such as fr or fa-AF; default: the calendar's.",
    removal="Send texts in the language of their calendar.",
    description="The language of texts (BCP 47 tag), where there are translations; "
    "by default that of the calendar.",
    label="Language",
    hint="A tag, such as fr or fa-AF. Leave empty for the language of each calendar.",
    attributes='autocomplete="off"',
    example="fr",
    phrase="{}",
)


class Options(BaseModel):
    """The options of an endpoint, each annotated with how it is read and shown.

    Times of day are in `time_zone`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: Annotated[int | None, Field(ge=1, le=MAX_RATE), _RATE] = None
    """The rate limit, in messages per minute."""
    time_zone: Annotated[str, _ZONE] = "UTC"
    quiet: Annotated[QuietHours | None, _QUIET] = None
    digest: Annotated[Digest | None, _DIGEST] = None
    language: Annotated[str | None, _LANGUAGE] = None
    """The language of messages (BCP 47 tag), None for that of their calendar."""

    @property
    def shown(self) -> dict[str, Any]:
        """Each option by name, in the form that its `parse` reads; None if it is not set."""
        return {
            name: None if (value := getattr(self, name)) is None else option.show(value)
            for name, option in OPTIONS.items()
        }

    def describe(self) -> list[tuple[str, str]]:
        """The name and a human-readable description of each option that is set."""
        return [
            (name, OPTIONS[name].phrase.format(text, zone=self.time_zone))
            for name, text in self.shown.items()
            if text is not None and OPTIONS[name].phrase
        ]

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
        # Begin with the previous digest, which may be delayed by quiet hours.
        for offset in (-1, 0, 1):
            at = self._at(local, self.digest.at, timedelta(days=days_ahead + offset * interval))
            at = self.quiet_until(at) or at
            if at > moment:
                break
        return at

    def _next(self, local: datetime, clock: time, later: timedelta) -> datetime:
        """Return the instant of a future wall time. If the wall time occurs twice, return the
        earlier instant that is still in the future."""
        at = self._at(local, clock, later)
        return at if at > local else self._at(local, clock.replace(fold=1), later)

    def _at(self, local: datetime, clock: time, later: timedelta) -> datetime:
        wall = datetime.combine(local.date() + later, clock, self._zone)
        return wall.astimezone(UTC)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


OPTIONS: Mapping[str, Option] = {
    name: option
    for name, field in Options.model_fields.items()
    for option in field.metadata
    if isinstance(option, Option)
}
"""How each option is parsed and shown, by the name of its field."""
