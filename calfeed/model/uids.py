"""The UIDs of events that have none of their own: made of their names, for each installation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

_NAMES = UUID("5b0c4a4e-6b0e-5d0f-9b46-6a3f4f6f3f0d")
"""The name space of the UIDs that calfeed 0.1 made. Those that are published stay for ever."""


@dataclass(frozen=True)
class UidScheme:
    """How an installation makes UIDs (RFC 5545, 3.8.4.7: they are unique in the whole world).

    `installation` is its random id; None where there is none, as when files are only checked.
    `kept` are the UIDs that it published before it had one.
    """

    installation: UUID | None = None
    kept: frozenset[str] = frozenset()

    def make(self, calendar: str, event: str) -> str:
        """The UID of an event by its two names: the same every time, here and nowhere else."""
        name = f"{calendar}/{event}"
        plain = str(uuid5(_NAMES, name))
        if self.installation is None or plain in self.kept:
            return plain
        return str(uuid5(self.installation, name))


BY_NAMES = UidScheme()
"""UIDs made of the names alone."""
