"""The guard against posting into private networks (server-side request forgery, SSRF).

An endpoint's URL comes from whoever may add one, so where it leads is not to be trusted. The
form of the URL is checked once, when it is given; the address is checked for every connection,
when it is about to be used (see `sender`), because a name can point elsewhere by then.

The networks are listed here: `ipaddress.is_global` differs between Python releases, and calls
NAT64, 6to4 and multicast addresses global that lead into private networks.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

import pycurl

from calfeed.errors import InvalidInputError

_LONGEST_URL = 2048
_PORTS = {"http": 80, "https": 443}

# The first network that holds an address names it, so the narrower ones come first.
_REFUSED = [
    (ip_network(network), words)
    for network, words in (
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
_UNICAST_V6 = ip_network("2000::/3")  # all that is given out so far; the rest is reserved

# A first path segment that is a word ("hooks", "api-v2"), so surely no token.
_WORD = re.compile(r"(?=.{1,16}$)[A-Za-z_-]+\d{0,2}")


def refuse_address(address: str) -> str | None:
    """Say why an IP address is not posted to ("private", "multicast"); None where it may be.

    An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) is judged by the IPv4 address in it. What
    is no IP address is refused.
    """
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return "not an IP address"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    for network, words in _REFUSED:
        if ip in network:
            return words
    return "reserved" if isinstance(ip, IPv6Address) and ip not in _UNICAST_V6 else None


class UrlRules(NamedTuple):
    """Which URLs endpoints may have, by the settings: the arguments of `check_url`."""

    allow_private: bool = False
    https_only: bool = False


PUBLIC_ONLY = UrlRules()
"""The rules where the settings allow nothing more."""


def check_url(url: str, allow_private: bool, https_only: bool = False) -> str:
    """Return an endpoint's URL in its one normal form, or raise InvalidInputError.

    The URL is read by libcurl's own parser, so that what is checked is what will be connected to:
    `http://2130706433` is 127.0.0.1 to both. Host names are lower case and in their ASCII form.
    With `allow_private` any port and any address will do, otherwise ports 80 and 443 and no
    address that `refuse_address` refuses; a name is judged when it is connected to. With
    `https_only` http is refused.
    """
    if len(url) > _LONGEST_URL:
        raise InvalidInputError(f"the URL is longer than {_LONGEST_URL} characters")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise InvalidInputError("the URL has white space or control characters in it")
    if "#" in url:
        raise InvalidInputError("the URL has a fragment (#...), which is never sent; leave it out")
    parts = _read(url)
    if parts.user is not None or parts.password is not None:
        raise InvalidInputError("the URL has a user name or password in it; leave them out")
    if parts.scheme not in _PORTS:
        raise InvalidInputError(
            f"the URL has to begin with https:// or http://, not {parts.scheme}:"
        )
    if https_only and parts.scheme != "https":
        raise InvalidInputError(
            "the URL has to begin with https://, as CALFEED_HTTPS_ENDPOINTS_ONLY is set: over "
            "http: anybody on the way can read what is sent"
        )
    host = _to_ascii(parts.host)
    if host != parts.host:  # setting it would take an IPv6 address's zone away
        parts.host = host
    parts = _read(parts.url)  # once more: what was not ASCII may have been digits
    normal: str = parts.getpart(pycurl.UPART_URL, pycurl.U_NO_DEFAULT_PORT)
    if len(normal) > _LONGEST_URL:
        raise InvalidInputError(f"the URL is longer than {_LONGEST_URL} characters when encoded")
    if parts.port == "0":
        raise InvalidInputError("the URL has port 0, which nothing can listen on")
    if not allow_private:
        _refuse_private(parts.host, int(parts.port or _PORTS[parts.scheme]))
    return normal


def _read(url: str) -> Any:
    """Parse a URL into a pycurl.CurlUrl; the error repeats none of it, as it can hold a token."""
    try:
        return pycurl.CurlUrl(url.encode(), pycurl.U_NON_SUPPORT_SCHEME | pycurl.U_URLENCODE)
    except (pycurl.error, UnicodeEncodeError) as error:
        words = str(error.args[-1]) if isinstance(error, pycurl.error) else "Not valid Unicode"
        raise InvalidInputError(
            f"this is no URL that can be posted to ({words[:1].lower()}{words[1:]}); one looks "
            "like https://example.org/hooks"
        ) from error


def _to_ascii(host: str) -> str:
    """Lower a host name's case and put it into its ASCII form (IDNA, RFC 3490)."""
    try:
        # The two versions of IDNA lead to different hosts for names with these letters.
        if not host.isascii() and not set("ßς").isdisjoint(host):
            raise UnicodeError("ambiguous")
        return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()
    except UnicodeError as error:
        raise InvalidInputError(
            "the host name has letters that cannot be read in one way only; write it in its ASCII "
            "form (xn--...)"
        ) from error


def _refuse_private(host: str, port: int) -> None:
    if port not in _PORTS.values():
        raise InvalidInputError(
            f"port {port} is not posted to, only 80 and 443; CALFEED_ALLOW_PRIVATE_ENDPOINTS "
            "allows every port and address"
        )
    literal = host.strip("[]")
    reason = refuse_address(literal)
    if reason is not None and reason != "not an IP address":
        raise InvalidInputError(refusal(literal, reason))


def refusal(address: str, reason: str) -> str:
    """Say for people that an address is refused, why, and what allows it."""
    return (
        f"address {address} is {reason}; CALFEED_ALLOW_PRIVATE_ENDPOINTS allows posting to such "
        "addresses"
    )


def show_url(url: str) -> str:
    """Shorten a URL to what is safe to log: scheme, host, port and a first path segment.

    Tokens hide in user names, paths and queries, so those become "…"; so does a first segment
    that is no plain word, and a whole URL that cannot be read.
    """
    try:
        parts = _read(url)
    except InvalidInputError:
        return "…"
    port = f":{parts.port}" if parts.port else ""
    segment, _, rest = (parts.path or "/")[1:].partition("/")
    path = "/" + (segment if not segment or _WORD.fullmatch(segment) else "…")
    if rest and not path.endswith("…"):
        path += "/…"
    return f"{parts.scheme}://{parts.host}{port}{path}{'?…' if parts.query else ''}"
