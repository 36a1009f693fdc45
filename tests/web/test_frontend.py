"""The frontend serves stored responses at once, and no request waits for another client's."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from calfeed.errors import CalfeedError
from calfeed.store.reports.poll_counts import PollCounts
from calfeed.web.app import make_flask
from calfeed.web.pages.page_cache import PageCache
from calfeed.web.published.responses import StartResponse, StoredResponseMiddleware
from calfeed.web.serving.backend import Backend
from calfeed.web.serving.client_addresses import client_address
from calfeed.web.serving.frontend import Frontend
from calfeed.web.serving.ipc import listen, private_address
from calfeed.web.serving.request_bodies import MAX_BODY_BYTES, MAX_REPORT_BYTES, BodyReader
from tests.patience import PATIENCE
from tests.web.published import BASE, Published, make_site

DESK = """
name: Desk
time_zone: UTC
events:
  call: {summary: Call, start: 2026-11-24}
"""
FEED = "/calendars/desk.ics"

Came = TypeVar("Came")


class Headers:
    """A request's headers, as granian hands them over."""

    def __init__(self, listed: list[tuple[str, str]]) -> None:
        self._listed = listed

    def items(self) -> list[tuple[str, str]]:
        return self._listed


@dataclass
class Exchange:
    """A request as granian hands it over, and what was answered; a body may never end.

    After a body there is an empty part, and one before it where the body broke off.
    """

    parts: Iterable[bytes] = ()
    endless: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if self.endless:
            await asyncio.Event().wait()
        yield b""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        assert not self.status, "a request is answered once"
        self.status, self.headers, self.body = status, dict(headers), body

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.response_bytes(status, headers, body.encode())

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.response_bytes(status, headers, b"")


class Served:
    """A frontend and its backend over a site. `made` are the paths that reached the applications.

    A path in `held` is made no further until its event is set.
    """

    def __init__(self, site: Published, folder: Path, proxies: int = 0, prefix: str = "") -> None:
        self.made: list[str] = []
        self.held: dict[str, threading.Event] = {}
        self._pages = PageCache(make_flask(site.state, BASE).wsgi_app, site.state)
        middleware = StoredResponseMiddleware(
            self._apply, site.state.snapshot, site.state.poll_counter
        )
        site.state.middleware = middleware
        address = str(folder / "back")
        backend = Backend(site.state, middleware, prefix)
        threading.Thread(target=backend.serve, args=(address,), daemon=True).start()
        self.frontend = Frontend(address, proxies, BodyReader(seconds=0.2), prefix)
        self.loop = asyncio.new_event_loop()
        self.frontend.__rsgi_init__(self.loop)

    def _apply(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.made.append(path)
        if path in self.held:
            assert self.held[path].wait(PATIENCE)
        if environ["REQUEST_METHOD"] == "POST":
            start_response("200 OK", [("X-Client", environ["REMOTE_ADDR"])])
            return [environ["wsgi.input"].read()]
        return self._pages(environ, start_response)

    def run(self, work: Awaitable[Came]) -> Came:
        async def whole() -> Came:
            return await asyncio.wait_for(work, PATIENCE)

        return self.loop.run_until_complete(whole())

    async def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        exchange: Exchange | None = None,
        headers: Sequence[tuple[str, str]] = (("host", "a"),),
        peer: str = "127.0.0.1",
        version: str = "1.1",
    ) -> Exchange:
        scope = SimpleNamespace(
            method=method,
            path=path.partition("?")[0],
            query_string=path.partition("?")[2],
            http_version=version,
            client=f"{peer}:40000",
            server="127.0.0.1:8000",
            scheme="http",
            headers=Headers(list(headers)),
        )
        exchange = exchange or Exchange()
        await self.frontend(scope, exchange)  # type: ignore[arg-type]  # both are granian's own
        return exchange

    def get(self, path: str, method: str = "GET", **named: str) -> Exchange:
        headers = [("host", "a"), *((name.replace("_", "-"), text) for name, text in named.items())]
        return self.run(self.ask(path, method, headers=headers))

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"desk": DESK})
    yield site
    site.database.close()


@pytest.fixture
def served(site: Published, tmp_path: Path) -> Served:
    return Served(site, tmp_path)


