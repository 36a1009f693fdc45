"""The errors that calfeed raises.

All have one base class. Each has its data in fields, and a message for people.

CalfeedError              an error that a person can understand and fix
|- DefinitionError        the files under events/ have problems (all of them, with positions)
|  `- UnreadableError     some of these files cannot be read (permissions or disk)
|- SettingsError          a setting is unknown or has an invalid value
|- FilePermissionsError   other users can access a file that holds secrets
|- StoreError             the database cannot be used
|  |- DatabaseFileError   its file is missing, damaged or replaced (ReplacedError)
|  |- SchemaError         the database has the schema of an older or a newer version
|  `- KeyFileError        the encryption keys cannot be read or written
|- SealError              an encrypted value cannot be decrypted
|- PublishRefusedError    a publish would withdraw too many events
|- NotFoundError          no such calendar, event, endpoint or delivery
|- ConflictError          the current state does not allow the operation
|- ForbiddenError         the caller is not allowed to do this
`- InvalidInputError      an argument is invalid
   `- InvalidFieldsError  several arguments are invalid, each with its field
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple


class CalfeedError(Exception):
    """The base class of calfeed's errors.

    `str()` says what happened. It also says how to fix this, if the fix is the same in commands,
    API and pages. Otherwise, each of these adds its own advice, made from the fields.
    """


class InvalidValueError(ValueError):
    """An invalid value: the value as written, and the reason with a correct example."""

    def __init__(self, value: str, reason: str, *, separator: str = " ") -> None:
        self.value = value
        self.reason = reason
        super().__init__(f'"{value}"{separator}{reason}')


def reason_of(details: Mapping[str, Any]) -> str:
    """Return the message of a pydantic error.

    If a validator raised a ValueError of its own, this is the message of that error.
    """
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    return str(details["msg"])


@dataclass(frozen=True, order=True)
class _Diagnostic:
    """A message about a definition file, with its position.

    `line` and `column` count from 1; both are 0 for the file as a whole. `key` is the dotted path
    inside the file (`events.pm-address.start`), empty for the whole file.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self._place}: {self._text}"

    def as_json(self) -> dict[str, str | int]:
        """Return the position and the message for programs."""
        return {column.name: getattr(self, column.name) for column in fields(_Diagnostic)}

    @property
    def _place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def _text(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


@dataclass(frozen=True, order=True)
class Problem(_Diagnostic):
    """An error in a definition file, which prevents publishing.

    `error` is set if the problem is an invalid value.
    """

    error: InvalidValueError | None = field(default=None, compare=False)


class DefinitionWarning(_Diagnostic):
    """A probable mistake in a definition file; it does not prevent publishing."""

    def __str__(self) -> str:
        return f"{self._place}: warning: {self._text}"


class DefinitionError(CalfeedError):
    """The definitions are invalid. `problems` and `warnings` are complete, in file order."""

    def __init__(
        self, problems: Sequence[Problem], warnings: Sequence[DefinitionWarning] = ()
    ) -> None:
        self.problems = tuple(sorted(problems))
        self.warnings = tuple(sorted(warnings))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnreadableError(DefinitionError):
    """Some definition files cannot be read. This can resolve itself without an edit."""


class SettingsError(CalfeedError):
    """Settings are unknown or their values are invalid; each of `problems` is a line."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class FilePermissionsError(CalfeedError):
    """Other users can access a file that holds secrets, and calfeed cannot change its mode."""


class StoreError(CalfeedError):
    """The database cannot be reached, opened or migrated to this version's schema."""


class DatabaseFileError(StoreError):
    """The file of a SQLite database is missing or damaged; `problem` says so without the path."""

    def __init__(self, path: Path, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the database file {path} {problem}")


class ReplacedError(DatabaseFileError):
    """The file of a SQLite database was replaced; data read from the old file is stale."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "was replaced by another file")


class SchemaError(StoreError):
    """The database has the schema of another version.

    It may have been migrated after this process started.
    """


class KeyFileError(StoreError):
    """The file of encryption keys cannot be read or written."""


class SealError(CalfeedError):
    """An encrypted value cannot be decrypted: its key is missing, or the value was altered.

    `endpoint` is the id of the endpoint that the value belongs to, if known.
    """

    def __init__(self, message: str, endpoint: str | None = None) -> None:
        self.endpoint = endpoint
        super().__init__(message)


class PublishRefusedError(CalfeedError):
    """A publish would withdraw a whole calendar, or most of its coming events (`removals`)."""

    def __init__(self, removals: Sequence[str]) -> None:
        self.removals = tuple(removals)
        super().__init__(f"this would withdraw {', '.join(removals)}; nothing was published")

    def with_command(self, command: str) -> str:
        """Return the message with the command that publishes anyway."""
        return f"{self}. If this is intended, run `{command} --allow-removals`"


class NotFoundError(CalfeedError):
    """No such calendar, event, endpoint or delivery.

    `kind` is the type of the object, `name` the name or number that was looked up, `hint` a clause
    that follows, such as the valid names. The message is "there <verb> <kind> <name>; <hint>".
    """

    def __init__(self, kind: str, name: str | int, hint: str = "", *, verb: str = "is no") -> None:
        self.kind = kind
        self.name = name
        self.hint = hint
        shown = f'"{name}"' if isinstance(name, str) else str(name)
        super().__init__(f"there {verb} {kind} {shown}" + (f"; {hint}" if hint else ""))


class ConflictError(CalfeedError):
    """The current state does not allow the operation; nothing is changed."""


class ForbiddenError(CalfeedError):
    """The caller is not allowed to do this; nothing is changed."""


class InvalidInputError(CalfeedError):
    """An argument is invalid: not a URL, not a secret, a window that ends before it starts."""


class Fault(NamedTuple):
    """One invalid argument. `place` is its path: "url", "filters/types/0"."""

    place: str
    message: str

    @property
    def field(self) -> str:
        """The innermost name of the path: "types" of "filters/types/0"."""
        return [part for part in self.place.split("/") if not part.isdigit()][-1]


class InvalidFieldsError(InvalidInputError):
    """Arguments are invalid; `faults` lists all of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.message for fault in self.faults))
