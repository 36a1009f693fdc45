"""The address guard (SSRF): URL checks, and the addresses that requests must not be sent to.

The URL of an endpoint is untrusted. Its form is checked once, when it is added. The address is
checked at connect time (see `transfer`), because a name may resolve to another one by then.

The networks are listed here because `ipaddress.is_global` differs between Python releases, and is
true for NAT64, 6to4 and multicast addresses that lead into private networks.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

import pycurl

from calfeed.errors import InvalidInputError
from calfeed.reminders.endpoint_values import POLLED

_MAX_URL_LENGTH = 2048
_PORTS = {"http": 80, "https": 443}

# The first match gives the reason, so narrower networks come first.
_REFUSED_NETWORKS = [
    (ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "this machine itself"),
        ("127.0.0.0/8", "a loopback address"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("100.64.0.0/10", "private (shared by a provider's customers)"),
        ("168.63.129.16/32", "a cloud provider's internal service"),
        ("169.254.0.0/16", "link-local (cloud metadata among others)"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documentation only"),
        ("198.51.100.0/24", "for documentation only"),
        ("203.0.113.0/24", "for documentation only"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("198.18.0.0/15", "for benchmarks only"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/128", "this machine itself"),
        ("::1/128", "a loopback address"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a NAT64 address"),
        ("::/8", "reserved"),
        ("2001::/32", "a Teredo address"),
        ("2001:db8::/32", "for documentation only"),
        ("2001::/23", "reserved for protocols"),
        ("2002::/16", "a 6to4 address"),
        ("3fff::/20", "for documentation only"),
        ("5f00::/16", "reserved for segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private (site-local)"),
        ("ff00::/8", "multicast"),
    )
]
_GLOBAL_UNICAST_V6 = ip_network("2000::/3")  # all that is assigned; the rest is reserved

# A first path segment that is a plain word ("hooks", "api-v2") cannot be a token.
_WORD = re.compile(r"(?=.{1,16}$)[A-Za-z_-]+\d{0,2}")


def find_refusal(address: str) -> str | None:
    """Return why requests must not be sent to an IP address ("private"); None if they may be sent.

    An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) is checked as IPv4. Anything that is not
    an IP address is refused.
    """
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an IP address"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    for network, reason in _REFUSED_NETWORKS:
        if ip in network:
            return reason
    return "reserved" if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST_V6 else None


class UrlRules(NamedTuple):
    """The URLs that the settings allow for endpoints, as arguments of `check_url`."""

    allow_private: bool = False
    https_only: bool = False


PUBLIC_ONLY = UrlRules()
"""The rules of the default settings."""


def check_url(url: str, allow_private: bool, https_only: bool = False) -> str:
    """Return an endpoint's URL in normal form, or raise InvalidInputError.

    libcurl's own parser reads the URL, so that the check sees the host that libcurl connects to:
    `http://2130706433` is 127.0.0.1 to both. Host names become lower case and ASCII. Without
    `allow_private` only ports 80 and 443 are allowed, and no address that `find_refusal` refuses;
    names are checked at connect time. With `https_only` http is refused.
    """
    if len(url) > _MAX_URL_LENGTH:
        raise InvalidInputError(f"the URL is longer than {_MAX_URL_LENGTH} characters")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise InvalidInputError("the URL contains white space or control characters")
    if "#" in url:
        raise InvalidInputError("the URL has a fragment (#...), which is never sent; leave it out")
    parts = _parse(url)
    if parts.user is not None or parts.password is not None:
        raise InvalidInputError("the URL contains a user name or password; leave them out")
    if parts.scheme not in _PORTS:
        raise InvalidInputError(f"the URL must begin with https:// or http://, not {parts.scheme}:")
    if https_only and parts.scheme != "https":
        raise InvalidInputError(
            "the URL must begin with https://, because CALFEED_HTTPS_ENDPOINTS_ONLY is set: "
            "messages sent over http can be read on their way"
        )
    host = _to_ascii(parts.host)
    if host != parts.host:  # assigning an unchanged host would drop the zone of an IPv6 address
        parts.host = host
    parts = _parse(parts.url)  # check again, because non-ASCII digits may have become an address
    normal: str = parts.getpart(pycurl.UPART_URL, pycurl.U_NO_DEFAULT_PORT)
    if len(normal) > _MAX_URL_LENGTH:
        raise InvalidInputError(f"the URL is longer than {_MAX_URL_LENGTH} characters when encoded")
    if parts.port == "0":
        raise InvalidInputError("the URL has port 0, which nothing can listen on")
    if not allow_private:
        _refuse_private(parts.host, int(parts.port or _PORTS[parts.scheme]))
    return normal


def _parse(url: str) -> Any:
    """Parse a URL into a pycurl.CurlUrl; the error leaves it out, as it can contain a token."""
    try:
        return pycurl.CurlUrl(url.encode(), pycurl.U_NON_SUPPORT_SCHEME | pycurl.U_URLENCODE)
    except (pycurl.error, UnicodeEncodeError) as error:
        reason = str(error.args[-1]) if isinstance(error, pycurl.error) else "Not valid Unicode"
        raise InvalidInputError(
            f"this is not a valid URL ({reason[:1].lower()}{reason[1:]}); write one like "
            "https://example.org/hooks"
        ) from error


def _to_ascii(host: str) -> str:
    """Convert a host name to lower case and its ASCII form (IDNA, RFC 3490)."""
    try:
        # The two versions of IDNA give different hosts for names with these letters.
        if not host.isascii() and not set("ßς").isdisjoint(host):
            raise UnicodeError("ambiguous")
        return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
    except UnicodeError as error:
        raise InvalidInputError(
            "the host name has ambiguous letters; write it in its ASCII form (xn--...)"
        ) from error


def _refuse_private(host: str, port: int) -> None:
    if port not in _PORTS.values():
        raise InvalidInputError(
            f"port {port} is not allowed, only 80 and 443; CALFEED_ALLOW_PRIVATE_ENDPOINTS allows "
            "every port and address"
        )
    literal = host.strip("[]")
    reason = find_refusal(literal)
    if reason is not None and reason != "not an IP address":
        raise InvalidInputError(format_refusal(literal, reason))


def format_refusal(address: str, reason: str) -> str:
    """The error text for a refused address."""
    return (
        f"address {address} is {reason}; CALFEED_ALLOW_PRIVATE_ENDPOINTS allows sending to such "
        "addresses"
    )


def show_url(url: str) -> str:
    """Shorten a URL to the parts that are safe to log: scheme, host, port, first path segment.

    Everything that can contain a token becomes "…": user names, other path segments and queries,
    a first segment that is not a plain word, and a URL that cannot be parsed.
    """
    if url == POLLED:
        return url
    try:
        parts = _parse(url)
    except InvalidInputError:
        return "…"
    port = f":{parts.port}" if parts.port else ""
    segment, _, rest = (parts.path or "/")[1:].partition("/")
    path = "/" + (segment if not segment or _WORD.fullmatch(segment) else "…")
    if rest and not path.endswith("…"):
        path += "/…"
    return f"{parts.scheme}://{parts.host}{port}{path}{'?…' if parts.query else ''}"
