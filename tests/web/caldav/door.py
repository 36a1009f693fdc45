"""The CalDAV server of a published site, with requests as clients send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from calfeed.store.access import tokens
from calfeed.web.app import make_flask
from calfeed.web.caldav.resources import MOUNT
from calfeed.web.caldav.routes import make_caldav
from tests.web.published import BASE, NOW, Published

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"
CS = "{http://calendarserver.org/ns/}"

SPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
    'xmlns:CS="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"'
)
OPEN = "/dav/calendars/open/"
ETAGS = "<D:prop><D:getetag/></D:prop>"
DATA = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"


@dataclass
class Answer:
    """A multistatus: properties by href and name, statuses of what has no properties."""

    response: TestResponse
    properties: dict[str, dict[str, Element]] = field(default_factory=dict)
    missing: dict[str, set[str]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def text(self, href: str, name: str) -> str:
        return self.properties[href][name].text or ""

    def names(self) -> set[str]:
        """The last parts of the hrefs that have properties."""
        return {href.rpartition("/")[2] for href in self.properties}


class Door:
    """The door of a site, asked with one login or none."""

    def __init__(self, site: Published) -> None:
        self.site = site
        mounts: dict[str, Any] = {MOUNT: make_caldav(site.state, BASE).wsgi_app}
        self.client = Client(DispatcherMiddleware(make_flask(site.state, BASE).wsgi_app, mounts))
        self.login: tuple[str, str] | None = None

    def ask(
        self, method: str, path: str, body: str | bytes = b"", headers: Mapping[str, str] = {}
    ) -> TestResponse:
        return self.client.open(path, method=method, data=body, headers=headers, auth=self.login)

    def find(self, path: str, names: str = "<D:allprop/>", depth: str = "0") -> Answer:
        """PROPFIND of what is inside a DAV:propfind element."""
        body = f"<D:propfind {SPACES}>{names}</D:propfind>" if names else ""
        return read(self.ask("PROPFIND", path, body, {"Depth": depth}))

    def report(self, kind: str, content: str, path: str = OPEN) -> Answer:
        return read(self.ask("REPORT", path, f"<{kind} {SPACES}>{content}</{kind}>"))

    def sync(self, token: str = "", prop: str = ETAGS, path: str = OPEN) -> Answer:
        content = f"<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{prop}"
        return self.report("D:sync-collection", content, path)

    def query(self, component: str, prop: str = ETAGS) -> Answer:
        """A calendar-query of what is inside the filter of VCALENDAR."""
        wanted = f'<C:filter><C:comp-filter name="VCALENDAR">{component}</C:comp-filter></C:filter>'
        return self.report("C:calendar-query", prop + wanted)

    def add_token(self, token: str, calendar: str) -> int:
        with self.site.database.write() as connection:
            number = tokens.add_token(connection, token, calendar, "", NOW)
        self.site.state.refresh()
        return number


def read(response: TestResponse) -> Answer:
    assert response.status_code == 207, f"{response.status}: {response.text}"
    root = fromstring(response.data)
    assert root.tag == f"{D}multistatus"
    answer = Answer(response, token=root.findtext(f"{D}sync-token") or "")
    for each in root.findall(f"{D}response"):
        href = each.findtext(f"{D}href") or ""
        status = each.findtext(f"{D}status")
        if status:
            answer.statuses[href] = status.split()[1]
        for propstat in each.findall(f"{D}propstat"):
            found = {child.tag: child for prop in propstat.findall(f"{D}prop") for child in prop}
            if " 200 " in (propstat.findtext(f"{D}status") or ""):
                answer.properties.setdefault(href, {}).update(found)
            else:
                answer.missing.setdefault(href, set()).update(found)
    return answer
