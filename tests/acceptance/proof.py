"""Compares the messages that a receiver got with the expected ones and with the database."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from standardwebhooks import Webhook

from calfeed.store.database import Database
from calfeed.store.tables import attempts, deliveries
from tests.acceptance.drills import Drills, Telling
from tests.acceptance.sink import Post, Record

_Key = tuple[str, str]  # of an endpoint and of a message


@dataclass(frozen=True)
class Endpoint:
    """An endpoint: its id, the path of its URL, its secret."""

    id: str
    path: str
    secret: str


@dataclass(frozen=True)
class Proof:
    """What there was to count, and what is wrong, by what is wrong with it.

    `kills` are of workers. `claims_in_vain` are those of which no attempt is recorded: the worker
    was killed with them in hand, or gave them back. `duplicates` are posts of what had been taken
    before, `most_duplicates` those that one kill led to.
    """

    kills: int
    deliveries: int
    posts: int
    faults: int
    claims: int
    claims_in_vain: int
    duplicates: int
    most_duplicates: int
    wrong: Mapping[str, Sequence[object]]

    def check(self) -> None:
        """Raise AssertionError where anything is wrong."""
        found = {what: [len(ones), *ones[:3]] for what, ones in self.wrong.items() if ones}
        assert not found, found

    def __str__(self) -> str:
        counted = {name.replace("_", " "): value for name, value in vars(self).items()}
        counted |= {what: len(ones) for what, ones in counted.pop("wrong").items()}
        return "\n".join(f"{value:>8,}  {name}" for name, value in counted.items())


@dataclass(frozen=True)
class _Row:
    """A delivery as the database has it; `recorded` attempts, `succeeded` of them with 204."""

    state: str
    claim: int
    attempts: int
    recorded: int
    succeeded: int


def prove(
    database: Database,
    record: Record,
    endpoints: Sequence[Endpoint],
    drills: Drills,
    kills: Sequence[float],
) -> Proof:
    """Compare everything that is known when all is settled; `kills` are on the receiver's clock."""
    by_path = {one.path: one.id for one in endpoints}
    posts: dict[_Key, list[Post]] = defaultdict(list)
    for post in record.posts:
        posts[by_path[post.path], post.id].append(post)
    taken = {key: [post for post in group if post.taken] for key, group in posts.items()}
    rows = _load(database)
    ids = _ids_of_tellings(record, posts)
    told = {telling for telling, keys in ids.items() if any(taken[key] for key in keys)}
    repeated = {key: group[:-1] for key, group in taken.items() if len(group) > 1}
    causes = [_find_kill(post, record, kills) for group in repeated.values() for post in group]
    duties = {key for telling in drills.must for key in ids.get(telling, ())}
    spare = {key: row.claim - row.recorded for key, row in rows.items()}
    return Proof(
        kills=len(kills),
        deliveries=len(rows),
        posts=len(record.posts),
        faults=sum(not post.taken for post in record.posts),
        claims=sum(row.claim for row in rows.values()),
        claims_in_vain=sum(spare.values()),
        duplicates=sum(map(len, repeated.values())),
        most_duplicates=max(Counter(causes).values(), default=0),
        wrong={
            "lost": sorted(drills.must - told),
            "not corrected": [
                old for old, new in drills.corrections.items() if old in told and new not in told
            ],
            "told without a reason": sorted(set(ids) - drills.must - drills.may),
            "told under two ids": [telling for telling, keys in ids.items() if len(keys) > 1],
            "not delivered": [
                (key, row) for key, row in rows.items() if not _is_settled(row, key in duties)
            ],
            "posted without a row": sorted(set(posts) - set(rows)),
            "duplicates that no claim explains": [
                (key, rows.get(key), len(group))
                for key, group in repeated.items()
                if len(group) > spare.get(key, 0)
            ],
            "duplicates that no kill explains": [one for one in causes if one is None],
            "recorded more often than posted": [
                (key, row) for key, row in rows.items() if row.succeeded > len(taken.get(key, ()))
            ],
            "other bytes than before": _find_altered(record),
            "signed wrongly": _find_forged(record, endpoints),
        },
    )


def _load(database: Database) -> dict[_Key, _Row]:
    counts = (
        select(
            attempts.c.delivery_id,
            func.count().label("recorded"),
            func.count().filter(attempts.c.status == 204).label("succeeded"),
        )
        .group_by(attempts.c.delivery_id)
        .subquery()
    )
    query = select(
        deliveries.c.endpoint_id,
        deliveries.c.message_id,
        deliveries.c.state,
        deliveries.c.claim,
        deliveries.c.attempts,
        func.coalesce(counts.c.recorded, 0),
        func.coalesce(counts.c.succeeded, 0),
    ).outerjoin(counts, counts.c.delivery_id == deliveries.c.id)
    with database.read() as connection:
        return {(row[0], row[1]): _Row(*row[2:]) for row in connection.execute(query)}


def _ids_of_tellings(
    record: Record, posts: Mapping[_Key, Sequence[Post]]
) -> dict[Telling, set[_Key]]:
    found: dict[Telling, set[_Key]] = defaultdict(set)
    messages = {digest: json.loads(body) for digest, body in record.bodies.items()}
    for key, group in posts.items():
        for digest in {post.body for post in group}:
            found[_read(key[0], messages[digest])].add(key)
    return found


def _read(endpoint: str, message: Any) -> Telling:
    event = message["data"]["event"]
    timed = message["data"].get("occurrence", event)
    start = datetime.fromisoformat(timed["start"]).astimezone(UTC)
    return Telling(endpoint, message["type"], event["calendar"], event["slug"], start)


def _is_settled(row: _Row, is_duty: bool) -> bool:
    if row.state == "superseded":
        return not is_duty
    return row.state == "delivered" and row.succeeded == 1 and row.attempts <= row.recorded


def _find_kill(post: Post, record: Record, kills: Sequence[float]) -> float | None:
    """The kill that ended the connection on which a post came; None where it goes on."""
    index = bisect_right(kills, record.ends.get(post.connection, 0.0))
    return kills[index - 1] if index else None


def _find_altered(record: Record) -> list[str]:
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for post in record.posts:
        bodies[post.id].add(post.body)
    return [key for key, digests in bodies.items() if len(digests) > 1]


def _find_forged(record: Record, endpoints: Sequence[Endpoint]) -> list[Post]:
    signers = {one.path: Webhook(one.secret) for one in endpoints}
    return [
        post
        for post in record.posts
        if post.signature
        != signers[post.path].sign(
            post.id,
            datetime.fromtimestamp(int(post.timestamp), UTC),
            record.bodies[post.body].decode(),
        )
    ]
