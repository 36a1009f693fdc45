"""The form of an endpoint: its field values and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from calfeed.errors import InvalidFieldsError
from calfeed.reminders.option_values import WEEKDAYS
from calfeed.reminders.options import OPTIONS, Options
from calfeed.reminders.signing import Scheme
from calfeed.services.endpoints import EndpointValues
from calfeed.store.endpoints.records import Endpoint

PLAIN_OPTIONS = {
    name: option for name, option in OPTIONS.items() if name not in ("quiet", "digest")
}
"""The options that have a single text field each; all others have special fields."""

_DEFAULTS = {name: Options.model_fields[name].default for name in PLAIN_OPTIONS}

_FIELDS = (
    *("url", "description", "categories", "events", "headers", *PLAIN_OPTIONS),
    *("quiet_begin", "quiet_end", "digest_day", "digest_at"),
)


@dataclass
class EndpointForm:
    """The values and errors of the fields, by name."""

    typed: Mapping[str, str]
    calendars: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    no_headers: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_endpoint(cls, endpoint: Endpoint) -> EndpointForm:
        """Fill the form from an endpoint, without its URL and header values."""
        options = endpoint.options
        digest = options.digest
        day = "" if digest is None else "daily"
        if digest is not None and digest.weekday is not None:
            day = WEEKDAYS[digest.weekday]
        return cls(
            typed={
                "description": endpoint.description,
                "categories": ", ".join(endpoint.filters.categories),
                "events": "\n".join(endpoint.filters.events),
                **{name: str(options.shown[name] or "") for name in PLAIN_OPTIONS},
                "quiet_begin": f"{options.quiet.begin:%H:%M}" if options.quiet else "",
                "quiet_end": f"{options.quiet.end:%H:%M}" if options.quiet else "",
                "digest_day": day,
                "digest_at": f"{digest.at:%H:%M}" if digest else "",
            },
            calendars=endpoint.filters.calendars,
            types=endpoint.filters.types,
        )

    @classmethod
    def from_request(cls, form: MultiDict[str, str]) -> EndpointForm:
        return cls(
            typed={name: text.replace("\0", "").strip() for name, text in form.items()},
            calendars=tuple(form.getlist("calendars")),
            types=tuple(form.getlist("types")),
            no_headers=tuple(form.getlist("no_headers")),
        )

    def add_errors(self, error: InvalidFieldsError) -> None:
        for fault in error.faults:
            self.errors.setdefault(fault.field, fault.message)

    @property
    def scheme(self) -> Scheme:
        """How the messages of a new endpoint are signed."""
        wanted = self.typed.get("signature")
        return Scheme.ED25519 if wanted == Scheme.ED25519 else Scheme.HMAC

    def read(self, *, new: bool) -> EndpointValues:
        """Return the values of the form. An existing endpoint keeps its URL if none is given."""
        typed = {name: self.typed.get(name, "") for name in _FIELDS}
        begin, end, day = (typed[name] for name in ("quiet_begin", "quiet_end", "digest_day"))
        return EndpointValues(
            url=typed["url"] if typed["url"] or new else None,
            description=typed["description"],
            filters={
                "calendars": self.calendars,
                "types": self.types,
                "categories": _split(typed["categories"].replace(",", "\n")),
                "events": _split(typed["events"]),
            },
            options={
                **{name: typed[name] or _DEFAULTS[name] for name in PLAIN_OPTIONS},
                "quiet": f"{begin}-{end}" if begin or end else None,
                "digest": f"{day}@{typed['digest_at']}" if day else None,
            },
            headers=_split(typed["headers"]),
            removed_headers=self.no_headers,
        )


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
