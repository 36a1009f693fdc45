"""Write mails from stored messages, for one person each.

Values are loaded in the claim's transaction; the mail is composed when it is sent, on the sender's
threads. The content of a mail is made once for each message and language.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from calfeed.delivery.engine.composing import Composed, Outgoing
from calfeed.delivery.mail.drafts import (
    GREETINGS,
    Draft,
    Named,
    draft,
    find_single_event,
    name_followed,
)
from calfeed.delivery.mail.pacing import DomainPacer
from calfeed.delivery.site_texts import SiteTexts
from calfeed.delivery.transport.sender import Request
from calfeed.errors import SealError, StoreError
from calfeed.ical.wording.words import words_in
from calfeed.model.revision import Revision
from calfeed.model.site import Site
from calfeed.model.values import text_in
from calfeed.reminders.mail import greeting
from calfeed.reminders.mail.compose import Envelope, Sender, compose
from calfeed.reminders.mail.content import (
    Content,
    MailSite,
    Wording,
    footer_of,
    footer_of_request,
)
from calfeed.reminders.mail.entry import EntryTemplate, make_entry
from calfeed.reminders.mail.identifiers import make_bounce_token, make_message_id
from calfeed.store.database import Connection
from calfeed.store.outbox.claims import Claim
from calfeed.store.people.links import PersonLinks, confirm_link, make_links
from calfeed.store.people.records import SCHEME, Person, load_people, load_people_key

_log = logging.getLogger(__name__)

_UNWRITABLE_DELAY = timedelta(minutes=10)
"""How long a mail that cannot be written is postponed."""

RETURN_PATH = "Return-Path"
"""The header of a request with the envelope sender."""


@dataclass(frozen=True)
class MailAddresses:
    """The sender of mails, and the bounce address; `*` in `bounces` stands for a token."""

    sender: Sender
    bounces: str


@dataclass
class _Memo:
    """The content of a draft and its entries by language, made when they are first needed."""

    draft: Draft
    contents: dict[str, Content] = field(default_factory=dict)
    entries: dict[tuple[str, bool], EntryTemplate | None] = field(default_factory=dict)

    def content(self, wording: Wording) -> Content:
        if wording.language not in self.contents:
            self.contents[wording.language] = self.draft.describe(wording)
        return self.contents[wording.language]

    def entry(self, language: str, has_event: bool) -> EntryTemplate | None:
        key = language, has_event
        if key not in self.entries:
            self.entries[key] = self.draft.entry(language, has_event=has_event)
        return self.entries[key]


@dataclass(frozen=True)
class _Reader:
    """One person, and the personal parts of the mail."""

    address: str
    person: Person
    links: PersonLinks
    confirm: str
    names: list[list[Named]]
    followed: Revision | None
    has_event: bool
    message_id: str
    site: Site

    def __repr__(self) -> str:
        return f"_Reader({self.person.endpoint_id!r})"


class MailRoom:
    """Writes the mails of a worker."""

    def __init__(
        self,
        addresses: MailAddresses,
        base_url: str,
        texts: SiteTexts,
        clock: Callable[[], datetime],
        pacer: DomainPacer,
    ) -> None:
        self._addresses = addresses
        self._base_url = base_url
        self._texts = texts
        self._clock = clock
        self._pacer = pacer

    def compose(
        self, connection: Connection, outgoing: Sequence[Outgoing], now: datetime
    ) -> Composed:
        """Compose mails.

        Mails that exceed the rate of their domain are postponed. Mails to endpoints without a
        person's record are postponed as well.
        """
        try:
            key = load_people_key(connection)
        except SealError as error:
            _log.error("mails wait: %s", error)
            return Composed([], {one.claim: now + _UNWRITABLE_DELAY for one in outgoing})
        self._texts.load(connection)
        people = load_people(connection, [one.endpoint.id for one in outgoing])
        memos: dict[str, _Memo] = {}
        requests: list[Request] = []
        waiting: dict[Claim, datetime] = {}
        for one in outgoing:
            claim, person = one.claim, people.get(one.endpoint.id)
            address = one.endpoint.url.removeprefix(SCHEME)
            delay = self._pacer.delay(address.rpartition("@")[2].lower())
            if delay or person is None:
                waiting[claim] = now + timedelta(seconds=delay or 60)
                continue
            try:
                if claim.message_id not in memos:
                    memos[claim.message_id] = _Memo(draft(connection, one.message.body, now))
                memo = memos[claim.message_id]
                reader = self._read(connection, key, one, person, memo.draft)
            except StoreError:
                raise
            except Exception:
                # One message must not stop all others.
                _log.exception("message %s cannot be written as a mail", claim.message_id)
                waiting[claim] = now + _UNWRITABLE_DELAY
                continue
            token = make_bounce_token(key, claim.delivery_id)
            headers = {RETURN_PATH: self._addresses.bounces.replace("*", token)}
            write = partial(self._write, memo, reader)
            requests.append(Request(one.delivery, one.endpoint.url, headers, b"", write=write))
        return Composed(requests, waiting)

    def _read(
        self, connection: Connection, key: bytes, one: Outgoing, person: Person, drafted: Draft
    ) -> _Reader:
        address = one.endpoint.url.removeprefix(SCHEME)
        follows = one.endpoint.filters.follows
        greets = drafted.type in GREETINGS
        welcomes = drafted.type == "follow.welcome"
        change = drafted.change
        has_event = change is not None and (
            f"{drafted.slug}/{change.after.event.slug}" in follows
            or (person.confirmed_at or person.asked_at) <= change.after.created
        )
        return _Reader(
            address=address,
            person=person,
            links=make_links(self._base_url, key, person.endpoint_id),
            confirm=confirm_link(self._base_url, key, drafted.request) if drafted.request else "",
            names=name_followed(connection, follows) if greets else [],
            followed=find_single_event(connection, follows) if welcomes else None,
            has_event=has_event,
            message_id=make_message_id(
                key, one.claim.message_id, person.hash, self._addresses.sender.domain
            ),
            site=self._texts.site,
        )

    def _write(self, memo: _Memo, reader: _Reader) -> bytes:
        """Compose the mail of one reader, at the time of the call."""
        now, person, drafted = self._clock(), reader.person, memo.draft
        wording = self._texts.wording(person.language)
        language = wording.language
        if drafted.type in GREETINGS:
            content = _greet(drafted.type, reader, wording)
        else:
            content = memo.content(wording)
        template = None
        if person.entries:
            template = memo.entry(language, reader.has_event)
            if reader.followed is not None:
                template = make_entry(reader.followed, language)
        sender, site = self._addresses.sender, _in_language(reader.site, self._base_url, language)
        calendar = drafted.calendar.in_language(language) if drafted.calendar else ""
        envelope = Envelope(
            sender=Sender(sender.address, calendar or sender.name or site.name),
            to=reader.address,
            message_id=reader.message_id,
            date=now,
            list_id=f"{drafted.slug or 'follow'}.{sender.domain}",
            leave=reader.links.leave if person.confirmed_at else None,
        )
        footer = footer_of(wording, calendar, reader.links.page, reader.links.leave, site)
        if person.confirmed_at is None:
            footer = footer_of_request(wording, site)
        entry = template.address(sender.address, reader.address, now) if template else None
        return compose(content, footer, language, envelope, entry)


def _in_language(site: Site, base_url: str, language: str) -> MailSite:
    """Return a site's name and links for mails in a language."""
    if site.name is None:
        return MailSite()
    return MailSite(
        text_in(site.name, language, site.language),
        f"{base_url}/privacy/?lang={language}" if "privacy" in site.about else "",
        site.accent or MailSite.accent,
    )


def _greet(message_type: str, reader: _Reader, wording: Wording) -> Content:
    comma = words_in(wording.language).list_comma
    names = [
        comma.join(part.in_language(wording.language) for part in reversed(parts))
        for parts in reader.names
    ]
    if message_type == "follow.welcome":
        return greeting.describe_welcome(names, reader.links.page, wording)
    if message_type == "follow.known":
        return greeting.describe_further_request((), reader.confirm, wording)
    return greeting.describe_confirmation(names, reader.confirm, wording)
