"""Where a request comes from, as limits need to know it: without keeping any address."""

from __future__ import annotations

import hmac
import secrets
from ipaddress import IPv6Address, ip_address

from flask import request

_KEY = secrets.token_bytes(16)
"""Another one in each process, so that the hash of a network tells nobody an address."""

_NETWORK_BITS = 64
"""How much of an IPv6 address is given to one customer; the rest of it they choose themselves."""


def name_network() -> str:
    """Name the network that the request at hand comes from, by a hash that ends with the process.

    That is an IPv4 address, or the first 64 bits of one of IPv6, of which one customer has so many
    that a limit for each would be none.
    """
    return hmac.digest(_KEY, find_network(request.remote_addr or "").encode(), "sha256").hex()


def find_network(address: str) -> str:
    """The network of an address; whatever is no address stands for itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{int(found) >> (128 - _NETWORK_BITS):x}::/{_NETWORK_BITS}"
