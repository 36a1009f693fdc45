"""A visitor of a site over TLS, who follows each link and notes what leads out of the site."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urljoin, urlsplit
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

from tests.patience import PATIENCE

_LINKS = ("href", "src")
_OTHERS = ("action", "formaction", "poster", "srcset", "cite")


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: where each leads has to be looked at."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Answer:
    """What was answered; `text` is without the folds of iCalendar."""

    url: str
    status: int
    headers: HTTPMessage
    text: str

    @property
    def is_page(self) -> bool:
        return self.headers.get_content_type() == "text/html"


class _Page(HTMLParser):
    """The addresses in a page: what it links to or people copy, and others, as of forms.

    `fields` are the hidden fields of its forms.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.others: list[str] = []
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for name in _LINKS if (value := given.get(name)) is not None]
        self.others += [value for name in _OTHERS if (value := given.get(name)) is not None]
        if (given.get("value") or "").startswith("http"):
            self.links.append(given["value"] or "")
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given.get("name") or ""] = given.get("value") or ""


@dataclass
class Visitor:
    """Somebody with a cookie jar, who visits the site at `base` and trusts its certificate.

    `escaped` are the addresses that are of the site's host and not of the site, with the URL that
    had them.
    """

    base: str
    certificate: Path
    jar: CookieJar = field(default_factory=CookieJar)
    escaped: list[tuple[str, str]] = field(default_factory=list)
    seen: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trusting = ssl.create_default_context(cafile=self.certificate)
        self._opener = build_opener(
            HTTPSHandler(context=trusting), HTTPCookieProcessor(self.jar), _Stay()
        )
        self._path = urlsplit(self.base).path
        host = re.escape(urlsplit(self.base).netloc)
        self._address = re.compile(
            rf"\b(?:https?|webcals?|caldavs?)://{host}(?P<path>[^\s\"'<>)\\]*)"
        )

    def ask(
        self,
        address: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """Ask for an address, which may be a link of the base; note where the answer leads."""
        url = urljoin(f"{self.base}/", address)
        request = Request(url, body, dict(headers), method=method)
        try:
            response = self._opener.open(request, timeout=PATIENCE)
        except HTTPError as error:
            response = error
        with response:
            text = response.read().decode("utf-8", "replace").replace("\r\n ", "")
        answer = Answer(url, response.status or 0, response.headers, text)
        self.escaped += [(url, lead) for lead in self.list_leads(answer) if not self.holds(lead)]
        return answer

    def send(self, address: str, fields: Mapping[str, str]) -> Answer:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask(address, "POST", urlencode(fields).encode(), kind)

    def follow_all(self, address: str) -> None:
        """Ask for all that can be reached from an address, each path once."""
        waiting = [urljoin(f"{self.base}/", address)]
        while waiting:
            url = waiting.pop()
            if self._key(url) not in self.seen:
                answer = self.seen[self._key(url)] = self.ask(url)
                waiting += [
                    urljoin(url, lead)
                    for lead in self._links_of(answer)
                    if self._is_of_host(lead) and urlsplit(lead).scheme in ("", "https")
                ]

    def holds(self, address: str) -> bool:
        """Whether an address is of the site, or of another host."""
        if not self._is_of_host(address):
            return True
        path = urlsplit(address).path
        # A link of a page to something beside it, or within it.
        if not path.startswith("/"):
            return not address.startswith("..")
        return path.startswith(f"{self._path}/")

    def fields_of(self, answer: Answer) -> dict[str, str]:
        """The hidden fields of a page's forms."""
        return _Page(answer.text).fields

    def find_addresses(self, text: str) -> list[str]:
        """The whole addresses of the host in any text."""
        return [found[0].rstrip(".,") for found in self._address.finditer(unquote(unescape(text)))]

    def _key(self, url: str) -> str:
        return urlsplit(url).path

    def _is_of_host(self, address: str) -> bool:
        parts = urlsplit(address)
        if parts.scheme and not parts.netloc:
            return False  # mailto: and the like
        return not parts.netloc or parts.netloc == urlsplit(self.base).netloc

    def list_leads(self, answer: Answer) -> Iterator[str]:
        """Each address in a body and its headers, also within others and in text."""
        yield from self._links_of(answer)
        yield from self.find_addresses(answer.text)
        if answer.is_page:
            yield from _Page(answer.text).others
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            (path,) = re.findall(r"(?i);\s*path=([^;]*)", cookie)
            yield f"{path}/"

    def _links_of(self, answer: Answer) -> Iterator[str]:
        """What can be asked for."""
        kind = answer.headers.get_content_subtype()
        if answer.is_page:
            yield from _Page(answer.text).links
        else:
            yield from self.find_addresses(answer.text)
        if kind.endswith("json"):
            yield from _urls_in(json.loads(answer.text))
        if kind.endswith("xml"):
            yield from re.findall(r"href>([^<]*)<", answer.text)
        if (place := answer.headers.get("Location")) is not None:
            yield place


def _urls_in(value: Any) -> Iterator[str]:
    """What is called a URL in JSON, and is a path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "url" and isinstance(inner, str) and inner.startswith("/"):
                yield inner
            yield from _urls_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _urls_in(inner)
