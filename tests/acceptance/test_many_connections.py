"""Connections that send nothing, or never end what they send, keep nobody else out.

`holding.py` is the load; `python -m benchmarks held` measures beside it.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from tests.acceptance.site import Running, Site, until
from tests.patience import PATIENCE

CONNECTIONS = 1_200
"""More than the server held, of each kind, before it was told to hold more."""


@pytest.fixture
def _many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.mark.usefixtures("_many_files")
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["", "half"])
def test_connections_that_send_no_request_are_closed_and_keep_nobody_out(
    site: Site, sent: bytes
) -> None:
    with site.serving(), ExitStack() as stack:
        held = []
        for _ in range(CONNECTIONS):
            held.append(stack.enter_context(socket.create_connection(("127.0.0.1", site.port))))
            held[-1].sendall(sent)
        assert site.get("/healthz")[0] == b"ok\n"
        for connection in held:
            connection.setblocking(False)
        until(lambda: all(map(is_closed, held)), "every connection is closed")
        assert site.get("/calendars.ics")[0]


TOKEN = "a-token-that-nobody-guesses"
LARGE = "".join(
    f"  event-{number}: {{summary: Event {number}, start: 2027-01-01 12:00}}\n"
    for number in range(1_000)
)
FEED, JCAL = "/calendars/un-observances.ics", "/calendars/large.jcal"


@contextmanager
def holding(site: Site) -> Iterator[None]:
    """Hold the server with all that `holding.py` has."""
    command = [sys.executable, "-m", "tests.acceptance.holding", str(site.port), JCAL, "600", "600"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"holding\n"
            yield
        finally:
            process.stdin.close()
            process.stdout.read()


def status_of(site: Site, path: str, **headers: str) -> int:
    asked = urllib.request.Request(site.url + path, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return int(answer.status)
    except HTTPError as answer:
        with answer:
            return answer.code


def sign_in(site: Site) -> str:
    """Sign in to the console by its form; where that leads."""
    visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = visitor.open(f"{site.url}/console/sign-in", timeout=PATIENCE).read().decode()
    found = re.search(r'name="form_token" value="([^"]*)"', page)
    assert found, page
    form = urlencode({"form_token": found[1], "token": TOKEN}).encode()
    with visitor.open(f"{site.url}/console/sign-in", form, timeout=PATIENCE) as answer:
        return str(answer.url)


@pytest.mark.usefixtures("_many_files")
def test_a_server_that_is_held_in_every_way_answers_feeds_pages_and_forms(site: Site) -> None:
    site.write("large.yaml", f"name: Large\ntime_zone: UTC\nevents:\n{LARGE}")
    with site.serving(environment={"CALFEED_ADMIN_TOKEN": TOKEN}):
        tag, page = site.etag(FEED), site.get("/")[0]
        with holding(site):
            for _ in range(100):
                assert status_of(site, FEED, **{"If-None-Match": tag}) == 304
            assert site.get("/healthz")[0] == b"ok\n"
            assert site.get("/")[0][:100] == page[:100]
            assert sign_in(site) == f"{site.url}/console/"
            assert site.get(JCAL)[0]


def test_feeds_outlast_the_process_that_makes_pages_which_comes_back(site: Site) -> None:
    with site.serving(anew=True) as serve:
        feed = site.get(FEED)[0]
        assert site.get("/subscribe/")[0]
        os.kill(back_of(serve), signal.SIGKILL)
        assert site.get(FEED)[0] == feed
        until(lambda: status_of(site, "/readyz") == 200, "pages are made again")
        site.edit("un-observances.yaml", "en: Human Rights Day", "en: Day of Human Rights")
        until(lambda: b"Day of Human Rights" in site.get(FEED)[0], "a publish shows")


def back_of(serve: Running) -> int:
    """The process that makes what is not settled."""
    (found,) = (pid for pid, words in serve.members().items() if "calfeed.web" in words)
    return found
