"""Counts of feed polls.

They are separate from the statements in `polls.py`, because the processes that count do not use
the database and need not load SQLAlchemy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class PollCounts:
    """The polls of one feed by one family of clients.

    `feed` is its path, without the token of a private calendar. `sent` is the number of 200
    responses, `unchanged` of 304; `bytes` is the total size of the bodies, after compression.
    """

    feed: str
    family: str
    sent: int
    unchanged: int
    bytes: int

    @property
    def polls(self) -> int:
        """The number of requests."""
        return self.sent + self.unchanged
