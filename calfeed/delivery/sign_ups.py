"""Turn sign-ups into requests; each address gets at most one mail a day, in fair order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from calfeed.model.states import EndpointKind, EndpointState
from calfeed.reminders.filters import Filters
from calfeed.reminders.following.choices import Wish
from calfeed.reminders.following.limits import Waiting, choose_mails
from calfeed.reminders.following.messages import CONFIRM, KNOWN, person_message
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint, load_endpoints, save_endpoint
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.people import requests as store
from calfeed.store.people.changes import add_person, save_person
from calfeed.store.people.records import SCHEME, Person, find_person
from calfeed.store.people.requests import FollowRequest, SignUp, SignUpKey

MAIL_INTERVAL = timedelta(days=1)
"""The minimum time between two mails to an address about sign-ups."""

CONFIRM_WITHIN = timedelta(days=2)
"""How long a request can be confirmed after it was mailed; then the whole request is deleted."""

WORDING = "2026-12"
"""The version of the texts that people see when they sign up, stored as proof of consent.

Change it whenever the meaning of these texts changes.
"""

_LOOK_AGAIN = timedelta(seconds=5)
"""How long sign-ups that were over a limit wait before the next check."""

_UNREADABLE_DELAY = timedelta(minutes=1)
"""How long sign-ups whose encryption key is missing wait before the next check."""

_BATCH_SIZE = 500
"""The maximum number of sign-ups that join requests in one transaction."""


def admit_sign_ups(database: Database, now: datetime) -> bool:
    """Turn sign-ups into requests, and mail their addresses; return whether more can join now.

    A sign-up joins the request of its address that waits for its confirmation. If the address was
    mailed a request within the last day and has confirmed it, or if the limits are reached, the
    sign-up waits.
    """
    with database.write() as connection:
        ready = store.lock_sign_ups(connection, now)
        if not ready:
            return False
        known = store.load_requests(connection, now)
        joining: list[SignUpKey] = []
        mailable: list[SignUpKey] = []
        too_soon: dict[datetime, list[str]] = {}
        for one in ready:
            request = known.get(one.hash)
            if request is None or request.mailed_at + MAIL_INTERVAL <= now:
                mailable.append(one)
            elif request.wish is not None:
                joining.append(one)
            else:
                too_soon.setdefault(request.mailed_at + MAIL_INTERVAL, []).append(one.id)
        waiting = [Waiting(one.hash, one.origin, one.at) for one in mailable]
        chosen = choose_mails(waiting, store.count_sent(connection, now))
        mailed = {one.address_hash for one in chosen}
        too_soon[now + _LOOK_AGAIN] = [one.id for one in mailable if one.hash not in mailed]
        for until, ids in too_soon.items():
            store.put_off(connection, ids, until)
        first = [one for one in mailable if one.hash in mailed]
        _settle(connection, [*first, *joining[:_BATCH_SIZE]], known, mailed, now)
        return len(joining) > _BATCH_SIZE


def _settle(
    connection: Connection,
    settled: Sequence[SignUpKey],
    known: Mapping[str, FollowRequest],
    mailed: set[str],
    now: datetime,
) -> None:
    """Add sign-ups to the request of their address, and mail the addresses in `mailed`."""
    by_address: dict[str, list[SignUp]] = {}
    found = store.load_sign_ups(connection, [one.id for one in settled])
    for sign_up in found:
        by_address.setdefault(sign_up.hash, []).append(sign_up)
    for address_hash, group in by_address.items():
        former = known.get(address_hash)
        wish = _join([former.wish] if former and former.wish else [], group)
        if address_hash in mailed:
            is_open = former is not None and former.wish is not None
            request_id = former.id if former and is_open else "req_" + secrets.token_hex(8)
            _mail(connection, request_id, group[0], wish, now)
            origin, mailed_at = group[0].origin, now
        else:
            assert former is not None
            request_id, origin, mailed_at = former.id, former.origin, former.mailed_at
        request = FollowRequest(request_id, address_hash, origin, wish, mailed_at)
        store.save_request(connection, request)
    store.delete_sign_ups(connection, [one.id for one in found])
    unreadable = {one.id for one in settled} - {one.id for one in found}
    store.put_off(connection, unreadable, now + _UNREADABLE_DELAY)


def _join(former: Sequence[Wish], group: Sequence[SignUp]) -> Wish:
    first, *others = [*former, *(sign_up.wish for sign_up in group)]
    for wish in others:
        first = first.join(wish)
    return first


def _mail(
    connection: Connection, request_id: str, sign_up: SignUp, wish: Wish, now: datetime
) -> None:
    """Send the mail that asks for the confirmation of a request."""
    person = find_person(connection, sign_up.hash)
    if person is None:
        person = _add_person(connection, sign_up, wish)
    elif person.confirmed_at is None:
        person = replace(person, language=wish.choices.language)
        save_person(connection, person)
        endpoint = load_endpoints(connection, [person.endpoint_id])[person.endpoint_id]
        filters = Filters(public_only=True, follows=wish.follows)
        if endpoint.lost is None:
            save_endpoint(connection, replace(endpoint, filters=filters))
    kind = CONFIRM if person.confirmed_at is None else KNOWN
    message = person_message(kind, request_id, now, now + CONFIRM_WITHIN)
    add_delivery(connection, message, person.endpoint_id)


def _add_person(connection: Connection, sign_up: SignUp, wish: Wish) -> Person:
    """Add a person whose address is not confirmed yet.

    The filters are stored already, because the mail that asks for the confirmation lists what they
    name. No other mail is sent before the confirmation.
    """
    endpoint = Endpoint(
        id="per_" + secrets.token_hex(8),
        url=SCHEME + sign_up.address,
        filters=Filters(public_only=True, follows=wish.follows),
        secret="",
        created=sign_up.at,
        state=EndpointState.UNVERIFIED,
        kind=EndpointKind.MAIL,
    )
    add_endpoint(connection, endpoint)
    language, entries = wish.choices.language, wish.choices.entries
    person = Person(endpoint.id, sign_up.hash, language, entries, WORDING, sign_up.at)
    add_person(connection, person)
    return person
