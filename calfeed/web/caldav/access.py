"""Authentication: none, or the token of a private calendar as a password (RFC 7617)."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from flask import Response, request

from calfeed.store.access.tokens import digest_token
from calfeed.web.published.snapshot import Snapshot

PUBLIC_USER = "public"
"""The user name for apps that require a login; every password is accepted with it."""


class LoginRequiredError(Exception):
    """The request has no token, or one that is not valid."""

    def make_response(self, host: str) -> Response:
        """Make the 401 response; its realm is the host of the site.

        Apps show the realm, and store passwords by it. A host name needs no translation, and does
        not change.
        """
        text = (
            "A private calendar needs its token as the password; the user name does not matter. "
            f"For public calendars only, the user name is {PUBLIC_USER}.\n"
        )
        response = Response(text, HTTPStatus.UNAUTHORIZED, content_type="text/plain; charset=utf-8")
        response.headers["WWW-Authenticate"] = f'Basic realm="{host}", charset="UTF-8"'
        return response


def find_private(snapshot: Snapshot, now: datetime, *, required: bool) -> frozenset[str]:
    """Return the private calendars (slugs) that the current request may read.

    Raises LoginRequiredError if the request has a token that is not valid, or if it has none
    although one is `required`.
    """
    given = request.headers.get("Authorization")
    login = request.authorization
    if given is None:
        if required:
            raise LoginRequiredError
        return frozenset()
    if login is None or login.type != "basic":
        raise LoginRequiredError
    # Looked up by a hash, so the timing does not depend on the token.
    token = snapshot.tokens.get(digest_token(login.password or ""))
    valid = token is not None and token.revoked is None and not token.is_expired(now)
    if token is None or not valid or token.calendar is None:
        if login.username == PUBLIC_USER and not required:
            return frozenset()
        raise LoginRequiredError
    slug = snapshot.renamed.get(token.calendar, token.calendar)
    found = snapshot.all_calendars.get(slug)
    return frozenset() if found is None or found.public else frozenset({slug})
