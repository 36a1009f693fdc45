"""The address of a client, and its network; rate limits are per network."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address

# Some proxies append the client's port; IPv6 addresses are then in brackets.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")

_NETWORK_BITS = 64
"""The length of the prefix of an IPv6 address that a provider assigns to one customer."""


def client_address(peer: str, forwarded: str, proxies: int) -> str:
    """Return the address of a client behind a number of trusted proxies.

    `peer` is the remote address of the connection, `forwarded` the value of X-Forwarded-For. Each
    of n proxies appends the address from which it was reached, so the client's address is the n-th
    from the right; a client can forge all entries to the left of it. With fewer entries, the
    request did not pass through the proxies, and the client is the peer.
    """
    if not proxies:
        return peer
    addresses = [address.strip() for address in forwarded.split(",")]
    client = addresses[-proxies] if len(addresses) >= proxies else ""
    return without_port(client) or peer


def count_forwarded(forwarded: str) -> int:
    """Return how many addresses a value of X-Forwarded-For has."""
    return len([address for address in forwarded.split(",") if address.strip()])


def without_port(address: str) -> str:
    """Return an address without its port and without the brackets of IPv6."""
    match = _WITH_PORT.fullmatch(address)
    return address if match is None else match[1] or match[2]


def find_network(address: str, bits: int = _NETWORK_BITS) -> str:
    """Return the network of an address; all rate limits are per network.

    It is the whole address for IPv4, and the network of the first `bits` bits for IPv6, because one
    customer has too many IPv6 addresses to limit each of them. Text that is no address is returned
    unchanged.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if parsed.is_loopback:
        return str(parsed)
    return str(IPv6Network((int(parsed), bits), strict=False))


def identifies_client(network: str, proxies: int) -> bool:
    """Check whether a network from `find_network` distinguishes clients.

    If no trusted proxy is configured, a loopback address may be that of a proxy through which all
    clients connect.
    """
    if proxies:
        return True
    try:
        return not ip_address(network).is_loopback
    except ValueError:
        return True
