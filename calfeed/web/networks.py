"""Which network the current request comes from, for the limits of the applications.

No address is kept for that.
"""

from __future__ import annotations

import hmac
import secrets

from flask import request

from calfeed.web.serving.clients import find_network

_KEY = secrets.token_bytes(16)
"""Another one in each process, so that nobody can find the address of a hash later."""


def name_network() -> str:
    """Name the network that the current request comes from, by a hash that ends with the process.

    The network is that of `find_network`.
    """
    return hmac.digest(_KEY, find_network(request.remote_addr or "").encode(), "sha256").hex()
