"""Real reverse proxies with TLS in front of a site, configured by the files of `deploy/`."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.acceptance.site import until
from tests.delivery.receiver import make_certificate
from tests.patience import PATIENCE

PATH = "/dates"
"""The path of the files' example, which all of the site is below."""

_DEPLOY = Path(__file__).parents[2] / "deploy"
_UPSTREAM = "127.0.0.1:8000"

_NGINX = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/1;
    proxy_temp_path {folder}/2;
    fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4;
    scgi_temp_path {folder}/5;
    {inner}
}}
"""
_NGINX_HOST = """\
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        location = / {{ return 200 "another site"; }}
        {locations}
    }}
"""
_CADDY = """\
{{
    admin off
    auto_https disable_redirects
    storage file_system {folder}
    servers {{
        protocols h1 h2
    }}
}}
"""


def _configure_nginx(folder: Path, port: int, behind: Sequence[int], below: bool) -> list[str]:
    if below:
        locations = _read("nginx/below-a-path.conf").replace(_UPSTREAM, f"127.0.0.1:{behind[0]}")
        inner = _NGINX_HOST.format(folder=folder, port=port, locations=locations)
    else:
        inner = _replace(
            _read("nginx/calfeed.conf"),
            {
                f"    server {_UPSTREAM} max_fails=0;": "\n".join(
                    f"    server 127.0.0.1:{one} max_fails=0;" for one in behind
                ),
                "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
                "/etc/ssl/calendar.example.org.pem": f"{folder}/cert.pem",
                "/etc/ssl/calendar.example.org.key": f"{folder}/key.pem",
            },
        )
    # The user of the folder, where nginx keeps large bodies.
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=user, inner=inner))
    return ["-p", str(folder), "-e", f"{folder}/log", "-c", f"{folder}/nginx.conf"]


def _configure_caddy(folder: Path, port: int, behind: Sequence[int], below: bool) -> list[str]:
    name, host = ("below-a-path.Caddyfile", "") if below else ("Caddyfile", "calendar.")
    more = '\n    respond / "another site"' if below else ""
    text = _replace(
        _read(f"caddy/{name}").split("\n\n", 1)[1],
        {
            f"{host}example.org {{": f"https://127.0.0.1:{port} {{\n"
            f"    tls {folder}/cert.pem {folder}/key.pem{more}",
            f" {_UPSTREAM}": "".join(f" 127.0.0.1:{one}" for one in behind),
        },
    )
    (folder / "Caddyfile").write_text(_CADDY.format(folder=folder) + text)
    return ["run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


def _read(name: str) -> str:
    return (_DEPLOY / name).read_text("utf-8")


def _replace(text: str, places: Mapping[str, str]) -> str:
    """Replace what depends on the machine; each has to be there once."""
    for old, new in places.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


_CONFIGURE = {"nginx": _configure_nginx, "caddy": _configure_caddy}
KINDS = tuple(_CONFIGURE)


def _find(kind: str) -> str:
    """Return the program; skip the test where it is not installed, which fails under CI."""
    found = shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"there is no {kind}")
    assert found is not None, f"there is no {kind}"
    return found


@contextmanager
def proxied(
    kind: str, folder: Path, port: int, behind: Sequence[int], *, below: bool = False
) -> Iterator[Path]:
    """Run a proxy at a port, in front of web servers at other ports; yield its certificate.

    `below` a path of its host is the site, which then has another site at its root.
    """
    program = _find(kind)
    folder.mkdir()
    certificate, _ = make_certificate(folder)
    arguments = _CONFIGURE[kind](folder, port, behind, below)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [program, *arguments],
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: _answers(process, folder, certificate, port), f"{kind} to answer")
        yield certificate
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(process: subprocess.Popen[bytes], folder: Path, certificate: Path, port: int) -> bool:
    assert process.poll() is None, (folder / "output").read_text()
    trusting = ssl.create_default_context(cafile=certificate)
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1"),
    ):
        return True
    return False
