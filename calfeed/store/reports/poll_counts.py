"""What is counted of the requests for feeds.

It stands apart from the statements that keep it (`polls.py`), so that the processes that count, and
never ask the database, need not load SQLAlchemy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Polls:
    """The requests of one family of clients for one feed.

    `feed` is its path, without the token of a private one. `sent` of them got the feed, `unchanged`
    were told that they have it (304); `bytes` is what was sent in all, compressed where it was.
    """

    feed: str
    family: str
    sent: int
    unchanged: int
    bytes: int

    @property
    def polls(self) -> int:
        """How many requests there were."""
        return self.sent + self.unchanged
