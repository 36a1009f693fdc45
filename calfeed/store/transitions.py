"""State transitions as UPDATE statements. All code that writes a state uses a `Transition`.

Transitions are created at import, so a transition that is not allowed raises an error at once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Update, literal_column, or_, update

from calfeed.model.states import (
    DeliveryState,
    EndpointState,
    ReminderState,
    State,
    check_transition,
)
from calfeed.store.tables import deliveries, endpoints, reminders

_S = TypeVar("_S", DeliveryState, ReminderState, EndpointState)
_TABLES = {DeliveryState: deliveries, ReminderState: reminders, EndpointState: endpoints}


class Transition(Generic[_S]):
    """A transition from any of `sources` to any of `targets`. The source None means a new row.

    Raises ValueError if a target is not allowed after one of the sources.
    """

    def __init__(self, sources: Collection[_S | None], *targets: _S) -> None:
        for source in sources:
            for target in targets:
                check_transition(source, target)
        self.sources: frozenset[_S | None] = frozenset(sources)
        self.targets: tuple[_S, ...] = targets
        self._table = _TABLES[type(targets[0])]

    def to(self, target: _S) -> _S:
        """Return a state to write. Raises ValueError if it is not one of the targets."""
        if target not in self.targets:
            raise ValueError(f"{target} is not one of {', '.join(self.targets)}")
        return target

    def starts_in(self) -> ColumnElement[bool]:
        """Return the SQL condition that the state of a row is one of `sources`."""
        states = [source for source in self.sources if source is not None]
        return in_states(self._table.c.state, *sorted(states))

    def update(self, target: Any = None, *, where: ColumnElement[bool] | None = None) -> Update:
        """Build an UPDATE of the rows that are in one of the sources.

        It writes the only target of the transition, or the expression `target`: a parameter whose
        value is a result of `to`, or a CASE whose values are results of `write`. `where` replaces
        the condition that the row is in one of the sources, and must imply it.
        """
        if target is None:
            (only,) = self.targets
            target = self.write(only)
        condition = self.starts_in() if where is None else where
        return update(self._table).where(condition).values(state=target)

    def write(self, target: _S) -> ColumnElement[str]:
        """Return a target as an SQL literal. Raises ValueError if it is not one of the targets."""
        return state_literal(self.to(target))


def state_literal(state: State) -> ColumnElement[str]:
    """Return a state as a literal, because cached plans use partial indexes only for literals."""
    return literal_column(f"'{state}'")


def in_states(column: ColumnElement[Any], *states: State) -> ColumnElement[bool]:
    """Return the condition that a column has one of these states."""
    # Not IN: PostgreSQL uses the partial indexes only for separate conditions.
    return or_(*[column == state_literal(state) for state in states])
