"""Transitions between states, as statements. Whatever writes a state builds it from one of these.

Each is made when its module is loaded, so one that is not allowed fails at import.
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
    """A transition from any of `sources` to any of `targets`. None is a row that is new.

    Raises ValueError where one of them is not allowed.
    """

    def __init__(self, sources: Collection[_S | None], *targets: _S) -> None:
        for source in sources:
            for target in targets:
                check_transition(source, target)
        self.sources: frozenset[_S | None] = frozenset(sources)
        self.targets: tuple[_S, ...] = targets
        self._table = _TABLES[type(targets[0])]

    def to(self, target: _S) -> _S:
        """One of the targets, to be written. Raises ValueError for any other state."""
        if target not in self.targets:
            raise ValueError(f"{target} is none of {', '.join(self.targets)}")
        return target

    def starts_in(self) -> ColumnElement[bool]:
        """Whether a row is in one of the sources."""
        known = [source for source in self.sources if source is not None]
        return is_any(self._table.c.state, *sorted(known))

    def update(self, target: Any = None, *, where: ColumnElement[bool] | None = None) -> Update:
        """An UPDATE of the rows that are in one of the sources.

        It writes the only target, or the expression `target`: a parameter whose value comes from
        `to`, or a CASE of `write`. `where` replaces the condition on `state` by another one that
        implies it.
        """
        if target is None:
            (only,) = self.targets
            target = self.write(only)
        condition = self.starts_in() if where is None else where
        return update(self._table).where(condition).values(state=target)

    def write(self, target: _S) -> ColumnElement[str]:
        """One of the targets, as it is written out in a statement."""
        return written(self.to(target))


def written(state: State) -> ColumnElement[str]:
    """A state written out in a statement, not given as a parameter.

    Only so a plan that is kept can use a partial index of this state.
    """
    return literal_column(f"'{state}'")


def is_any(column: ColumnElement[Any], *states: State) -> ColumnElement[bool]:
    """Whether a column is one of these states."""
    # Not IN: PostgreSQL finds each of them by its own partial index, but not the list.
    return or_(*[column == written(state) for state in states])
