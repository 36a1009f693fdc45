"""A site below a path of a host, behind nginx and Caddy with TLS: everything stays below it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from caldav import davclient

from tests.acceptance.crawler import Visitor
from tests.acceptance.proxies import KINDS, PATH, proxied
from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Running, Site, split_feed, until
from tests.acceptance.vdirsyncer import Vdirsyncer
from tests.delivery.receiver import needs_openssl
from tests.mail.post_office import PostOffice, Received
from tests.ports import free_port

TOKEN = "a-token-that-nobody-guesses"
COURT = """\
name: Court
time_zone: Asia/Karachi
reminders: [1 week]
formerly: [tribunal]
events:
  hearing: {{summary: Hearing, start: {day}, categories: [hearing], kind: deadline}}
  ruling: {{summary: Ruling, start: 14 days after hearing}}
"""
WRONG_HEADERS = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/evil",
    "X-Script-Name": "/evil",
    "Forwarded": "host=evil.example;proto=http",
}

pytestmark = needs_openssl

DAVClient: Any = davclient.DAVClient
"""Without its types, which are those of a client that may also be asynchronous."""


@dataclass(frozen=True)
class House:
    """A site below a path, behind a proxy."""

    site: Site
    serve: Running
    base: str
    certificate: Path
    post: PostOffice
    uids_at_root: list[str]

    def visitor(self) -> Visitor:
        return Visitor(self.base, self.certificate)

    @property
    def root(self) -> str:
        """The URL of the host."""
        return self.base.removesuffix(PATH)


@pytest.fixture(scope="module", params=KINDS)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp(request.param)
    site, port = Site(folder / "site"), free_port()
    site.write("court.yaml", COURT.format(day="2030-06-12"))
    root = f"https://127.0.0.1:{port}"
    site.environment["CALFEED_PUBLIC_URL"] = root
    site.do("publish")
    # The site was at the root of its host before.
    uids = list(split_feed(site.do("export", "--all").replace("\n", "\r\n").encode())[1])
    with (
        PostOffice() as post,
        proxied(request.param, folder / "proxy", port, [site.port], below=True) as trusted,
    ):
        site.environment |= {
            "CALFEED_PUBLIC_URL": f"{root}{PATH}/",
            "CALFEED_ADMIN_TOKEN": TOKEN,
            "CALFEED_GRACE": "0",
            "CALFEED_MAIL_URL": post.url,
            "CALFEED_MAIL_FROM": "calendar@example.org",
            "CALFEED_PUSH_CONTACT": "mailto:desk@example.org",
            "CALFEED_SELF_SERVICE": "1",
            "CALFEED_TRUSTED_PROXIES": "1",
        }
        with site.serving() as serve:
            yield House(site, serve, f"{root}{PATH}", trusted, post, uids)


def test_a_site_that_moves_below_a_path_keeps_its_uids(house: House) -> None:
    feed = house.visitor().ask("calendars.ics").text
    assert set(re.findall(r"^UID:(.*?)\r?$", feed, re.MULTILINE)) == set(house.uids_at_root)
    assert len(house.uids_at_root) > 10
    assert f"SOURCE;VALUE=URI:{house.base}/calendars.ics" in feed


def test_nothing_is_announced_when_a_site_moves_below_a_path(site: Site) -> None:
    site.environment["CALFEED_PUBLIC_URL"] = "https://example.org"
    site.do("publish")
    site.do("endpoint", "add", "https://127.0.0.1:1/hook")
    feed = split_feed(site.do("export", "--all").replace("\n", "\r\n").encode())[1]
    site.environment["CALFEED_PUBLIC_URL"] = f"https://example.org{PATH}"
    assert "nothing to publish" in site.do("publish")
    assert split_feed(site.do("export", "--all").replace("\n", "\r\n").encode())[1] == feed
    assert not site.ask("delivery", "list")


def test_all_that_can_be_reached_is_below_the_path(house: House) -> None:
    """Pages, feeds, their other formats, the API's page and document, styles and scripts."""
    visitor = house.visitor()
    for start in ("", "api/", "calendars/court/?lang=ur&view=month", "calendars/tribunal/"):
        visitor.follow_all(start)
    # What the paths of the API's document are added to is no address itself.
    visitor.seen.pop(f"{PATH}/api/v1")
    broken = {path: answer.status for path, answer in visitor.seen.items() if answer.status >= 400}
    assert broken == {}
    assert visitor.escaped == []
    for part in (
        *("/", "/calendars/court/", "/calendars/court/ruling/", "/calendars.ics", "/changes.atom"),
        *("/calendars/court.json", "/calendars/court/hearing.ics", "/embed/court/", "/subscribe/"),
        *("/follow/court/", "/static/style.css", "/static/push.js", "/api/openapi.json"),
        *("/api/ui/swagger-ui-bundle.js", "/dav/calendars/court/"),
    ):
        assert f"{PATH}{part}" in visitor.seen, part
    assert len(visitor.seen) > 80
    document = json.loads(visitor.seen[f"{PATH}/api/openapi.json"].text)
    assert document["servers"] == [{"url": f"{PATH}/api/v1"}]
    for name in ("page.js", "push.js"):
        assert not re.search(r"""["'`]/\w""", visitor.seen[f"{PATH}/static/{name}"].text), name
    assert not re.search(r"""["'`]/\w""", visitor.ask("push-worker.js").text)


