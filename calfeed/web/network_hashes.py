"""Hashes of client networks, so that rate limits need not store addresses."""

from __future__ import annotations

import hmac
import secrets

from flask import request

from calfeed.web.serving.client_addresses import find_network

_KEY = secrets.token_bytes(16)
"""Random for each process, so that hashes cannot be reversed later."""


def hash_client_network() -> str:
    """Return a hash of the current client's network (see `find_network`)."""
    return hmac.digest(_KEY, find_network(request.remote_addr or "").encode(), "sha256").hex()
