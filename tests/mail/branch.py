"""A site that sends mails: people who follow, and a real SMTP server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.mail.pacing import DomainPacer
from calfeed.delivery.mail.personal_mails import MailAddresses, MailRoom
from calfeed.delivery.mail.sending import MailSender
from calfeed.delivery.mail.server_urls import read_server_url
from calfeed.delivery.site_texts import SiteTexts
from calfeed.model.states import EndpointKind, EndpointState
from calfeed.reminders.filters import Filters
from calfeed.reminders.mail.compose import Sender
from calfeed.reminders.options import Options
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from calfeed.store.people.records import SCHEME, hash_address, load_people_key
from calfeed.store.tables import people
from calfeed.web.catalogs import wording_in
from tests.delivery.office import Office
from tests.delivery.receiver import Receiver
from tests.mail.post_office import PostOffice
from tests.publish.desk import BASE, NOW

FROM = "calendar@example.org"
ADDRESSES = MailAddresses(Sender(FROM, "Key dates"), "calendar+b-*@example.org")


@dataclass(frozen=True)
class Follower:
    """Somebody who follows the calendar `desk`."""

    address: str
    language: str = "en"
    entries: bool = True
    follows: tuple[str, ...] = ("desk",)
    confirmed_at: datetime | None = NOW - timedelta(days=1)
    state: EndpointState = EndpointState.ACTIVE
    options: Options = field(default_factory=Options)


class MailBranch(Office):
    """An office whose worker also sends mails; `rate` is for each domain and minute."""

    def __init__(
        self, database: Database, receiver: Receiver, post: PostOffice, rate: int = 100_000
    ) -> None:
        super().__init__(database, open_sender(post), receiver)
        self.post = post
        self.limit(rate)

    def limit(self, rate: int, elapsed: Callable[[], float] = time.monotonic) -> None:
        """Send so many mails in a minute to a domain; `elapsed` are the seconds of its clock."""
        self.room = MailRoom(
            ADDRESSES,
            BASE,
            SiteTexts(lambda _: wording_in),
            lambda: self.now,
            DomainPacer(rate, elapsed),
        )

    def renew_sender(self) -> None:
        """Begin anew with the sender, as a restart does."""
        self.sign(lambda content: content)

    def sign(self, sign: Callable[[bytes], bytes]) -> None:
        """Begin anew with a sender that signs mails so."""
        self.sender.close()
        self.sender = open_sender(self.post, sign)

    def make_worker(self) -> Worker:
        return Worker(
            self.database,
            self.sender,
            BASE,
            lambda: self.now,
            lambda: 0.5,
            composers={EndpointKind.MAIL: self.room},
        )

    def follow(self, *followers: Follower) -> None:
        """Add people, in order `per_1`, `per_2`, …"""
        add_followers(self.database, followers)

    def follow_later(self, follower: Follower) -> None:
        """Add one more person."""
        add_followers(self.database, [follower], first=1000)


def open_sender(
    post: PostOffice, sign: Callable[[bytes], bytes] = lambda content: content
) -> MailSender:
    """A sender through this server, that may also send to receivers on loopback."""
    return MailSender(read_server_url(post.url), sign, allow_private=True)


def add_followers(database: Database, followers: Iterable[Follower], first: int = 1) -> None:
    """Add people who follow, with the proof of their consent."""
    with database.write() as connection:
        key = load_people_key(connection)
        for number, one in enumerate(followers, first):
            endpoint = Endpoint(
                id=f"per_{number}",
                url=SCHEME + one.address,
                filters=Filters(public_only=True, follows=one.follows),
                secret="",
                created=NOW - timedelta(days=1),
                state=one.state,
                options=one.options,
                kind=EndpointKind.MAIL,
            )
            add_endpoint(connection, endpoint)
            row = {
                "endpoint_id": endpoint.id,
                "address_hash": hash_address(key, one.address),
                "language": one.language,
                "entries": one.entries,
                "wording": "1",
                "asked_at": NOW - timedelta(days=1),
                "confirmed_at": one.confirmed_at,
            }
            connection.execute(people.insert().values(row))
