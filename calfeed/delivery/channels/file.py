"""The channels file (TOML): named chats, mail addresses and other services of Apprise."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, create_model

from calfeed.delivery.channels.apprise_service import Service
from calfeed.delivery.channels.sending import SCHEME
from calfeed.errors import Fault, InvalidInputError, Problem, SettingsError, reason_of
from calfeed.model.texts import nearest
from calfeed.reminders.endpoint_values import FILTER_LISTS, check_line, list_faults, read_options
from calfeed.reminders.filters import Filters
from calfeed.reminders.options import OPTIONS, Options
from calfeed.store.endpoints.records import Endpoint

# A letter first, because a host of digits would be parsed as an IP address.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,35}")

_ERROR_TEXTS = {
    "missing": "is missing; write the channel's Apprise URL",
    "string_type": 'must be a text, in quotes: "…"',
    "list_type": 'must be a list of texts: ["…"]',
    "int_type": "must be a whole number",
}
"""Error texts by pydantic's error types."""


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: SecretStr
    description: str = ""
    calendars: list[str] = []
    categories: list[str] = []
    events: list[str] = []
    types: list[str] = []


_OPTION_FIELDS: dict[str, Any] = {
    name: (str if option.maximum is None else int, Options.model_fields[name].default)
    for name, option in OPTIONS.items()
}

_Entry: Any = create_model(
    "_Entry",
    __base__=_Keys,
    __doc__="The keys of one channel in the file.",
    **_OPTION_FIELDS,
)


@dataclass(frozen=True)
class Channel:
    """A channel of the file: its service, filters and options."""

    name: str
    service: Service
    filters: Filters
    options: Options
    description: str = ""

    def to_endpoint(self, now: datetime) -> Endpoint:
        """The channel as an endpoint that is added `now`, without its Apprise URL."""
        return Endpoint(
            id=f"ch_{self.name}",
            url=SCHEME + self.name,
            filters=self.filters,
            secret="",
            created=now,
            description=self.description,
            options=self.options,
        )


def read_channels(file: Path, https_only: bool = False) -> dict[str, Channel]:
    """Read the channels file; return its channels by name.

    `https_only` rejects channels without TLS. Raises SettingsError with every problem; the text of
    the error has no Apprise URL.
    """
    try:
        entries = tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the channels file {file} cannot be read: {error}") from error
    problems: list[Problem] = []
    channels: dict[str, Channel] = {}
    for name, entry in entries.items():
        channel, errors = _read_channel(name, entry, https_only)
        problems += [Problem(str(file), 0, 0, key, text) for key, text in errors.items()]
        if channel is not None:
            channels[name] = channel
    if problems:
        raise SettingsError(*map(str, sorted(problems)))
    return channels


def _read_channel(
    name: str, entry: object, https_only: bool
) -> tuple[Channel | None, Mapping[str, str]]:
    """Return a channel, or its errors by key."""
    if not isinstance(entry, dict):
        return None, {name: f"is outside a channel; write a line [{name}] above the keys of one"}
    errors = {}
    if not _NAME.fullmatch(name):
        errors[name] = "is not a valid channel name; write a letter and up to 35 of a-z, 0-9 and -"
    try:
        _Entry(**entry)
    except ValidationError as error:
        for details in error.errors(include_input=False, include_url=False):
            key = str(details["loc"][0])
            errors[f"{name}.{key}"] = _explain(details, key)
    filters, options, description = _read_values(name, entry, errors)
    service = None
    try:
        # The URL is checked here and not in the model, so that its error is reported together with
        # the errors of the other keys.
        service = Service(entry["url"]) if isinstance(entry.get("url"), str) else None
    except InvalidInputError as error:
        errors[f"{name}.url"] = str(error)
    if https_only and service is not None and service.secure_schema:
        errors[f"{name}.url"] = (
            "is not encrypted, but CALFEED_HTTPS_ENDPOINTS_ONLY is set; write "
            f"{service.secure_schema}://…"
        )
    if errors or service is None:
        return None, errors
    return Channel(name, service, filters, options, description), {}


def _read_values(
    name: str, entry: Mapping[str, Any], errors: dict[str, str]
) -> tuple[Filters, Options, str]:
    """Read the keys that have no error so far; add the errors of their values."""
    valid = {key: value for key, value in entry.items() if f"{name}.{key}" not in errors}
    faults: list[Fault] = []
    filters = Filters(**{key: tuple(valid.get(key, ())) for key in FILTER_LISTS})
    faults += list_faults(filters)
    given = {key: valid[key] for key in Options.model_fields if key in valid}
    options = read_options(Options(), given, faults)
    description = valid.get("description", "")
    try:
        check_line(description)
    except InvalidInputError as error:
        faults.append(Fault("description", str(error)))
    for fault in faults:
        errors.setdefault(f"{name}.{fault.field}", fault.message)
    return filters, options, description


def _explain(error: Any, key: str) -> str:
    """The text of a pydantic error, without the value."""
    if error["type"] in _ERROR_TEXTS:
        return _ERROR_TEXTS[error["type"]]
    if error["type"] == "extra_forbidden":
        known = list(_Entry.model_fields)
        near = nearest(key, known)
        hint = f"did you mean {near}?" if near else f"the keys are {', '.join(known)}"
        return f"is not a key of a channel; {hint}"
    return reason_of(error)