@contextmanager
def held(served: Served, *paths: str) -> Iterator[None]:
    served.held = {path: threading.Event() for path in paths}
    try:
        yield
    finally:
        for event in served.held.values():
            event.set()


def test_a_feed_is_answered_whole_compressed_or_with_304_and_counted(
    site: Published, served: Served
) -> None:
    whole = served.get(FEED)
    assert (whole.status, whole.body) == (200, site.get(FEED).data)
    packed = served.get(FEED, accept_encoding="gzip")
    assert gzip.decompress(packed.body) == whole.body
    for tag in (whole.headers["ETag"], packed.headers["ETag"]):
        assert served.get(FEED, if_none_match=tag).status == 304
    head = served.get(FEED, "HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", whole.headers)
    assert served.made == []
    served.get(FEED, user_agent="curl/8")
    served.frontend.__rsgi_del__(served.loop)
    counted: list[PollCounts] = []

    def all_arrived() -> bool:
        counted.extend(site.state.poll_counter.take())
        return bool(counted)

    served.run(served.until(all_arrived))
    sums = {(one.feed, one.family): (one.sent, one.unchanged) for one in counted}
    # One GET of this test's was the site's own client's; HEAD is none.
    assert sum(sent for sent, _ in sums.values()) == 4
    assert sum(unchanged for _, unchanged in sums.values()) == 2
    assert {feed for feed, _ in sums} == {FEED}


def test_below_a_prefix_feeds_come_from_the_table_and_are_counted_by_their_paths(
    site: Published, tmp_path: Path
) -> None:
    """A site that moves below a path goes on with its statistics, and answers as fast."""
    served = Served(site, tmp_path, prefix="/dates")
    whole = served.get(f"/dates{FEED}")
    assert (whole.status, (whole.body,)) == (200, site.state.snapshot.responses[FEED].plain[1])
    assert served.made == []
    served.frontend.__rsgi_del__(served.loop)
    counted: list[PollCounts] = []

    def all_arrived() -> bool:
        counted.extend(site.state.poll_counter.take())
        return bool(counted)

    served.run(served.until(all_arrived))
    assert [(one.feed, one.sent) for one in counted] == [(FEED, 1)]
    for path in (FEED, "/", "/datesheet/", "//dates/", "/dates.ics"):
        for method in ("GET", "HEAD", "POST"):
            outside = served.get(path, method)
            assert outside.status == 404
            assert b"the site begins at /dates/" in outside.body
    assert served.made == []
    assert served.get("/dates").status == 308
    for path in ("/healthz", "/dates/healthz", "/readyz", "/dates/readyz"):
        assert served.get(path).body == b"ok\n"


def test_what_is_settled_is_made_once_and_anew_after_a_publish(
    site: Published, served: Served
) -> None:
    style = "/static/style.css"
    for path in ("/", "/calendars/desk/", f"{FEED}?alarms=0", "/calendars/desk.json", style):
        made = len(served.made)
        first, again = served.get(path), served.get(path)
        assert first.status == again.status == 200
        with site.get(path) as flask:
            assert first.body == again.body == flask.data
        assert len(served.made) <= made + 1
        if not path.startswith(FEED):
            assert served.get(f"{path}?utm_source=mail").body == first.body
            assert len(served.made) <= made + 1
        assert served.get(path, if_none_match=first.headers["ETag"]).status == 304
    assert "آج" not in served.get("/", accept_language="ur").body.decode()
    assert 'lang="ur"' in served.get("/", accept_language="ur").body.decode()
    site.publish({"desk": DESK.replace("Call", "Talk")})
    served.run(served.until(lambda: b"Talk" in served.frontend._table.responses[FEED].plain[1][0]))
    for path in ("/", f"{FEED}?alarms=0", "/calendars/desk.json"):
        assert b"Talk" in served.get(path).body


def test_what_many_ask_for_at_once_is_made_once(served: Served) -> None:
    async def ask_all() -> list[Exchange]:
        asked = [asyncio.ensure_future(served.ask("/")) for _ in range(20)]
        await served.until(lambda: served.made == ["/"])
        served.held["/"].set()
        return await asyncio.gather(*asked)

    with held(served, "/"):
        answers = served.run(ask_all())
    assert {answer.status for answer in answers} == {200}
    assert served.made == ["/"]


