"""The form of an endpoint: what was typed, what is wrong with it, and the endpoint it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from calfeed.definitions.formats.zone_names import check_zone
from calfeed.delivery.senders import check_endpoint_url
from calfeed.delivery.transport.headers import find_header, parse_headers
from calfeed.errors import InvalidInputError
from calfeed.reminders.filters import Filters
from calfeed.reminders.option_texts import parse_digest, parse_quiet
from calfeed.reminders.options import WEEKDAYS, Digest, Options, QuietHours
from calfeed.settings import Settings
from calfeed.store.database import Connection
from calfeed.store.endpoints.endpoints import Endpoint
from calfeed.store.endpoints.filter_names import find_slips

Read = TypeVar("Read")

_FASTEST = 600_000


@dataclass
class EndpointForm:
    """What stands in each field, and what is wrong with it, by the field's name."""

    typed: Mapping[str, str]
    calendars: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    no_headers: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_endpoint(cls, one: Endpoint) -> EndpointForm:
        """The form as it stands for an endpoint; its URL and the values of its headers are not
        shown."""
        options = one.options
        digest = options.digest
        day = "" if digest is None else "daily"
        if digest is not None and digest.weekday is not None:
            day = WEEKDAYS[digest.weekday]
        return cls(
            typed={
                "description": one.description,
                "categories": ", ".join(one.filters.categories),
                "events": "\n".join(one.filters.events),
                "rate": str(options.rate or ""),
                "time_zone": options.time_zone,
                "quiet_begin": f"{options.quiet.begin:%H:%M}" if options.quiet else "",
                "quiet_end": f"{options.quiet.end:%H:%M}" if options.quiet else "",
                "digest_day": day,
                "digest_at": f"{digest.at:%H:%M}" if digest else "",
            },
            calendars=one.filters.calendars,
            types=one.filters.types,
        )

    @classmethod
    def of_request(cls, form: MultiDict[str, str]) -> EndpointForm:
        """The form as it was sent."""
        return cls(
            typed={name: text.replace("\0", "").strip() for name, text in form.items()},
            calendars=tuple(form.getlist("calendars")),
            types=tuple(form.getlist("types")),
            no_headers=tuple(form.getlist("no_headers")),
        )

    def read(self, one: Endpoint, connection: Connection, settings: Settings) -> Endpoint:
        """The endpoint as the form has it; where there are `errors`, it is not to be kept.

        An endpoint that has a URL keeps it where none is typed.
        """
        typed = self.typed
        filters = Filters(
            public_only=one.filters.public_only,
            calendars=self.calendars,
            types=self.types,
            categories=_split(typed.get("categories", "").replace(",", "\n")),
            events=_split(typed.get("events", "")),
        )
        for slip in find_slips(connection, filters):
            self.errors.setdefault(slip.name, slip.message)
        url = one.url
        if typed.get("url") or not url:
            url = self._take("url", lambda: check_endpoint_url(settings, typed.get("url", "")), "")
        return replace(
            one,
            url=url,
            filters=filters,
            options=self._read_options(),
            headers=self._take("headers", lambda: self._read_headers(one.headers), one.headers),
            description=typed.get("description", ""),
        )

    def _read_options(self) -> Options:
        typed = self.typed
        begin, end = typed.get("quiet_begin", ""), typed.get("quiet_end", "")
        day, at = typed.get("digest_day", ""), typed.get("digest_at", "")
        return Options(
            rate=self._take("rate", lambda: _read_rate(typed.get("rate", "")), None),
            time_zone=self._take(
                "time_zone", lambda: check_zone(typed.get("time_zone") or "UTC"), "UTC"
            ),
            quiet=self._take("quiet", lambda: _read_quiet(begin, end), None),
            digest=self._take("digest", lambda: _read_digest(day, at), None),
        )

    def _read_headers(self, kept: Mapping[str, str]) -> dict[str, str]:
        added = parse_headers(_split(self.typed.get("headers", "")))
        stay = {
            name: value
            for name, value in kept.items()
            if name not in self.no_headers and find_header(added, name) is None
        }
        return parse_headers(f"{name}: {value}" for name, value in {**stay, **added}.items())

    def _take(self, name: str, read: Callable[[], Read], otherwise: Read) -> Read:
        """What a field says; else what is wrong is noted, and `otherwise` stands for it."""
        try:
            return read()
        except (InvalidInputError, ValueError) as error:
            self.errors[name] = str(error)
            return otherwise


def _split(text: str) -> tuple[str, ...]:
    """The lines of a text that have something in them, each once."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _read_rate(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= _FASTEST):
        raise InvalidInputError(f"posts a minute are a number from 1 to {_FASTEST:,}, or nothing")
    return int(text)


def _read_quiet(begin: str, end: str) -> QuietHours | None:
    if bool(begin) != bool(end):
        raise InvalidInputError("quiet hours need both times, or neither")
    return parse_quiet(f"{begin}-{end}") if begin else None


def _read_digest(day: str, at: str) -> Digest | None:
    if day and not at:
        raise InvalidInputError("say at what time the digest is sent")
    return parse_digest(f"{day}@{at}") if day else None
