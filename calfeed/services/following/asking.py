"""Signing up: anybody may enter an address; the owner of the mailbox confirms."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from typing import NamedTuple

from calfeed.delivery.sign_ups import CONFIRM_WITHIN
from calfeed.errors import ConflictError, InvalidInputError, NotFoundError, SettingsError
from calfeed.reminders.following.choices import Wish, filters_of, join_follows, options_of
from calfeed.reminders.following.messages import WELCOME, person_message
from calfeed.store.database import Connection, Transactions
from calfeed.store.endpoints import lifecycle
from calfeed.store.endpoints.records import Endpoint, load_endpoints
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.people.changes import lock_person, save_person
from calfeed.store.people.links import confirms, make_links
from calfeed.store.people.records import (
    Person,
    find_people_key,
    find_person,
    hash_address,
    hash_network,
    load_people_key,
)
from calfeed.store.people.requests import (
    FollowRequest,
    SignUp,
    add_sign_up,
    find_request,
    save_request,
)

_MAX_ADDRESS = 254
"""The longest address that mail can be sent to (RFC 5321, 4.5.3.1)."""


class Asked(NamedTuple):
    """A request that can be confirmed.

    `wish` is what the confirmation adds, None if the request was confirmed already. `known` is
    whether the person follows something already, whose choices then stay as they are.
    """

    wish: Wish | None
    known: bool


class Confirmed(NamedTuple):
    """The result of a confirmation: the id of the person's endpoint, and the own page's path."""

    endpoint_id: str
    page: str


def check_installed() -> None:
    """Raise SettingsError if the library that parses addresses is not installed."""
    if find_spec("email_validator") is None:
        raise SettingsError(
            "people cannot sign up for mails, because an extra is missing: "
            "pip install 'calfeed[mail]', or unset CALFEED_MAIL_URL"
        )


def read_address(text: str) -> str:
    """Return an address in its normal form.

    An international domain becomes ASCII, so that every mail server accepts it, unless the part
    before the @ also has letters outside ASCII. Raises InvalidInputError if the text is not an
    address to which mail can be sent. Makes no DNS queries.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        if "\N{REPLACEMENT CHARACTER}" in text:  # the form was not sent in UTF-8
            raise EmailNotValidError
        found = validate_email(text.strip()[: _MAX_ADDRESS + 1], check_deliverability=False)
    except EmailNotValidError:
        message = "this is not a mail address; write one such as name@example.org"
        raise InvalidInputError(message) from None
    return found.ascii_email or found.normalized


def identify_address(key: bytes, address: str) -> str:
    """Return the keyed hash by which an address in its normal form is found.

    Upper and lower case are treated as equal, because no known mail provider treats them as
    different mailboxes. Otherwise each spelling could get a mail of its own.
    """
    return hash_address(key, address.casefold())


def ask_to_follow(
    database: Transactions, address: str, wish: Wish, network: str, now: datetime
) -> None:
    """Store a sign-up.

    A worker sends the mail later, so that nobody can see from the response whether the address is
    known here.

    `network` is the client's network, empty if unknown. Raises InvalidInputError for an invalid
    address, and if the wish names nothing to follow or no kind of mail.
    """
    address = read_address(address)
    filters_of(wish.follows, wish.choices)
    with database.write() as connection:
        key = load_people_key(connection)
        address_hash = identify_address(key, address)
        sign_up = SignUp(
            id="sup_" + secrets.token_hex(8),
            address=address,
            hash=address_hash,
            origin=hash_network(key, network) if network else address_hash,
            wish=wish,
            at=now,
        )
        add_sign_up(connection, sign_up)


def show_request(database: Transactions, request_id: str, secret: str, now: datetime) -> Asked:
    """Return the wish of a request.

    Raises NotFoundError for a wrong secret or an expired request.
    """
    with database.read() as connection:
        request = _find_request(connection, request_id, secret, now)
        person = find_person(connection, request.hash)
        return Asked(request.wish, person is not None and person.confirmed_at is not None)


def confirm(
    database: Transactions, request_id: str, secret: str, now: datetime, shown: str = ""
) -> Confirmed:
    """Confirm a request; `shown` is the digest of the wish that the person has seen, if known.

    A person who already follows keeps the earlier choices, and the additions are followed too.
    Confirming again changes nothing. Raises NotFoundError for a wrong secret or an expired request,
    ConflictError if the wish has changed since it was shown. Anybody who knows an address can add
    to its request, and the person must not confirm what was never shown.
    """
    with database.write() as connection:
        request = _find_request(connection, request_id, secret, now, lock=True)
        found = find_person(connection, request.hash)
        person = found and lock_person(connection, found.endpoint_id)
        if person is None or person.left_at is not None:
            raise _unknown(request_id)
        if request.wish is None:
            return _confirmed(connection, person)
        if shown and shown != request.wish.digest:
            raise ConflictError("something was added to this request after it was shown")
        endpoint = load_endpoints(connection, [person.endpoint_id])[person.endpoint_id]
        _apply(connection, endpoint.require_readable(), person, request.wish, now)
        save_request(connection, replace(request, wish=None))
        message = person_message(WELCOME, request_id, now)
        add_delivery(connection, message, person.endpoint_id)
        notify_listeners(connection)
        return _confirmed(connection, person)


def _confirmed(connection: Connection, person: Person) -> Confirmed:
    page = make_links("", load_people_key(connection), person.endpoint_id).page
    return Confirmed(person.endpoint_id, page)


def _apply(
    connection: Connection, endpoint: Endpoint, person: Person, wish: Wish, now: datetime
) -> None:
    choices = wish.choices
    if person.confirmed_at is not None:
        follows = join_follows(endpoint.filters.follows, wish.follows)
        filters = endpoint.filters.model_copy(update={"follows": follows})
        lifecycle.change_endpoint(connection, replace(endpoint, filters=filters), now)
        return
    filters, options = filters_of(wish.follows, choices), options_of(choices)
    changed = replace(endpoint, filters=filters, options=options)
    lifecycle.change_endpoint(connection, changed, now)
    lifecycle.verify_endpoint(connection, endpoint.id, now)
    language, entries = choices.language, choices.entries
    save_person(connection, replace(person, language=language, entries=entries, confirmed_at=now))


def _find_request(
    connection: Connection, request_id: str, secret: str, now: datetime, *, lock: bool = False
) -> FollowRequest:
    key = find_people_key(connection)
    if key is None or not confirms(key, request_id, secret):
        raise _unknown(request_id)
    request = find_request(connection, request_id, lock=lock)
    if request is None or request.mailed_at + CONFIRM_WITHIN <= now:
        raise _unknown(request_id)
    return request


def _unknown(request_id: str) -> NotFoundError:
    return NotFoundError("request", request_id, "it has expired, or the link is wrong")
