"""What browsers may do with our pages: load what is ours, and nothing from anywhere else."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from flask import Response, request

_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""The hash of nothing: FullCalendar makes an empty style element, and fills it through the CSSOM,
which no policy concerns."""

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


def secure(response: Response) -> Response:
    """Say with a response what it may load and who may frame it; only `/embed/` may be framed."""
    keep_here(response)
    policy = dict(_POLICY)
    if request.path.startswith("/embed/"):
        policy["frame-ancestors"] = "*"
    if request.args.get("view") == "month":
        policy["style-src"] += f" {_EMPTY_STYLE}"
        policy["font-src"] = "data:"  # its icons, which lie in its style
    text = "; ".join(f"{name} {values}" for name, values in policy.items())
    headers = response.headers
    headers.setdefault("Content-Security-Policy", text)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cache-Control", "no-cache")
    return response


def keep_here(response: Response) -> None:
    """Let a redirect lead to its path on this site, wherever the request's Host points to.

    Werkzeug makes the address of a missing slash from Host, which anybody may set.
    """
    if response.location:
        response.location = urlunsplit(("", "", *urlsplit(response.location)[2:]))
        response.set_data(b"")  # which has the address too
