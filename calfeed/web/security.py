"""What browsers may do with our pages: load what is ours, and nothing from anywhere else."""

from __future__ import annotations

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
