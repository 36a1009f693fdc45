"""The libcurl options of all outgoing requests: protocols, certificate authorities, proxy."""

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
    """Make the libcurl options, by number, for all requests of calfeed.

    Only http and https are allowed, and redirects are not followed. `proxy` is a URL (http, https
    or socks5h); proxies of the environment are ignored. `ca_file` (PEM) replaces the system's
    certificate authorities, for servers and for the proxy.
    """
    options: dict[int, Any] = {
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROXY: proxy or "",  # "" makes libcurl ignore http_proxy
        pycurl.NOPROXY: "",  # ignore no_proxy
        pycurl.NOSIGNAL: 1,
    }
    if ca_file := ca_file or _find_ca_file():
        options[pycurl.CAINFO] = options[pycurl.PROXY_CAINFO] = ca_file
    return options


def _find_ca_file() -> str | None:
    """Find the system's certificate authorities.

    The libcurl in a wheel has the path of the machine that built it. Python's default, which
    respects SSL_CERT_FILE, comes first.
    """
    files = (get_default_verify_paths().cafile, *_CA_FILES)
    return next((file for file in files if file and Path(file).is_file()), None)
