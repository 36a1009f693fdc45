"""Random edits within and beyond the grace time: what is told adds up, and no slip is among it.

`python -m tests.acceptance.slips` tries a thousand histories of edits, on a SQLite file. A model
that knows nothing of calfeed says what receivers have to be told of each, and when.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from calfeed.definitions.result import Definitions
from calfeed.model.events import Calendar, Change, Event, Repeat, Status
from calfeed.publish.announce import announce_due
from calfeed.publish.apply import publish
from calfeed.reminders.messages import describe_event
from calfeed.store.catalog import announcements
from calfeed.store.catalog.events import load_events
from calfeed.store.database import Database
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.migrate import migrate
from calfeed.store.tables import messages
from tests.publish.desk import BASE, GRACE
from tests.store.keeping import delete_rows, make_endpoint

BEGINNING = datetime(2027, 1, 4, 12, tzinfo=UTC)
SLUGS = ("one", "two")
DAYS = (date(2027, 3, 1), date(2027, 3, 3), date(2027, 4, 5))
GAPS = (1, 5, 60, 119, 120, 121, 300, 86_400)
"""Seconds from one edit to the next."""

WEEK = timedelta(weeks=1)
SERIES: dict[str, Callable[[date], Repeat]] = {
    "excepted": lambda day: Repeat(rule="FREQ=WEEKLY;COUNT=4", exclude=(day + WEEK,)),
    "moved": lambda day: Repeat(
        rule="FREQ=WEEKLY;COUNT=4",
        changes=(Change(original=day + WEEK, start=day + WEEK + timedelta(days=1)),),
    ),
    "elsewhere": lambda day: Repeat(
        rule="FREQ=WEEKLY;COUNT=4",
        changes=(Change(original=day + WEEK, location={"en": "Room 4"}),),
    ),
    "plain": lambda _: Repeat(rule="FREQ=WEEKLY;COUNT=4"),
}


@dataclass(frozen=True)
class Draft:
    """What the definition of an event says; `series` is how it repeats, empty for not at all."""

    day: date
    text: str = "It"
    note: str = ""
    cancelled: bool = False
    series: str = ""

    def make(self, slug: str) -> Event:
        return Event(
            calendar="desk",
            slug=slug,
            uid=f"{slug}@desk",
            summary={"en": self.text},
            start=self.day,
            end=self.day + timedelta(days=1),
            time_zone="Asia/Karachi",
            language="en",
            status=Status.CANCELLED if self.cancelled else Status.CONFIRMED,
            repeat=SERIES[self.series](self.day) if self.series else None,
            note={"en": self.note} if self.note else None,
        )


@dataclass(frozen=True)
class Edit:
    """An event becomes what a draft says, or goes, some seconds after the edit before.

    `how` is `serve`, or the command: `publish`, `publish --now`. Where something is to be announced
    at that very moment, the worker may be `first`.
    """

    gap: int
    slug: str
    draft: Draft | None
    how: str
    first: bool


@dataclass(frozen=True)
class Told:
    """What a receiver hears: when, of which event, what kind of change, since when it is so."""

    at: datetime
    slug: str
    kind: str
    day: str
    note: str | None


def kind_of_change(base: Draft | None, draft: Draft | None) -> str | None:
    """What people who know `base` are told of `draft`; None where that is nothing."""
    if base is None or draft is None:
        if base is draft or (base is not None and base.cancelled):
            return None
        return "event.added" if base is None else "event.cancelled"
    if draft.cancelled and not base.cancelled:
        return "event.cancelled"
    if draft.day != base.day:
        return "event.moved"
    both = base.series and draft.series and not (base.cancelled or draft.cancelled)
    shifts = (base.series == "moved") + (draft.series == "moved") == 1
    # One that is excepted does not take place, so it is not one that moves.
    if both and shifts and "excepted" not in (base.series, draft.series):
        return "event.moved"
    same = (base.day, base.text, base.cancelled, base.series) == (
        draft.day,
        draft.text,
        draft.cancelled,
        draft.series,
    )
    new_note = draft.note not in ("", base.note)
    return None if same and not new_note else "event.changed"


@dataclass
class Model:
    """What holds, what people know, and what is to be announced when."""

    now: datetime = BEGINNING
    holds: dict[str, Draft | None] = field(default_factory=lambda: dict.fromkeys(SLUGS))
    known: dict[str, Draft | None] = field(default_factory=lambda: dict.fromkeys(SLUGS))
    due: dict[str, datetime] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def edit(self, edit: Edit) -> None:
        if self.holds[edit.slug] != edit.draft:
            self.holds[edit.slug] = edit.draft
            self.due[edit.slug] = self.now + GRACE
            if edit.how != "serve":
                self._announce(edit.slug)
        if edit.how == "publish --now":
            for slug in sorted(self.due):
                self._announce(slug)

    def announce(self) -> None:
        for slug in [slug for slug, due in self.due.items() if due <= self.now]:
            self._announce(slug)

    def _announce(self, slug: str) -> None:
        del self.due[slug]
        base, draft = self.known[slug], self.holds[slug]
        kind = kind_of_change(base, draft)
        self.known[slug] = draft
        if kind is None:
            return
        shown = draft or base
        assert shown is not None
        reason = shown.note if base and draft and shown.note != base.note else ""
        self.told.append(Told(self.now, slug, kind, shown.day.isoformat(), reason or None))


class Trial:
    """Lets one history of edits happen to the real thing, and to the model beside it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.model = Model()
        with database.write() as connection:
            delete_rows(connection)
            add_endpoint(connection, make_endpoint("end_1"))

    def live(self, edits: list[Edit]) -> None:
        for edit in edits:
            moment = self.model.now + timedelta(seconds=edit.gap)
            self._let_pass(moment - timedelta(microseconds=0 if edit.first else 1))
            self.model.now = moment
            self._publish(edit)
            self.model.edit(edit)
            self.check()
        self._let_pass(self.model.now + timedelta(days=2))
        self.check()
        assert not self.model.due
        self._check_end()

    def _let_pass(self, until: datetime) -> None:
        """A worker announces what comes due, each at its moment."""
        while (due := self._next_due()) is not None and due <= until:
            self.model.now = due
            announce_due(self.database, self.model.now, BASE)
            self.model.announce()
            self.check()

    def _next_due(self) -> datetime | None:
        with self.database.read() as connection:
            found = announcements.next_announcement_due(connection)
        moments = [*self.model.due.values(), *([found] if found else [])]
        return min(moments, default=None)

    def _publish(self, edit: Edit) -> None:
        drafts = self.model.holds | {edit.slug: edit.draft}
        calendar = Calendar(
            slug="desk",
            name={"en": "Desk"},
            time_zone="Asia/Karachi",
            events=tuple(draft.make(slug) for slug, draft in drafts.items() if draft),
        )
        publish(
            self.database,
            Definitions((calendar,)),
            self.model.now,
            BASE,
            allow_removals=True,
            grace=GRACE if edit.how == "serve" else timedelta(0),
            announce_all=edit.how == "publish --now",
        )

    def check(self) -> None:
        """What was told up to now is what had to be, in messages, in Atom and in histories."""
        bodies = self._read_messages()
        told = sorted(self.model.told, key=lambda one: (one.at, one.slug))
        assert [self._summarize(body) for body in bodies] == told
        moved: dict[str, list[str]] = {slug: [] for slug in SLUGS}
        announced: set[tuple[str, int]] = set()
        for body in bodies:
            event = body["data"]["event"]
            announced.add((event["uid"], event["sequence"]))
            if body["type"] == "event.moved":
                data = body["data"]
                shifts = [
                    one["previous"]["start"]
                    for one in data.get("occurrences", [])
                    if one["status"] != "cancelled"
                    and one.get("previous", one)["start"] != one["start"]
                ]
                moved[event["slug"]] += shifts or [data["previous"]["start"]]
        with self.database.read() as connection:
            rows = load_events(connection)
            found = announcements.load_newest_announced(connection, ["desk"], 1000).get("desk", [])
        for row in rows:
            assert [move.start.isoformat() for move in row.moves] == moved[row.slug]
        entries = {(one.position.uid, one.position.sequence): one.kind for one in found}
        assert announced <= entries.keys()
        # That what was cancelled is taken away as well is told to nobody.
        assert {entries[place] for place in entries.keys() - announced} <= {"withdrawn"}

    def _read_messages(self) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            found = [json.loads(body) for body in connection.scalars(select(messages.c.body))]
        return sorted(found, key=lambda body: (body["timestamp"], body["data"]["event"]["slug"]))

    def _summarize(self, body: dict[str, Any]) -> Told:
        data = body["data"]
        return Told(
            datetime.fromisoformat(body["timestamp"]),
            data["event"]["slug"],
            body["type"],
            data["event"]["start"],
            data.get("note"),
        )

    def _check_end(self) -> None:
        """Whoever did nothing but apply the messages has what is published."""
        picture: dict[str, dict[str, Any]] = {}
        for body in self._read_messages():
            event = body["data"]["event"]
            before = picture.get(event["uid"])
            previous = body["data"].get("previous")
            if previous is not None:
                assert before is not None
                assert (previous["start"], previous["summary"]) == (
                    before["start"],
                    before["summary"],
                )
            assert before is None or before["sequence"] < event["sequence"]
            picture[event["uid"]] = event
        with self.database.read() as connection:
            rows = load_events(connection)
        holds = {row.uid: describe_event(row.revision) for row in rows}
        for event in picture.values():
            del event["page"]
        for uid, event in holds.items():
            if event["status"] == "cancelled" and uid not in picture:
                continue  # it came and went before anybody heard of it
            assert picture[uid] | {"sequence": 0} == event | {"sequence": 0}
        assert picture.keys() <= holds.keys()


