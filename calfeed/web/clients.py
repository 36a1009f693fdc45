"""Where a request comes from: the one rule by which limits know addresses."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address


def client_address(peer: str, forwarded: Iterable[str], proxies: int) -> str:
    """The address of a client behind this many proxies that are trusted.

    `peer` is the address that the connection comes from, `forwarded` are the values of
    X-Forwarded-For. Each proxy adds the address that it was reached from at the end, so the client
    is as many places from the right; what stands before it anybody can have made up. Where fewer
    addresses came, the request did not pass the proxies, and the client is the peer.
    """
    if not proxies:
        return peer
    addresses = [one.strip() for value in forwarded for one in value.split(",")]
    found = addresses[-proxies] if len(addresses) >= proxies else ""
    return found or peer


def is_known(address: str, proxies: int) -> bool:
    """Whether an address tells clients apart.

    Without a trusted proxy, this machine's own can be that of a proxy which stands for everybody.
    """
    if proxies:
        return True
    try:
        return not ip_address(address).is_loopback
    except ValueError:
        return True