def test_redirects_stay_below_the_path_whatever_headers_say(house: House) -> None:
    visitor = house.visitor()
    for address, place in (
        (house.base, f"{PATH}/"),
        ("calendars/court", f"{PATH}/calendars/court/"),
        ("calendars/tribunal.ics?lang=ur", f"{PATH}/calendars/court.ics?lang=ur"),
        (f"{house.base}/calendars//court/", f"{PATH}/calendars/court/"),
        ("console", f"{PATH}/console/sign-in"),
        ("console/endpoints", f"{PATH}/console/sign-in?next={PATH}/console/endpoints"),
        ("api", f"{PATH}/api/"),
        ("dav/", f"{PATH}/"),
        ("dav/calendars/tribunal/", f"{PATH}/dav/calendars/court/"),
        (f"{house.root}/.well-known/caldav", f"{PATH}/dav/"),
        (".well-known/caldav", f"{PATH}/dav/"),
    ):
        answer = visitor.ask(address, headers=WRONG_HEADERS)
        assert answer.status in (301, 302, 303, 308), address
        # nginx redirects the path without its slash by itself, to a whole URL.
        assert answer.headers["Location"].removeprefix(house.root) == place
    assert visitor.escaped == []
    pages = [visitor.ask("calendars/court/", headers=given).text for given in ({}, WRONG_HEADERS)]
    assert pages[0] == pages[1]


def test_the_rest_of_the_host_is_not_of_the_site(house: House) -> None:
    """Neither through the proxy nor at the site's port, but for what probes and clients ask."""
    visitor = house.visitor()
    assert visitor.ask(f"{house.root}/").text == "another site"
    for path in ("/calendars.ics", "/console/", "/datesheet/", "/healthz", "/dav/"):
        assert "calfeed" not in visitor.ask(house.root + path).text
    assert "Strict-Transport-Security" not in visitor.ask("").headers
    for path in ("/healthz", "/readyz", f"{PATH}/healthz", f"{PATH}/readyz"):
        assert house.site.get(path)[0] == b"ok\n"
    for path in ("/", "/calendars.ics"):
        with pytest.raises(OSError, match="404"):
            house.site.get(path)


def test_in_the_console_all_links_forms_and_cookies_stay_below_the_path(house: House) -> None:
    """By the token, and by the link that `serve` prints."""
    printed = re.search(r"^console +(\S+)", house.serve.output, re.MULTILINE)
    assert printed is not None
    visitor = house.visitor()
    assert visitor.holds(printed[1])
    page = visitor.ask(printed[1])
    signed_in = visitor.send(urlsplit(printed[1]).path, visitor.fields_of(page))
    assert (signed_in.status, signed_in.headers["Location"]) == (303, f"{PATH}/console/")
    visitor = house.visitor()
    target = f"{PATH}/console/history?x=1"
    signed_in = visitor.send("console/sign-in", {"token": TOKEN, "next": target})
    assert (signed_in.status, signed_in.headers["Location"]) == (303, target)
    for foreign in (
        *("/console/", "/", f"{PATH}/", "//evil.example/", "https://evil.example"),
        *(f"{PATH}/console/../../other/", f"{PATH}/console/%2e%2E/.%2e/other/"),
    ):
        other = house.visitor().send("console/sign-in", {"token": TOKEN, "next": foreign})
        assert other.headers["Location"] == f"{PATH}/console/"
    assert {(cookie.name, cookie.path, cookie.secure) for cookie in visitor.jar} == {
        ("__Secure-calfeed_console", f"{PATH}/console", True)
    }
    house.site.do("endpoint", "add", "https://127.0.0.1:1/hook", "--type", "reminder.due")
    visitor.follow_all("console/")
    assert {path: one.status for path, one in visitor.seen.items() if one.status >= 400} == {}
    assert visitor.escaped == []
    for part in ("endpoints", "deliveries", "feeds", "people", "sessions", "publishes"):
        assert f"{PATH}/console/{part}" in visitor.seen, part
    ended = visitor.send(
        "console/sign-out", visitor.fields_of(visitor.seen[f"{PATH}/console/sessions"])
    )
    assert ended.headers["Location"] == f"{PATH}/console/sign-in"
    assert not list(visitor.jar) or visitor.ask("console/").status == 303
    assert visitor.escaped == []


