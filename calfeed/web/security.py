"""What browsers may do with our pages: load what is ours, and nothing from anywhere else.

And how they come to us: to the path that they asked for, and over https where we are reached so.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, current_app, request

from calfeed.web.published.responses import transport_headers

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


_BASE_URL = "CALFEED_BASE_URL"


def stay_at(app: Flask, base_url: str) -> None:
    """Let every response of an application keep browsers at its address."""
    app.config[_BASE_URL] = base_url
    app.after_request(_keep_here)


def secure(response: Response) -> Response:
    """Say with a response what it may load and who may frame it; only `/embed/` may be framed."""
    policy = dict(_POLICY)
    if request.path.startswith("/embed/"):
        policy["frame-ancestors"] = "*"
    text = "; ".join(f"{name} {values}" for name, values in policy.items())
    headers = response.headers
    headers.setdefault("Content-Security-Policy", text)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cache-Control", "no-cache")
    return response


def _keep_here(response: Response) -> Response:
    """Let a redirect lead to its path on this site, wherever the request's Host points to.

    Werkzeug makes the address of a missing slash from Host, which anybody may set. A path that
    begins with two slashes would be another host's.
    """
    response.headers.extend(transport_headers(current_app.config[_BASE_URL]))
    if response.location:
        _, _, path, *rest = urlsplit(response.location)
        response.location = urlunsplit(("", "", "/" + path.lstrip("/\\"), *rest))
        response.set_data(b"")  # which has the address too
    return response