drafts = st.builds(
    Draft,
    day=st.sampled_from(DAYS),
    text=st.sampled_from(["It", "It again"]),
    note=st.sampled_from(["", "", "The judge is ill", "The hall is taken"]),
    cancelled=st.sampled_from([False, False, False, True]),
    series=st.sampled_from(["", "", *SERIES]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Edit]:
    # Few, so that events are put right again.
    known = draw(st.lists(drafts, min_size=2, max_size=4))
    edits = st.builds(
        Edit,
        gap=st.sampled_from(GAPS),
        slug=st.sampled_from(SLUGS),
        draft=st.sampled_from([*known, *known, None]),
        how=st.sampled_from([*["serve"] * 8, "publish", "publish --now"]),
        first=st.booleans(),
    )
    return draw(st.lists(edits, min_size=1, max_size=12))


@contextmanager
def make_database() -> Iterator[Database]:
    """A SQLite file, in memory where there is such a place."""
    memory = Path("/dev/shm")
    with (
        TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        closing(Database(f"sqlite:///{folder}/calfeed.sqlite3")) as database,
    ):
        migrate(database)
        yield database


def try_histories(count: int) -> None:
    """Let so many histories happen; what Hypothesis finds wrong, it makes as short as it can."""
    with make_database() as database:

        @settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(edits=histories())
        def live(edits: list[Edit]) -> None:
            Trial(database).live(edits)

        live()


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000)
    asked = parser.parse_args()
    try_histories(asked.histories)
    print(f"{asked.histories:,} histories: what was told adds up, and no slip is among it")


if __name__ == "__main__":
    main()
