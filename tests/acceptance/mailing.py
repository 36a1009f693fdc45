"""Kill the worker while it sends mails to a crowd, and prove that nobody misses one.

`python -m tests.acceptance.mailing` publishes an event that a thousand people follow and moves it
again and again, while the worker is ended with SIGKILL a hundred times. A tenth of the people have
no mailbox, a tenth are greylisted, of a tenth each the connection drops once, and some leave in the
middle.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import BigInteger, func, select, type_coerce, update

from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import remove_endpoint
from calfeed.store.outbox.claims import LEASE
from calfeed.store.tables import deliveries, messages
from tests.acceptance.fleet import Fleet
from tests.acceptance.site import Site, until
from tests.mail.branch import Follower, add_followers
from tests.mail.post_office import PostOffice, Received

_DOMAIN = "people.example"
_KINDS = ("gone", "grey", "drop", *("p",) * 7)
_DAY = """\
name: Desk
time_zone: Asia/Karachi
events:
  hearing: {{summary: Hearing, start: 2099-06-{day:02}}}
"""
_LEAVING = 20
"""One in so many leaves in the middle."""


@dataclass(frozen=True)
class MailProof:
    """What came to whom, compared with what was to come."""

    people: int
    changes: int
    kills: int
    mails: int
    twice: int
    lost: int
    doubled_ids: int
    after_leaving: int
    paused: int
    addresses_logged: int
    seconds: float

    def check(self) -> None:
        """Raise AssertionError if a mail is missing, or came where it must not."""
        assert (self.lost, self.doubled_ids, self.after_leaving) == (0, 0, 0), self
        assert self.addresses_logged == 0, self

    def __str__(self) -> str:
        return "\n".join(f"{value:>10,.5g}  {name}" for name, value in vars(self).items())


class Crowd:
    """People who follow one calendar of a site, whose worker is killed again and again."""

    def __init__(self, site: Site, post: PostOffice, people: int, choose: random.Random) -> None:
        self.site, self.post, self.choose = site, post, choose
        self.addresses = [
            f"{_KINDS[number % len(_KINDS)]}{number}@{_DOMAIN}" for number in range(people)
        ]
        self.left: dict[str, int] = {}  # the mails that had come by then
        self.changes = 0
        self.database = Database(f"sqlite:///{site.folder / 'var' / 'calfeed.sqlite3'}")

    def sign_up(self) -> None:
        """Add all, as if they had confirmed."""
        add_followers(self.database, [Follower(address) for address in self.addresses])

    def move(self) -> None:
        """Move the event, and announce it at once."""
        self.changes += 1
        self.site.write("desk.yaml", _DAY.format(day=self.changes))
        self.site.do("publish")

    def leave(self) -> None:
        """Let some leave. A worker that starts has claimed nothing yet."""
        staying = [address for address in self.addresses if not address.startswith("gone")]
        with self.database.write() as connection:
            for address in staying[::_LEAVING]:
                number = self.addresses.index(address) + 1
                remove_endpoint(connection, f"per_{number}", datetime.now(UTC))
                self.left[address] = len(self.post.to(address))

    def end_leases(self) -> None:
        """Make it later by a lease for what killed workers had."""
        earlier = type_coerce(deliveries.c.next_at, BigInteger) - LEASE // timedelta(microseconds=1)
        with self.database.write() as connection:
            statement = update(deliveries).where(deliveries.c.state == "pending")
            connection.execute(statement.values(next_at=earlier))

    def pending(self) -> int:
        """How many deliveries are to be sent."""
        query = select(func.count()).select_from(deliveries)
        with self.database.read() as connection:
            waiting = connection.scalar(
                select(func.count())
                .select_from(messages)
                .where(messages.c.fanned_out_to.is_not(None))
            )
            pending = connection.scalar(query.where(deliveries.c.state == "pending"))
        return int(pending or 0) + int(waiting or 0)


def kill_while_mailing(
    folder: Path, *, people: int, kills: int, changes: int, seed: int
) -> MailProof:
    """Send so many changes to so many people while killing, and compare."""
    choose, began = random.Random(seed), time.monotonic()
    with PostOffice() as post:
        site = Site(folder)
        site.environment |= {
            "CALFEED_MAIL_URL": post.url,
            "CALFEED_MAIL_FROM": "calendar@example.org",
            "CALFEED_MAIL_RATE": "100000",
        }
        site.write("desk.yaml", "name: Desk\ntime_zone: Asia/Karachi\nevents: {}\n")
        site.do("publish")
        crowd = Crowd(site, post, people, choose)
        crowd.sign_up()
        killed = _kill_all_along(crowd, kills, changes)
        crowd.end_leases()
        with Fleet(site, 1) as fleet:
            until(lambda: crowd.pending() == 0, "everything is settled")
            fleet.check()
        return _prove(crowd, killed, time.monotonic() - began)


def _kill_all_along(crowd: Crowd, kills: int, changes: int) -> int:
    with Fleet(crowd.site, 1) as fleet:
        while len(fleet.kills) < kills:
            if crowd.changes * kills <= len(fleet.kills) * changes:
                crowd.move()
            come = len(crowd.post.received) + crowd.choose.randrange(1, 40)
            limit = time.monotonic() + crowd.choose.uniform(1.5, 3)
            while len(crowd.post.received) < come and time.monotonic() < limit:
                time.sleep(0.005)  # between two looks at what another process sends
            fleet.kill(0)
            if not crowd.left and 2 * len(fleet.kills) >= kills:
                crowd.leave()
        return len(fleet.kills)


def _prove(crowd: Crowd, kills: int, seconds: float) -> MailProof:
    by_address: dict[str, list[Received]] = {}
    for one in crowd.post.received:
        by_address.setdefault(one.recipient, []).append(one)
    lost = doubled = after = twice = 0
    for address in crowd.addresses:
        mails = by_address.get(address, [])
        subjects = Counter(str(one.mail["Subject"]) for one in mails)
        ids = {(str(one.mail["Subject"]), one.message_id) for one in mails}
        doubled += len(ids) - len(subjects)
        twice += len(mails) - len(subjects)
        if address in crowd.left:
            after += len(mails) - crowd.left[address]
        elif not address.startswith("gone"):
            lost += crowd.changes - len(subjects)
    log = (crowd.site.folder / "worker.log").read_text("utf-8")
    return MailProof(
        people=len(crowd.addresses),
        changes=crowd.changes,
        kills=kills,
        mails=len(crowd.post.received),
        twice=twice,
        lost=lost,
        doubled_ids=doubled,
        after_leaving=after,
        paused=log.count("is paused"),
        addresses_logged=log.count(f"@{_DOMAIN}"),
        seconds=seconds,
    )


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--changes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="calfeed-mailing-") as name:
        proof = kill_while_mailing(
            Path(name) / "site",
            people=asked.people,
            kills=asked.kills,
            changes=asked.changes,
            seed=asked.seed,
        )
    print(proof)
    proof.check()


if __name__ == "__main__":
    main()
