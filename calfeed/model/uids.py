"""UIDs for events whose definition has none, made from names and the id of the installation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b0c4a4e-6b0e-5d0f-9b46-6a3f4f6f3f0d")
"""The namespace of UIDs made by calfeed 0.1. It must not change: published UIDs are permanent."""


@dataclass(frozen=True)
class UidScheme:
    """How an installation makes globally unique UIDs (RFC 5545, 3.8.4.7).

    `installation` is the random id of the installation; None if there is none, for example when
    files are only checked. `kept` holds the UIDs that were published before the installation had an
    id; they do not change.
    """

    installation: UUID | None = None
    kept: frozenset[str] = frozenset()

    def make(self, calendar: str, event: str) -> str:
        """Return the UID of an event from two slugs, always the same within an installation."""
        name = f"{calendar}/{event}"
        name_based = str(uuid5(_NAMESPACE, name))
        if self.installation is None or name_based in self.kept:
            return name_based
        return str(uuid5(self.installation, name))


NAME_BASED_UIDS = UidScheme()
"""Makes UIDs from the slugs only."""
