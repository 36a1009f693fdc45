"""A site below a path answers as one at the root does, with that path in all its addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from calfeed.delivery.transport.guard import PUBLIC_ONLY
from calfeed.services.following.pushing import load_public_key
from calfeed.store.access import tokens
from calfeed.web.caldav.resources import MOUNT
from calfeed.web.caldav.routes import make_caldav
from calfeed.web.prefix import SECURITY, path_within, prefix_of
from calfeed.web.published.responses import Headers
from calfeed.web.push_site import PushSite
from calfeed.web.serving.backend import Backend
from calfeed.web.serving.ipc import CacheableResponse, Request
from tests.delivery.push_client import PushClient
from tests.web.api_site import OPEN, VAULT
from tests.web.published import NOW, Published, make_site
from tests.web.whole import make_whole

HOST = "https://calendar.test"
PREFIX = "/our/dates"

FAIRS = (
    OPEN.replace("name:", "formerly: [fairs]\nname:", 1)
    + "  after: {summary: After, start: 2 weeks after talk}\n"
)

PATHS = [
    *("/", "/?lang=ur", "/?zone=Asia/Kabul", "/?q=fair", "/?from=2027-02-01", "/calendars/open/"),
    *("/calendars/open/?view=month&month=2027-02", "/calendars/open/?view=year&category=fairs"),
    *("/calendars/open/fair/", "/calendars/open/rounds/?lang=ur", "/calendars/open/after/"),
    *("/calendars/open/nothing/", "/calendars/open/occurrences.json", "/nothing", "/calendars/x/"),
    *("/subscribe/", "/subscribe/open/?category=fairs", "/embed/open/?lang=ur"),
    *("/follow/open/", "/follow/open/fair/", "/calendars/fairs/", "/calendars/fairs.ics?lang=ur"),
    *("/calendars.ics", "/calendars.ics?lang=ur", "/calendars/open.ics", "/calendars/open.ics?x=1"),
    *("/calendars/open.ics?category=fairs", "/calendars/open/fair.ics", "/calendars/open.todo.ics"),
    *("/calendars/open.json", "/calendars/open.jcal", "/calendars/open.csv", "/changes.atom"),
    *("/calendars/open/changes.atom", "/private/TOKEN/vault-zx9.ics", "/private/x/open.ics"),
    *("/static/style.css", "/static/push.js", "/push-worker.js", "/push/", "/healthz", "/readyz"),
    *("/console/", "/console/sign-in", "/console/enter?once=x", "/console/endpoints?x=1"),
    *("/api/", "/api/openapi.json", "/api/v1/calendars", "/api/v1/calendars/open/events"),
    *("/api/v1/changes", "/api/v1/occurrences", "/api/v1/endpoints", "/api/v1/nothing"),
    *("/dav/", "/dav/principal/", "/dav/calendars/", "/dav/calendars/open/", "/dav/login/"),
    *("/dav/calendars/fairs/", "/dav/nothing", "/.well-known/caldav"),
    *("", "/calendars/open", "/console", "/api", "/dav", "/calendars//open", "//evil.example"),
    *(
        "/console//evil.example",
        "/\\evil.example/calendars/open",
        "/our/dates/",
        "/calendars/open/?",
    ),
]
TOKEN = "a-token-of-twenty-letters"
NO_HEADERS: Headers = []
METHODS = ["GET", "HEAD", "POST", "PROPFIND", "REPORT", "OPTIONS", "DELETE", "PUT"]
REGISTRATION = (
    '<push-register xmlns="https://bitfire.at/webdav-push"><subscription><web-push-subscription>'
    "<push-resource>{resource}</push-resource><subscription-public-key>{client_key}"
    "</subscription-public-key><auth-secret>{auth}</auth-secret>"
    "</web-push-subscription></subscription></push-register>"
)


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, list[str]]
    body: bytes


class Mounted:
    """Everything that is served of a published site, with a public URL."""

    def __init__(self, site: Published, base_url: str) -> None:
        self.prefix = prefix_of(base_url)
        whole = make_whole(site, base_url)
        push = PushSite(
            site.database, PUBLIC_ONLY, load_public_key(site.database), lambda: site.now
        )
        caldav = make_caldav(site.state, base_url, push)
        application = DispatcherMiddleware(whole.client.application, {MOUNT: caldav.wsgi_app})
        self._backend = Backend(site.state, application, self.prefix)

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", headers: Headers = NO_HEADERS
    ) -> Answered | None:
        """Ask for a path as it is on the wire; None if that is not of the site."""
        name, _, query = path.partition("?")
        within = path_within(self.prefix, name)
        if within is None:
            return None
        sent = Request(
            *(method, within, query, [("host", "evil.example"), *headers], body),
            *("192.0.2.1", "127.0.0.1:8000", "http"),
        )
        response = self._backend.respond(sent)
        listed: Headers
        if isinstance(response, CacheableResponse):
            stored = response.stored
            status, (listed, (text,)) = stored.status, stored.plain
        else:
            status, listed, text = response.status, response.headers, response.body
        named: dict[str, list[str]] = {}
        for key, value in listed:
            named.setdefault(key, []).append(value)
        return Answered(status, named, text)


def put_below(text: str, prefix: str = PREFIX) -> str:
    """What a site at the root said, as one below a path says it."""
    text = re.sub(r"(?:https?|webcal|caldavs?)://calendar\.test", rf"\g<0>{prefix}", text)
    quoted = prefix.replace("/", "%2F")
    text = re.sub(r"(?:https|webcal)%3A%2F%2Fcalendar\.test", rf"\g<0>{quoted}", text)
    text = re.sub(r'\b(href|src|action)="(?=/)', rf"\g<0>{prefix}", text)
    text = re.sub(r"<D:href>(?=/)", rf"\g<0>{prefix}", text)
    return re.sub(r'"url":\s*"(?=/)', rf"\g<0>{prefix}", text)


def readable(body: bytes) -> str:
    """A body without folds of lines, and without the pictures of addresses."""
    text = body.decode("utf-8").replace("\r\n ", "")
    return re.sub(r'(<figure class="qr".*?>).*?</figure>', r"\1", text, flags=re.DOTALL)


def check_alike(at_root: Answered, below: Answered) -> None:
    assert below.status == at_root.status
    assert readable(below.body) == put_below(readable(at_root.body))
    # They follow from the bytes or from the time; and HSTS is for a whole host.
    unlike = {"Content-Length", "Date", "ETag", "Strict-Transport-Security"}
    unlike |= {"X-RateLimit-Remaining", "X-RateLimit-Reset"}
    mine, others = (
        {key: values for key, values in one.headers.items() if key not in unlike}
        for one in (below, at_root)
    )
    if "Location" in others:
        (place,) = others["Location"]
        # A path, which may have another one to go on to.
        signing_in = re.sub(r"^(/console/[^?]*\?next=)(?=/)", rf"\g<1>{PREFIX}", place)
        others["Location"] = [PREFIX + signing_in]
    if "Set-Cookie" in others:
        mine["Set-Cookie"] = [
            plain_cookie(text, f"{PREFIX}/console") for text in mine["Set-Cookie"]
        ]
        others["Set-Cookie"] = [plain_cookie(text, "/") for text in others["Set-Cookie"]]
    assert mine == others


def plain_cookie(text: str, path: str) -> str:
    """A cookie without its value and its scope, which has to be this path."""
    named, *attributes = text.split("; ")
    assert f"Path={path}" in attributes, text
    guard = "__Host-" if path == "/" else "__Secure-"
    assert named.startswith(guard)
    kept = sorted(set(attributes) - {f"Path={path}"})
    return "; ".join([named.removeprefix(guard).partition("=")[0], *kept])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    site = make_site(tmp_path_factory.mktemp("site"))
    site.publish({"open": FAIRS, "vault-zx9": VAULT})
    yield site
    site.database.close()


@pytest.fixture(scope="module")
def token(site: Published) -> str:
    with site.database.write() as connection:
        tokens.add_token(connection, TOKEN, "vault-zx9", "Ann", NOW)
    return TOKEN


@pytest.fixture(scope="module")
def both(site: Published, token: str) -> tuple[Mounted, Mounted]:
    """The site at the root of its host, and below a path."""
    return Mounted(site, HOST), Mounted(site, HOST + PREFIX)


@pytest.mark.parametrize("path", PATHS)
def test_below_a_path_all_is_answered_as_at_the_root(
    both: tuple[Mounted, Mounted], token: str, path: str
) -> None:
    path = path.replace("TOKEN", token)
    root, below = both
    for method in METHODS:
        headers = [("depth", "1"), ("accept", "text/html")]
        at_root = root.ask(path, method, headers=headers)
        there = below.ask(PREFIX + path, method, headers=headers)
        assert at_root is not None
        assert there is not None
        check_alike(at_root, there)


SEGMENTS = st.one_of(
    st.sampled_from(
        [
            *("calendars", "open", "fair", "open.ics", "embed", "follow", "console", "api", "v1"),
            *("dav", "our", "dates", "static", "", ".", "..", "subscribe", "\\", "private", "push"),
        ]
    ),
    st.text(st.characters(exclude_characters="?", exclude_categories=["Cs"]), max_size=8),
)


@given(
    st.lists(SEGMENTS, max_size=5).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(METHODS),
    st.sampled_from(["", "?lang=ur", "?category=fairs&zone=Asia/Kabul", "?next=//evil.example"]),
)
@example("/subscribe", "GET", "?next=//evil.example")
@example("/calendars/fairs/fair/", "GET", "?lang=ur")
def test_so_is_any_path(both: tuple[Mounted, Mounted], path: str, method: str, query: str) -> None:
    root, below = both
    headers = [("accept", "text/html")]
    at_root = root.ask(path + query, method, headers=headers)
    there = below.ask(PREFIX + path + query, method, headers=headers)
    assert at_root is not None
    assert there is not None
    check_alike(at_root, there)


@given(st.lists(SEGMENTS, max_size=5).map(lambda parts: "/" + "/".join(parts)))
@example("/our/dates")
@example("/our/dates-of-others/")
@example("/our/datesheet.ics")
@example("//our/dates/")
def test_nothing_else_of_the_host_is_of_the_site(path: str) -> None:
    """Only health checks and discovery, which probes and clients look for at the root."""
    inside = path == PREFIX or path.startswith(f"{PREFIX}/")
    assert (path_within(PREFIX, path) is not None) is inside
    assert path_within("", path) == path


def test_health_and_discovery_are_at_the_root_too(both: tuple[Mounted, Mounted]) -> None:
    _, below = both
    for path in ("/healthz", "/readyz"):
        for there in (below.ask(path), below.ask(PREFIX + path)):
            assert there is not None
            assert (there.status, there.body) == (200, b"ok\n")
    assert path_within(PREFIX, SECURITY) == SECURITY
    for path in ("/.well-known/caldav", f"{PREFIX}/.well-known/caldav"):
        for method in ("GET", "PROPFIND"):
            there = below.ask(path, method)
            assert there is not None
            assert (there.status, there.headers["Location"]) == (301, [f"{PREFIX}/dav/"])


def test_a_client_that_registers_for_push_learns_an_address_below_the_path(
    both: tuple[Mounted, Mounted],
) -> None:
    for mounted, resource in zip(both, ("a", "b"), strict=True):
        keys = PushClient().receiver(f"https://push.example.org/{resource}")
        body = REGISTRATION.format(**asdict(keys)).encode()
        made = mounted.ask(f"{mounted.prefix}/dav/calendars/open/", "POST", body)
        assert made is not None
        assert made.status == 201, made.body
        (place,) = made.headers["Location"]
        start = f"{HOST}{mounted.prefix}"
        assert place.startswith(f"{start}/dav/push/")
        ended = mounted.ask(place.removeprefix(HOST), "DELETE")
        assert ended is not None
        assert ended.status == 204


def test_a_site_below_a_path_leaves_hsts_to_its_host(both: tuple[Mounted, Mounted]) -> None:
    """The header is about the whole host, of which the site has only a part."""
    for mounted, expected in zip(both, (["max-age=31536000"], None), strict=True):
        for path in ("/", "/calendars/open.ics", "/api/v1/calendars", "/console/sign-in", "/dav/"):
            there = mounted.ask(mounted.prefix + path)
            assert there is not None
            assert there.headers.get("Strict-Transport-Security") == expected, path


def test_uids_and_events_do_not_depend_on_the_path(both: tuple[Mounted, Mounted]) -> None:
    root, below = both
    for path in ("/calendars.ics", "/calendars/open.ics", "/calendars/open/fair.ics"):
        at_root, there = root.ask(path), below.ask(PREFIX + path)
        assert at_root is not None
        assert there is not None
        mine, others = readable(there.body).split("\r\n"), readable(at_root.body).split("\r\n")
        assert len(others) == len(mine)
        (differs,) = {line for line in mine if line not in others}
        assert differs.startswith(f"SOURCE;VALUE=URI:{HOST}{PREFIX}{path}")