def test_nobody_waits_for_a_page_that_takes_long_or_a_body_that_does_not_end(
    served: Served,
) -> None:
    ready = served.get("/calendars/desk/")
    slow = [f"/slow-{number}" for number in range(30)]

    async def ask_all() -> None:
        asked = [asyncio.ensure_future(served.ask(path)) for path in slow]
        sent = [
            asyncio.ensure_future(
                served.ask("/sign-in", "POST", exchange=Exchange([b"half"], endless=True))
            )
            for _ in range(300)
        ]
        await served.until(lambda: len(served.made) > 5)
        assert (await served.ask(FEED)).status == 200
        assert (await served.ask("/healthz")).body == b"ok\n"
        assert (await served.ask("/calendars/desk/")).body == ready.body
        assert (await served.ask("/private/none/desk.ics")).status == 404
        form = await served.ask("/form", "POST", exchange=Exchange([b"to", b"ken"]))
        assert (form.status, form.body) == (200, b"token")
        assert {(await one).status for one in sent} == {408}
        for event in served.held.values():
            event.set()
        assert {(await one).status for one in asked} == {404}

    with held(served, *slow):
        served.run(ask_all())


def test_a_body_has_a_largest_size_and_is_taken_as_a_whole_or_not_at_all(served: Served) -> None:
    large = [b"x" * 65_536] * (MAX_BODY_BYTES // 65_536)
    for parts, length, status in (
        (large, "", 200),
        ([*large, b"x"], "", 413),
        ([], str(MAX_BODY_BYTES + 1), 413),
        ([], "9" * 5000, 413),
        ([b"half", b""], "8", 400),
        ([b"half", b""], "", 400),
        ([b"half"], "4", 200),
        ([], "", 200),
    ):
        exchange = Exchange(parts)
        headers = [("host", "a"), ("content-length", length)]
        served.run(served.ask("/form", "POST", exchange=exchange, headers=headers))
        assert exchange.status == status
        assert (exchange.headers.get("Connection") == "close") is (status == 413)


def test_only_a_report_of_a_caldav_client_may_be_large(served: Served) -> None:
    for path, method, allowed in (
        ("/dav/calendars/desk/", "REPORT", MAX_REPORT_BYTES),
        ("/dav/calendars/desk/", "PROPFIND", MAX_BODY_BYTES),
        ("/calendars/desk/", "REPORT", MAX_BODY_BYTES),
    ):
        for length, refused in ((allowed, False), (allowed + 1, True)):
            exchange = Exchange([b"x" * length])
            served.run(served.ask(path, method, exchange=exchange))
            assert (exchange.status == 413) == refused, (path, method, length)


def test_too_much_at_once_is_refused_in_all_and_for_each_network_that_is_known(
    served: Served,
) -> None:
    pages = [f"/slow-{number}" for number in range(300)]

    async def ask_all(peer: str, count: int) -> set[int]:
        asked = [
            asyncio.ensure_future(served.ask(path, peer=peer.format(number)))
            for number, path in enumerate(pages[:count])
        ]
        await served.until(lambda: any(one.done() for one in asked))
        refused = {
            (one.result().status, one.result().headers["Retry-After"])
            for one in asked
            if one.done()
        }
        assert len(refused) == 1
        for event in served.held.values():
            event.set()
        return {(await one).status for one in asked}

    for ours in ("127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"):
        with held(served, *pages):
            assert served.run(ask_all(ours, 300)) == {404, 503}
    for stranger in ("203.0.113.7", "[::ffff:203.0.113.7]", "[2001:db8:1:2::{}]"):
        with held(served, *pages):
            assert served.run(ask_all(stranger, 30)) == {404, 429}


def test_a_header_that_comes_several_times_is_one_list(served: Served) -> None:
    tag = served.get(FEED).headers["ETag"]
    for tags in ([tag, '"x"'], ['"x"', tag]):
        headers = [("host", "a"), *(("if-none-match", one) for one in tags)]
        assert served.run(served.ask(FEED, headers=headers)).status == 304


PATHS = ("/calendars.ics", "/", "/calendars/desk/call/", "/nowhere")


def test_a_request_needs_exactly_one_valid_host(served: Served) -> None:
    host = ("host", "a")
    for path in PATHS:
        for headers in ([], [("host", "")]):
            assert served.run(served.ask(path, headers=headers)).status == 400
            old = served.run(served.ask(path, headers=headers, version="1"))
            assert old.status in (200, 404)
        for headers in ([host, ("host", "b")], [host, ("accept", "*/*"), host]):
            for version in ("1", "1.1"):
                asked = served.ask(path, headers=headers, version=version)
                assert served.run(asked).status == 400
        twice = [host, ("accept", "text/html"), ("accept", "*/*")]
        assert served.run(served.ask(path, headers=twice)).status in (200, 404)


def test_a_host_is_a_name_or_an_address_and_perhaps_a_port(served: Served) -> None:
    valid = ("a", "a.example:8000", "192.0.2.1:80", "[::1]", "[::1]:80", "my_host:", "A.EXAMPLE.")
    other = (
        "a/b",
        "a b",
        "a@b",
        "a:b",
        "a:1:2",
        "[::1",
        "<script>",
        "http://a",
        "a\\b",
        '"',
        ":80",
    )
    for host in (*valid, *other, "a?b", "a#b", "é"):
        statuses = {served.run(served.ask(p, headers=[("host", host)])).status for p in PATHS}
        assert statuses == ({200, 404} if host in valid else {400}), host


def test_a_method_that_is_none_of_ours_is_refused_everywhere(served: Served) -> None:
    for method in ("get", "Head", "FOO", "TRACE", "CONNECT", "SEARCH", ""):
        assert {served.get(path, method).status for path in PATHS} == {501}


def test_what_is_read_only_says_so_at_every_address(site: Published, served: Served) -> None:
    settled = [*site.state.snapshot.responses, *site.state.snapshot.other_formats, "/healthz"]
    for path in (*settled, "/readyz", "/", "/calendars/desk/", "/private/none/desk.ics"):
        for method in ("PUT", "PATCH", "DELETE"):
            refused = served.get(path, method)
            assert refused.status == 405, path
            assert {"GET", "HEAD"} <= set(refused.headers["Allow"].split(", "))


def test_a_path_begins_with_a_slash(served: Served) -> None:
    for path in ("*", "", "evil.example:443", "?x"):
        assert served.get(path, "OPTIONS").status == served.get(path).status == 400


def test_a_query_beyond_any_that_is_in_a_link_is_refused(served: Served) -> None:
    for path in (*PATHS, "/api/v1/calendars", "/console/"):
        assert served.get(f"{path}?x={'y' * 7_000}").status in (200, 404)
        assert served.get(f"{path}?x={'y' * 9_000}").status == 414


def test_feeds_are_answered_while_the_back_is_away(served: Served, tmp_path: Path) -> None:
    socket, aside = tmp_path / "back", tmp_path / "aside"
    socket.rename(aside)
    assert served.get(FEED).status == 200
    refused = served.get("/nowhere")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "2")
    aside.rename(socket)
    assert served.get("/nowhere").status == 404


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "", "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1,203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9 ,192.0.2.7", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9:51234", "203.0.113.9"),
        (1, "2001:db8::9", "2001:db8::9"),
        (1, "[2001:db8::9]", "2001:db8::9"),
        (1, "[2001:db8::9]:443", "2001:db8::9"),
        (1, "unknown", "unknown"),
        (2, ",,,", "192.0.2.1"),
    ],
)
def test_a_client_is_who_the_trusted_proxies_say(proxies: int, forwarded: str, client: str) -> None:
    assert client_address("192.0.2.1", forwarded, proxies) == client


def test_applications_see_the_client_behind_a_trusted_proxy(
    site: Published, tmp_path: Path
) -> None:
    served = Served(site, tmp_path, proxies=1)
    exchange = Exchange([b"x"])
    forwarded = [("x-forwarded-for", "evil"), ("x-forwarded-for", "203.0.113.9")]
    headers = [("host", "a"), *forwarded]
    served.run(served.ask("/form", "POST", exchange=exchange, headers=headers))
    assert exchange.headers["X-Client"] == "203.0.113.9"


def test_the_backs_socket_is_in_a_private_folder_that_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with private_address() as address, listen(address):
        assert Path(address).parent.stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["t" * 100, "none"])
def test_where_there_can_be_no_socket_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    if folder != "none":
        (tmp_path / folder).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / folder))
    with pytest.raises(CalfeedError, match="TMPDIR"), private_address():
        pass
