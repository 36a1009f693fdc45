"""Sync tokens (RFC 6578), and the changes since a token.

A token has the number of the publish whose state a client has. It also has the first year of the
feed, because a new year can begin without a publish, and the feed then leaves out an older year;
and the lineage of the database, because the numbers of publishes recur after a restore.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calfeed.errors import InvalidInputError
from calfeed.publish.compare import KEEP_WITHDRAWN
from calfeed.web.caldav.collections import Collection, Member, name_of

_TOKEN = re.compile(
    r"urn:calfeed:(?P<lineage>[0-9a-f]{8}):(?P<slug>[a-z0-9-]{1,64}):"
    r"(?P<number>[0-9]{1,15}):(?P<at>[0-9]{1,11}):(?P<first_year>[0-9]{1,5})",
    re.ASCII,
)

_RETIRE_WITHIN = timedelta(days=1)
"""How long a withdrawn event may stay in its feed after the end of its 90 days."""


@dataclass(frozen=True)
class SyncToken:
    """The state of a calendar that a client has: the publish `number`, made `at` (UTC)."""

    lineage: str
    slug: str
    number: int
    at: datetime
    first_year: int

    def __str__(self) -> str:
        """The token as a URI, which RFC 6578 (6.2) requires."""
        at = int(self.at.timestamp())
        return f"urn:calfeed:{self.lineage}:{self.slug}:{self.number}:{at}:{self.first_year}"


def current_token(collection: Collection, lineage: str) -> SyncToken:
    calendar = collection.calendar
    slug, number = calendar.calendar.slug, calendar.publish_id
    return SyncToken(lineage, slug, number, calendar.modified, collection.first_year)


def parse_token(text: str) -> SyncToken:
    """Parse a token. Raises InvalidInputError if calfeed did not make it."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise InvalidInputError("this is not a sync token of this calendar")
    return SyncToken(
        match["lineage"],
        match["slug"],
        int(match["number"]),
        datetime.fromtimestamp(int(match["at"]), UTC),
        int(match["first_year"]),
    )


def find_changes(
    collection: Collection, token: SyncToken, lineage: str
) -> tuple[list[Member], list[str]]:
    """Return the members that changed since a token, and the names of those that left the feed.

    Raises InvalidInputError for a token of another calendar, or one that is too old.
    """
    changes = collection.calendar.feed_changes
    now = current_token(collection, lineage)
    if (
        (token.lineage, token.slug) != (now.lineage, now.slug)
        or token.number > now.number
        or token.at < changes.since + KEEP_WITHDRAWN + _RETIRE_WITHIN
    ):
        raise InvalidInputError("this sync token is too old, or not of this calendar")
    uids = {uid for uid, number in changes.changed.items() if number > token.number}
    uids |= {uid for uid, number in changes.moved.items() if number > token.number}
    # A withdrawn event leaves the feed without another revision.
    shown_until = token.at - KEEP_WITHDRAWN - _RETIRE_WITHIN
    uids |= {
        uid
        for uid, at in changes.withdrawn.items()
        if at > shown_until and collection.find(uid) is None
    }
    if token.first_year != now.first_year:
        years = sorted([token.first_year, now.first_year])
        uids |= {
            row.uid for row in collection.calendar.rows if years[0] <= row.last_year < years[1]
        }
    changed = [member for uid in uids if (member := collection.find(uid))]
    removed = [name_of(uid) for uid in uids if collection.find(uid) is None]
    return sorted(changed, key=lambda member: member.name), sorted(removed)
