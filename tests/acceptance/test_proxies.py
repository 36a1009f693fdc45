"""The files for nginx and Caddy in `deploy/`, as they stand, in front of two web servers."""

from __future__ import annotations

import ssl
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.proxies import KINDS, proxied
from tests.acceptance.site import Site, until
from tests.delivery.receiver import needs_openssl
from tests.patience import PATIENCE
from tests.ports import free_port

pytestmark = needs_openssl


@pytest.mark.parametrize("kind", KINDS)
def test_no_request_fails_while_one_of_two_web_servers_is_down(
    site: Site, kind: str, tmp_path: Path
) -> None:
    """Whichever it is; and the address of the client is the last one that calfeed is told."""
    port, ports = free_port(), (site.port, free_port())
    url = f"https://127.0.0.1:{port}"
    site.environment |= {"CALFEED_PUBLIC_URL": url, "CALFEED_TRUSTED_PROXIES": "1"}
    site.do("publish")

    def serves(number: int) -> bool:
        try:
            return site.get("/healthz", number)[0] == b"ok\n"
        except OSError:
            return False

    with (
        site.running("web", environment={"CALFEED_PORT": str(ports[0])}) as one,
        site.running("web", environment={"CALFEED_PORT": str(ports[1])}) as other,
        proxied(kind, tmp_path / "proxy", port, ports) as certificate,
    ):
        until(lambda: all(map(serves, ports)), "both to respond")
        trusting = ssl.create_default_context(cafile=certificate)

        def get(path: str) -> tuple[bytes, str]:
            with urllib.request.urlopen(url + path, timeout=PATIENCE, context=trusting) as got:
                return got.read(), str(got.headers["Calfeed-Forwarded"])

        feed = get("/calendars.ics")[0]
        assert f"SOURCE;VALUE=URI:{url}/calendars.ics".encode() in feed
        assert get("/readyz")[1] == "1"
        one.kill_group()
        assert [get("/calendars.ics")[0] for _ in range(10)] == [feed] * 10
        with site.running("web", environment={"CALFEED_PORT": str(ports[0])}):
            until(lambda: serves(ports[0]), "the first to respond again")
            other.kill_group()
            assert [get("/calendars.ics")[0] for _ in range(10)] == [feed] * 10
