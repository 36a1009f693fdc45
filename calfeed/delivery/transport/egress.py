"""How every request leaves: by which protocols, trusting whom, through which proxy."""

from __future__ import annotations

from pathlib import Path
from ssl import get_default_verify_paths
from typing import Any

import pycurl

_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


def make_options(proxy: str | None = None, ca_file: str | None = None) -> dict[int, Any]:
    """Make libcurl's options, by number, that hold for all that calfeed posts or fetches.

    Only http and https; no redirect is followed. `proxy` (a URL; http, https or socks5h) connects
    where there is one, and the environment's proxies are ignored. `ca_file` (PEM) replaces the
    system's certificate authorities, for servers and for the proxy.
    """
    options: dict[int, Any] = {
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: proxy or "",  # "" keeps libcurl from reading http_proxy
        pycurl.NOPROXY: "",  # and this from reading no_proxy
        pycurl.NOSIGNAL: 1,
    }
    if ca_file := ca_file or _find_ca_file():
        options[pycurl.CAINFO] = options[pycurl.PROXY_CAINFO] = ca_file
    return options


def _find_ca_file() -> str | None:
    """The system's certificate authorities: a wheel's libcurl knows only where its builder's are.

    Python's own answer comes first, so that SSL_CERT_FILE is heeded.
    """
    files = (get_default_verify_paths().cafile, *_CA_FILES)
    return next((file for file in files if file and Path(file).is_file()), None)
