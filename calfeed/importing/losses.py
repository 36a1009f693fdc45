"""What an import does not keep, or reads otherwise than it is written, and what it has to ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CALENDAR = "the calendar"


@dataclass(frozen=True, order=True)
class Loss:
    """What is not kept: of which event (or of the calendar), which property, why.

    `reason` is the same wherever the cause is; `value` is what is special about this one.
    """

    event: str
    property: str
    reason: str
    value: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.event, self.property, self.value, self.reason)))


@dataclass
class Losses:
    """All that an import found, in its order, and what it has to ask.

    What is asked cannot be decided from the file, so the import ends with these questions.
    """

    found: list[Loss] = field(default_factory=list)
    asked: list[Loss] = field(default_factory=list)

    def of(self, event: str) -> Report:
        """What reports of an event, or of the calendar."""
        return Report(self, printable(event))


@dataclass(frozen=True)
class Report:
    """Takes the property of an event and why it, or part of it, is not kept.

    Several readers of one property may find the same thing, which is noted once.
    """

    losses: Losses
    event: str
    _seen: set[Loss] = field(default_factory=set)

    def __call__(self, name: str, reason: str, value: object = "") -> None:
        self._note(self.losses.found, name, reason, value)

    def ask(self, name: str, reason: str, value: object = "") -> None:
        """Note what the file does not say and must not be guessed."""
        self._note(self.losses.asked, name, reason, value)

    def _note(self, where: list[Loss], name: str, reason: str, value: object) -> None:
        loss = Loss(self.event, printable(name), printable(reason), printable(str(value)))
        if loss not in self._seen:
            self._seen.add(loss)
            where.append(loss)


def group_losses(losses: Iterable[Loss]) -> list[str]:
    """A line for each cause: with its event where there is one, else with how many and the first.

    The causes are in the order in which they are found first.
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
    """The text with nothing in it that a terminal could take for more than text."""
    return "".join(each if each.isprintable() else "?" for each in text)
