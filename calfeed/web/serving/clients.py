"""Where a request comes from: the one rule by which limits know addresses."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address

# Some proxies write the client's port behind its address; IPv6 then stands in brackets.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")

_NETWORK_BITS = 64
"""How much of an IPv6 address is given to one customer; the rest of it they choose themselves."""


def client_address(peer: str, forwarded: str, proxies: int) -> str:
    """The address of a client behind this many proxies that are trusted.

    `peer` is the address that the connection comes from, `forwarded` is X-Forwarded-For, a list.
    Each proxy adds the address that it was reached from at the end, so the client is as many places
    from the right; what stands before it anybody can have made up. Where fewer addresses came, the
    request did not pass the proxies, and the client is the peer.
    """
    if not proxies:
        return peer
    addresses = [one.strip() for one in forwarded.split(",")]
    found = addresses[-proxies] if len(addresses) >= proxies else ""
    return without_port(found) or peer


def without_port(address: str) -> str:
    """An address without the port behind it, and without the brackets of IPv6."""
    found = _WITH_PORT.fullmatch(address)
    return address if found is None else found[1] or found[2]


def find_network(address: str) -> str:
    """The network of an address, by which all limits count; what is no address stands for itself.

    That is an IPv4 address, or the first 64 bits of an IPv6 address: one customer has so many of
    those that a limit for each address would limit nothing.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.is_loopback:
        return str(found)
    return str(IPv6Network((int(found), _NETWORK_BITS), strict=False))


def is_known(network: str, proxies: int) -> bool:
    """Whether a network, as `find_network` gives it, tells clients apart.

    Without a trusted proxy, this machine's own can be that of a proxy which stands for everybody.
    """
    if proxies:
        return True
    try:
        return not ip_address(network).is_loopback
    except ValueError:
        return True
