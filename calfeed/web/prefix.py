"""The prefix: the path of the public URL, below which the whole site is; "" at a host's root.

Only the public URL contains it. A frontend removes it from each request (`path_within`), so
everything behind it sees paths as if the site were at the root. The backend passes the prefix on as
SCRIPT_NAME, and links and redirects add it again from there; absolute URLs begin with the public
URL.
"""

from __future__ import annotations

from urllib.parse import urlsplit

WELL_KNOWN = "/.well-known/caldav"
"""Where CalDAV clients look first (RFC 6764)."""

SECURITY = "/.well-known/security.txt"
"""Where to report a vulnerability (RFC 9116)."""

_AT_ROOT = frozenset({"/healthz", "/readyz", WELL_KNOWN, SECURITY})
"""Paths that also exist without the prefix.

Probes know only a port, and RFC 8615 puts `/.well-known/` at the root of a host.
"""


def prefix_of(base_url: str) -> str:
    """Return the prefix of a site by its URL: "/dates" for https://example.org/dates."""
    return urlsplit(base_url).path.rstrip("/")


def path_within(prefix: str, path: str) -> str | None:
    """Return the path of a request without the prefix; None if it is not below the prefix.

    For the prefix without a slash after it, the path is "", which Flask redirects.
    """
    if not prefix or path in _AT_ROOT:
        return path
    below = path.removeprefix(prefix)
    return below if below != path and below[:1] in ("", "/") else None