def test_calendar_apps_find_everything_from_the_host_and_from_the_path(
    house: House, tmp_path: Path
) -> None:
    """vdirsyncer and python-caldav; and what a client registers for push has its address there."""
    expected = set(house.uids_at_root)
    for number, address in enumerate((f"{house.root}/", f"{house.base}/")):
        client = Vdirsyncer(tmp_path / str(number), address, trusted=house.certificate)
        done = client.run("sync")
        assert done.returncode == 0, done.stderr
        calendars = [folder.name for folder in (tmp_path / str(number) / "disk").iterdir()]
        assert {uid for name in calendars for uid in client.files(name)} == expected
    with DAVClient(url=f"{house.base}/", ssl_verify_cert=str(house.certificate)) as client:
        calendars = client.get_calendars()
        assert {urlsplit(str(one.url)).path for one in calendars} == {
            f"{PATH}/dav/calendars/{name}/"
            for name in ("court", *(path.stem for path in house.site.events.glob("*.yaml")))
        }
    visitor = house.visitor()
    for path in ("", "dav/", "dav/principal/", "dav/calendars/", "dav/calendars/court/"):
        for depth in ("0", "1"):
            found = visitor.ask(path, "PROPFIND", headers={"Depth": depth})
            assert found.status == 207
            assert "<D:href>" in found.text
    refused = visitor.ask("dav/calendars/court/new.ics", "PUT", b"x")
    assert (refused.status, "<D:href>" in refused.text) == (403, True)
    assert visitor.escaped == []


def test_messages_and_mails_lead_below_the_path(house: House) -> None:
    """A webhook; the mails to who follows, from the confirmation on, and the pages behind them."""
    visitor = house.visitor()
    person = f"amina-{house.site.port}@example.org"
    with Receiver() as receiver:
        house.site.do("endpoint", "add", receiver.url)
        form = visitor.ask("follow/court/")
        wish = {"address": person, "moves": "on", "entries": "on", "reminders": "each"}
        assert visitor.send("follow/court/", {**visitor.fields_of(form), **wish}).status == 200
        (first,) = until(lambda: house.post.to(person), "the first mail")
        (confirm,) = {one for one in _find(house, first) if "/follow/confirm/" in one}
        page = visitor.ask(confirm)
        confirmed = visitor.send(confirm, visitor.fields_of(page))
        assert confirmed.status == 200
        until(lambda: house.post.to(person)[1:], "the second mail")
        house.site.write("court.yaml", COURT.format(day="2030-06-19"))
        posts = until(lambda: receiver.of_type("event.moved"), "the message")
        assert (
            posts[0].message["data"]["event"]["page"].startswith(f"{house.base}/calendars/court/")
        )
        hearing = f"{house.base}/calendars/court/hearing/"
        until(
            lambda: [one for one in house.post.to(person)[2:] if hearing in _find(house, one)],
            "the mail",
        )
    for mail in house.post.to(person):
        assert all(one.startswith(f"{house.base}/") for one in _find(house, mail))
    unsubscribe = house.post.to(person)[-1].mail["List-Unsubscribe"]
    (leave,) = [one.strip("<>") for one in re.findall(r"<https:[^>]*>", unsubscribe)]
    own = visitor.ask(leave.removesuffix("leave"))
    assert own.status == 200
    assert visitor.ask(leave, "POST", b"List-Unsubscribe=One-Click").status == 200
    assert visitor.escaped == []


def _find(house: House, received: Received) -> list[str]:
    """The addresses of the host in a mail: its headers and all of its parts."""
    texts = [str(value) for value in received.mail.values()]
    for part in received.mail.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            texts.append(payload.decode("utf-8", "replace").replace("\r\n ", ""))
    found = house.visitor().find_addresses("\n".join(texts))
    assert found
    return found
