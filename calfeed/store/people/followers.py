"""Count the people who follow an event, for reports of future reminders."""

from __future__ import annotations

import json
from collections import defaultdict

from sqlalchemy import Connection, select

from calfeed.model.states import EndpointKind, EndpointState
from calfeed.reminders.filters import Subject, followed_names
from calfeed.store.tables import endpoints


class Followers:
    """Counts the people who get a type of message, at the time when this object was made."""

    def __init__(self, connection: Connection, message_type: str) -> None:
        self._by_name: dict[str, set[int]] = defaultdict(set)
        query = select(endpoints.c.filters).where(
            endpoints.c.kind == EndpointKind.MAIL, endpoints.c.state == EndpointState.ACTIVE
        )
        for number, text in enumerate(connection.scalars(query)):
            filters = json.loads(text)  # there can be many
            if message_type in filters.get("types", ()):
                for name in filters.get("follows", ()):
                    self._by_name[name].add(number)

    def count(self, subject: Subject, public: bool) -> int:
        """Count the people who follow the subject; 0 if its calendar is not public."""
        if not public:
            return 0
        return len(set().union(*(self._by_name.get(name, ()) for name in followed_names(subject))))
