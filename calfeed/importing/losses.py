"""Losses of an import: data that is dropped or changed, and ambiguities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CALENDAR = "the calendar"


@dataclass(frozen=True, order=True)
class Loss:
    """A property of an event (or of the calendar) that is not kept, and the reason.

    `reason` is the same text for all losses of one kind; `value` is specific to this loss.
    """

    event: str
    property: str
    reason: str
    value: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.event, self.property, self.value, self.reason)))


@dataclass
class Losses:
    """The losses of an import in order, and its questions.

    Questions are ambiguities in the file; they stop the import.
    """

    found: list[Loss] = field(default_factory=list)
    questions: list[Loss] = field(default_factory=list)

    def reporter(self, event: str) -> LossReporter:
        """Return a reporter for an event or the calendar."""
        return LossReporter(self, printable(event))


@dataclass(frozen=True)
class LossReporter:
    """Reports losses of an event, ignoring duplicates."""

    losses: Losses
    event: str
    _seen: set[Loss] = field(default_factory=set)

    def __call__(self, name: str, reason: str, value: object = "") -> None:
        self._note(self.losses.found, name, reason, value)

    def ask(self, name: str, reason: str, value: object = "") -> None:
        """Add a question about something that must not be guessed."""
        self._note(self.losses.questions, name, reason, value)

    def _note(self, where: list[Loss], name: str, reason: str, value: object) -> None:
        loss = Loss(self.event, printable(name), printable(reason), printable(str(value)))
        if loss not in self._seen:
            self._seen.add(loss)
            where.append(loss)


def group_losses(losses: Iterable[Loss]) -> list[str]:
    """Return a line for each reason: with the event, or with their number and the first of them.

    The lines are in the order in which the reasons first occur.
    """
    causes: dict[tuple[str, str], list[Loss]] = {}
    for loss in losses:
        causes.setdefault((loss.property, loss.reason), []).append(loss)
    return [_describe(group) for group in causes.values()]


def _describe(group: list[Loss]) -> str:
    first = group[0]
    if len(group) == 1:
        return str(first)
    events = len({loss.event for loss in group})
    where = first.event if events == 1 else f"{events:,} events, first {first.event}"
    value = f": {first.value}" if first.value else ""
    times = f"{len(group):,} times: " if len(group) > events else ""
    return f"{first.property}: {first.reason} ({times}{where}{value})"


def printable(text: str) -> str:
    """Replace characters that could control a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
