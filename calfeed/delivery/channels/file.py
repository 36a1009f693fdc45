"""The file of the channels (TOML): chats, mail and whatever else Apprise can reach, by name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from calfeed.delivery.channels.apprise_service import Service
from calfeed.delivery.channels.sending import SCHEME
from calfeed.errors import Fault, InvalidInputError, Problem, SettingsError, reason_of
from calfeed.model.texts import nearest
from calfeed.reminders.endpoint_values import FILTER_LISTS, check_line, list_faults, read_options
from calfeed.reminders.filters import Filters
from calfeed.reminders.options import Options
from calfeed.store.endpoints.records import Endpoint

# A letter first, because a host of digits is an address.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,35}")


_WORDS = {
    "missing": "is missing; it is the URL that Apprise reaches the channel by",
    "string_type": 'has to be a text, in quotes: "…"',
    "list_type": 'has to be a list of texts: ["…"]',
    "int_type": "has to be a whole number",
}
"""What pydantic finds, in words for those who do not know it."""


class _Entry(BaseModel):
    """The keys of one channel in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: SecretStr
    description: str = ""
    calendars: list[str] = []
    categories: list[str] = []
    events: list[str] = []
    types: list[str] = []
    rate: int | None = None
    time_zone: str = "UTC"
    quiet: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Channel:
    """A channel as the file has it: where it leads, what it gets and how."""

    name: str
    service: Service
    filters: Filters
    options: Options
    description: str = ""

    def to_endpoint(self, now: datetime) -> Endpoint:
        """The channel as an endpoint that is added `now`; nothing of its address is in it."""
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
    """Read the file of the channels, by their names; `https_only` refuses those without TLS.

    Raises SettingsError with everything that is wrong in it; no address is repeated there.
    """
    try:
        entries = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the channels of {file} cannot be read: {error}") from error
    problems: list[Problem] = []
    channels: dict[str, Channel] = {}
    for name, entry in entries.items():
        found, wrong = _read_channel(name, entry, https_only)
        problems += [Problem(str(file), 0, 0, key, words) for key, words in wrong.items()]
        if found is not None:
            channels[name] = found
    if problems:
        raise SettingsError("\n".join(map(str, sorted(problems))))
    return channels


def _read_channel(
    name: str, entry: object, https_only: bool
) -> tuple[Channel | None, Mapping[str, str]]:
    """A channel, or what is wrong with it by key."""
    if not isinstance(entry, dict):
        return None, {name: f"belongs to a channel; write [{name}] above its keys, or the like"}
    wrong = {}
    if not _NAME.fullmatch(name):
        wrong[name] = "a channel's name is a letter and up to 35 of a-z, 0-9 and -"
    try:
        _Entry(**entry)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            key = str(each["loc"][0])
            wrong[f"{name}.{key}"] = _say(each, key)
    filters, options, description = _read_values(name, entry, wrong)
    service = None
    try:
        # Here and not in the model, so that what is wrong with the rest is told as well.
        service = Service(entry["url"]) if isinstance(entry.get("url"), str) else None
    except InvalidInputError as error:
        wrong[f"{name}.url"] = str(error)
    if https_only and service is not None and service.secure_schema:
        wrong[f"{name}.url"] = (
            "is not encrypted, and CALFEED_HTTPS_ENDPOINTS_ONLY is set; write "
            f"{service.secure_schema}://…"
        )
    if wrong or service is None:
        return None, wrong
    return Channel(name, service, filters, options, description), {}


def _read_values(
    name: str, entry: Mapping[str, Any], wrong: dict[str, str]
) -> tuple[Filters, Options, str]:
    """What the keys say whose values are of the right kind; what is wrong is added, by key."""
    good = {key: value for key, value in entry.items() if f"{name}.{key}" not in wrong}
    faults: list[Fault] = []
    filters = Filters(**{key: tuple(good.get(key, ())) for key in FILTER_LISTS})
    faults += list_faults(filters)
    given = {key: good[key] for key in Options.model_fields if key in good}
    options = read_options(Options(), given, faults)
    description = good.get("description", "")
    try:
        check_line(description)
    except InvalidInputError as error:
        faults.append(Fault("description", str(error)))
    for fault in faults:
        wrong.setdefault(f"{name}.{fault.field}", fault.message)
    return filters, options, description


def _say(error: Any, key: str = "") -> str:
    """A problem of pydantic's in words that have nothing of the value in them."""
    if error["type"] in _WORDS:
        return _WORDS[error["type"]]
    if error["type"] == "extra_forbidden":
        known = list(_Entry.model_fields)
        near = nearest(key, known)
        return "is not a key of a channel; " + (
            f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        )
    return reason_of(error)
