"""The errors calfeed raises: one root, the facts in fields, a message for a person.

CalfeedError            something a person can understand and mend
|- DefinitionError      the files under events/ have problems (all of them, with positions)
|  `- UnreadableError   and some of them cannot be read: a matter of rights, or of the disk
|- SettingsError        a setting is unknown or has a value that cannot be used
|- RightsError          other users have rights at a file that holds secrets
|- StoreError           the database cannot be used
|  |- DatabaseFileError its file is gone, damaged or (ReplacedError) another one
|  `- KeyFileError      the keys of its secrets cannot be read, or written
|- SealError            what is stored encrypted cannot be read: the key is lost, or it was changed
|- PublishRefusedError  a publish would withdraw more than it should
|- NotFoundError        no such calendar, event, endpoint or delivery
|- ConflictError        what is asked for does not go with the state that something is in
|- ForbiddenError       who asks has not the right to do it
`- InvalidInputError    an argument that is not what it should be
   `- InvalidFieldsError  several of them, each with its field
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple


class CalfeedError(Exception):
    """The root of calfeed's errors.

    `str()` says what happened, and what would be right where that is the same for everybody. What
    is a command's or a page's to advise they compose from the fields.
    """


class InvalidValueError(ValueError):
    """A value that cannot be used: as it is written, and the reason, with what would be right."""

    def __init__(self, value: str, reason: str, *, joint: str = " ") -> None:
        self.value = value
        self.reason = reason
        super().__init__(f'"{value}"{joint}{reason}')


def reason_of(details: Mapping[str, Any]) -> str:
    """What pydantic found wrong; where a check of ours refused a value, in that check's words."""
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    return str(details["msg"])


@dataclass(frozen=True, order=True)
class _Finding:
    """Something to know about a definition file, with its place.

    `line` and `column` count from 1; both are 0 where the file as a whole is meant. `key` is the
    dotted path inside the file (`events.pm-address.start`), empty for the whole file.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self._place}: {self._text}"

    def as_json(self) -> dict[str, str | int]:
        """The place and the message, for programs."""
        return {one.name: getattr(self, one.name) for one in fields(_Finding)}

    @property
    def _place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def _text(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


@dataclass(frozen=True, order=True)
class Problem(_Finding):
    """One thing wrong in a definition file: nothing is published while it is there.

    `error` is the one that a value was refused with, None where it is not a value that is wrong.
    """

    error: InvalidValueError | None = field(default=None, compare=False)


class DefinitionWarning(_Finding):
    """One thing in a definition file that is probably not meant; it prevents nothing."""

    def __str__(self) -> str:
        return f"{self._place}: warning: {self._text}"


class DefinitionError(CalfeedError):
    """The definitions cannot be used; `problems` lists everything that is wrong, in file order.

    `warnings` are those that were found beside them, in file order too.
    """

    def __init__(
        self, problems: Sequence[Problem], warnings: Sequence[DefinitionWarning] = ()
    ) -> None:
        self.problems = tuple(sorted(problems))
        self.warnings = tuple(sorted(warnings))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnreadableError(DefinitionError):
    """Some definition files cannot be read, which can end without a change to any file."""


class SettingsError(CalfeedError):
    """A setting is unknown or its value cannot be used."""


class RightsError(CalfeedError):
    """Other users can read or change a file that holds secrets, and this one cannot mend it."""


class StoreError(CalfeedError):
    """The database cannot be reached, opened or brought to this version's schema."""


class DatabaseFileError(StoreError):
    """The file of a SQLite database is gone or damaged; `trouble` says it without the path."""

    def __init__(self, path: Path, trouble: str) -> None:
        self.trouble = trouble
        super().__init__(f"the database file {path} {trouble}")


class ReplacedError(DatabaseFileError):
    """Another file has the name of a SQLite database; what was read of the first is void."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "is another one than before")


class KeyFileError(StoreError):
    """The file of the keys that secrets are encrypted with cannot be read, or written."""


class SealError(CalfeedError):
    """What is stored encrypted cannot be read: its key is not there, or it was changed.

    `endpoint` is the id of the endpoint that it belongs to, where that is known.
    """

    def __init__(self, what: str, endpoint: str | None = None) -> None:
        self.endpoint = endpoint
        super().__init__(what)


class PublishRefusedError(CalfeedError):
    """A publish would withdraw a whole calendar or most of its coming events: `removals`."""

    def __init__(self, removals: Sequence[str]) -> None:
        self.removals = tuple(removals)
        super().__init__(f"this would withdraw {', '.join(removals)}; nothing was published")

    def with_command(self, command: str) -> str:
        """The refusal, and how a command publishes all the same."""
        return f"{self}. If that is what you mean, run `{command} --allow-removals`"


class NotFoundError(CalfeedError):
    """No such calendar, event, endpoint or delivery.

    `kind` is what it would be, `name` what was asked for, `right` what would be right, in a clause
    for whoever asks. `verb` says since when.
    """

    def __init__(self, kind: str, name: str | int, right: str = "", *, verb: str = "is no") -> None:
        self.kind = kind
        self.name = name
        self.right = right
        shown = f'"{name}"' if isinstance(name, str) else str(name)
        super().__init__(f"there {verb} {kind} {shown}" + (f"; {right}" if right else ""))


class ConflictError(CalfeedError):
    """Something is in a state in which this cannot be done; nothing is changed."""


class ForbiddenError(CalfeedError):
    """Who asks has not the right to do this; nothing is changed."""


class InvalidInputError(CalfeedError):
    """An argument is not what it should be: no URL, no secret, a window that ends too early."""


class Fault(NamedTuple):
    """One thing wrong with an argument. `place` is the path to it: "url", "filters/types/0"."""

    place: str
    message: str

    @property
    def field(self) -> str:
        """The innermost name in the place: "types" of "filters/types/0"."""
        return [part for part in self.place.split("/") if not part.isdigit()][-1]


class InvalidFieldsError(InvalidInputError):
    """Arguments are not what they should be; `faults` has everything that is wrong."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.message for fault in self.faults))
