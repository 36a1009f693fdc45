"""Security headers: Content-Security-Policy, HSTS; and redirects that stay on this site."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, current_app, request

from calfeed.web.published.responses import hsts_headers

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


_BASE_URL = "CALFEED_BASE_URL"


def keep_redirects_local(app: Flask, base_url: str) -> None:
    """Add HSTS to all responses of an application, and keep its redirects on this site."""
    app.config[_BASE_URL] = base_url
    app.after_request(_make_redirect_local)


def set_security_headers(response: Response) -> Response:
    """Set what a page may load and who may frame it; only `/embed/` may be framed."""
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


def _make_redirect_local(response: Response) -> Response:
    """Reduce the Location of a redirect to its path and query.

    Werkzeug builds the Location from the Host header, which clients control. A path that begins
    with two slashes would name another host.
    """
    response.headers.extend(hsts_headers(current_app.config[_BASE_URL]))
    if response.location and 300 <= response.status_code < 400:
        _, _, path, *rest = urlsplit(response.location)
        response.location = urlunsplit(("", "", "/" + path.lstrip("/\\"), *rest))
        response.set_data(b"")  # the body contains the whole URL too
    return response
