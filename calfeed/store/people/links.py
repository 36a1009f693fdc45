"""Links in mails: to a person's own page, to leave, and to confirm.

Each has a secret part, which is a signature and is not stored. Everybody who has the link may use
it.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from calfeed.store.people.records import sign_link

PREFIX = "/follow"
"""The path prefix of the pages for people who follow dates."""

_PAGE = "page"
_CONFIRM = "confirm"


class PersonLinks(NamedTuple):
    """The links of a person: the own page, and the URL for one-click unsubscribe (RFC 8058)."""

    page: str
    leave: str


def make_links(base_url: str, key: bytes, endpoint_id: str) -> PersonLinks:
    """Make the links of a person; `key` is from `load_people_key`."""
    page = f"{base_url}{PREFIX}/{endpoint_id}/{sign_link(key, _PAGE, endpoint_id)}/"
    return PersonLinks(page, page + "leave")


def confirm_link(base_url: str, key: bytes, request_id: str) -> str:
    """Make the link that confirms a request to follow."""
    return f"{base_url}{PREFIX}/confirm/{request_id}/{sign_link(key, _CONFIRM, request_id)}"


def opens_page(key: bytes, endpoint_id: str, secret: str) -> bool:
    """Whether a secret belongs to the links of this person."""
    return _is_signed(key, _PAGE, endpoint_id, secret)


def confirms(key: bytes, request_id: str, secret: str) -> bool:
    """Whether a secret belongs to the link that confirms this request."""
    return _is_signed(key, _CONFIRM, request_id, secret)


def _is_signed(key: bytes, purpose: str, subject: str, secret: str) -> bool:
    expected = sign_link(key, purpose, subject)
    return hmac.compare_digest(expected.encode(), secret.encode("utf-8", "replace"))
