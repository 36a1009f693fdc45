"""The console of a running `calfeed serve`, with its two web processes."""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

from tests.acceptance.site import Site
from tests.patience import PATIENCE


class Browser:
    """Keeps cookies and follows redirects."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.page = ""

    def open(self, address: str, **fields: str) -> str:
        """Open an address, or send it the form of the page that is open."""
        data = None
        if fields:
            found = re.search(r'name="form_token" value="([^"]+)"', self.page)
            fields["form_token"] = found[1] if found else ""
            data = urllib.parse.urlencode(fields).encode()
        url = urllib.parse.urljoin(self._site.url, address)
        with self._opener.open(url, data, timeout=PATIENCE) as response:
            self.page = response.read().decode()
        return self.page


def test_serve_prints_a_link_that_signs_in_once_and_a_token_for_every_process(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path / "site")
    with site.serving() as serve:
        link = re.search(r"http\S+/console/enter\?once=(\S+)", serve.output)
        token = re.search(r"^token +(\S+)$", serve.output, re.MULTILINE)
        assert link
        assert token
        first, second = Browser(site), Browser(site)
        first.open(link[0])
        assert "Next reminders" in first.open("/console/enter", once=link[1])
        for _ in range(10):  # whichever process answers
            assert "Next reminders" in first.open("/console/")
        second.open(link[0])
        assert "already used" in second.open("/console/enter", once=link[1])
        assert "Next reminders" in second.open("/console/sign-in", token=token[1])
        assert token[1] not in serve.errors


def test_a_token_that_was_set_is_not_printed_and_signs_in(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    token = "a-token-that-nobody-guesses"
    with site.serving(environment={"CALFEED_ADMIN_TOKEN": token}) as serve:
        browser = Browser(site)
        browser.open("/console/sign-in")
        assert "Next reminders" in browser.open("/console/sign-in", token=token)
        assert token not in serve.everything
