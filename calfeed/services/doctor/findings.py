"""Findings: what a check has found, how bad it is, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line of a report: what the check of a subject found, and what to do about it."""

    subject: str
    level: Level
    text: str
    advice: str = ""

    def __str__(self) -> str:
        text = " / ".join(self.text.splitlines())
        return f"{text}; {self.advice}" if self.advice else text

    def as_json(self) -> dict[str, str]:
        """Return the fields for programs."""
        return asdict(self)


def ok(subject: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(subject, Level.OK, text)


def warning(subject: str, text: str, advice: str = "") -> Finding:
    """Return a finding about a probable mistake, or about something that will become a problem."""
    return Finding(subject, Level.WARNING, text, advice)


def problem(subject: str, text: str, advice: str = "") -> Finding:
    """Return a finding about something that does not work."""
    return Finding(subject, Level.PROBLEM, text, advice)
