"""After a restore: find what will be sent again, and raise SEQUENCEs above what apps have seen.

A restored database lacks the revisions that were made after its backup. Apps that have seen those
ignore a lower SEQUENCE (RFC 5545, 3.8.7.4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calfeed.ical.variants import render_variants
from calfeed.ical.vevent import RENDERER
from calfeed.model.revision import Revision
from calfeed.model.states import ReminderState
from calfeed.store.catalog import lineage
from calfeed.store.catalog.calendars import load_calendars, touch_calendars
from calfeed.store.catalog.events import load_events, save_events
from calfeed.store.catalog.installation import load_installation, save_installation
from calfeed.store.catalog.publishes import Author, add_publish
from calfeed.store.database import Connection
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.reminders import load_reminders
from calfeed.store.rows import ReminderRow

_MARGIN = 1_000

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Repeats:
    """What a restored database will send, although it may already have been sent after the backup.

    `reminders` have become due since the backup; `titles` are the titles of their events, by UID.
    `late` is the number of reminders that will be missed, because their occurrence has begun.
    `deliveries` is the number of deliveries that were unsettled in the backup.
    """

    reminders: Sequence[ReminderRow]
    titles: Mapping[str, str]
    late: int
    deliveries: int


def find_repeats(connection: Connection, now: datetime) -> Repeats:
    """Find what a restored database will send again."""
    rows = load_reminders(connection, window=(_BEGINNING, now))
    planned = [row for row in rows if row.state is ReminderState.PLANNED]
    coming = [row for row in planned if row.until > now]
    events = load_events(connection, uids=sorted({row.uid for row in coming}))
    return Repeats(
        reminders=coming,
        titles={row.uid: f"{row.calendar}/{row.slug}" for row in events},
        late=len(planned) - len(coming),
        deliveries=lineage.count_unsettled_deliveries(connection),
    )


def raise_sequences(connection: Connection, seen: Mapping[str, int] | None, now: datetime) -> int:
    """Give every event a revision newer than any that an app can have; return how many were added.

    `seen` has the highest SEQUENCE of each UID before the restore; None if unknown. In that case,
    each is raised by the seconds since the last publish and a margin, because revisions are at
    least a second apart.
    """
    last = lineage.load_lineage(connection).last_publish or now
    unknown = _MARGIN + max(0, int((now - last).total_seconds()))
    raised = {
        uid: _raise(text, None if seen is None else seen.get(uid, 0), unknown, now)
        for uid, text in lineage.load_last_revisions(connection).items()
    }
    own = load_installation(connection)
    # An event that was added after the backup was made is not in it. Its first SEQUENCE was the
    # `first_sequence` of the installation.
    lost = [sequence for uid, sequence in (seen or {}).items() if uid not in raised]
    first = own.first_sequence + unknown if seen is None else max(lost, default=-1) + 1
    first = max(first, own.first_sequence)
    save_installation(connection, replace(own, first_sequence=first))
    if not raised:
        return 0
    number = add_publish(
        connection, now, "restored from a backup", [], Author(command=lineage.RESTORE)
    )
    save_events(
        connection,
        [
            replace(
                row,
                revision=raised[row.uid][0],
                renderer=RENDERER,
                vevents=render_variants(raised[row.uid][0]),
            )
            for row in load_events(connection)
        ],
    )
    lineage.save_restored_revisions(connection, raised, number)
    touch_calendars(connection, load_calendars(connection), number)
    notify_listeners(connection)
    return len(raised)


def _raise(text: str, seen: int | None, unknown: int, now: datetime) -> tuple[Revision, str]:
    """Return the revision that follows the one in `text` (JSON), and its JSON.

    Only `sequence` and `modified` differ.
    """
    last = Revision.model_validate_json(text)
    highest = last.sequence + unknown if seen is None else max(last.sequence, seen)
    modified = max(now.replace(microsecond=0), last.modified + timedelta(seconds=1))
    value = {**json.loads(text), "sequence": highest + 1, "modified": modified.isoformat()}
    raised = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Revision.model_validate_json(raised), raised
