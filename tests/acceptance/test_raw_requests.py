"""What a real server makes of requests that no library would send, byte by byte."""

from __future__ import annotations

import socket

from tests.acceptance.site import Site
from tests.patience import PATIENCE

FORM = (
    "POST /console/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
)
CHUNKED = f"{FORM}Transfer-Encoding: chunked\r\n"
SAME = "Connection: close\r\n\r\n"

REQUESTS = {
    # A body that was understood is a form with a wrong token: 403.
    f"{FORM}Content-Length: 7\r\n\r\ntoken=x": 403,
    f"{CHUNKED}\r\n5\r\ntoken\r\n2\r\n=x\r\n0\r\n\r\n": 403,
    f"{CHUNKED}\r\n5;a=b\r\ntoken\r\n2\r\n=x\r\n0\r\n\r\n": 403,
    f"{CHUNKED}Content-Length: 3\r\n\r\n7\r\ntoken=x\r\n0\r\n\r\n": 403,
    # One that broke off is never acted on.
    f"{CHUNKED}\r\n7\r\ntoken=x\r\nZZ\r\n": 400,
    f"{FORM}Content-Length: 7\r\nContent-Length: 8\r\n\r\ntoken=xy": 400,
    f"{FORM}Content-Length: 7, 7\r\n\r\ntoken=x": 400,
    f"{FORM}Content-Length: -7\r\n\r\ntoken=x": 400,
    f"{FORM}Content-Length: +7\r\n\r\ntoken=x": 400,
    f"{FORM}Transfer-Encoding: gzip\r\n\r\ntoken=x": 400,
    f"{FORM}Content-Length: 1000000000\r\n\r\n": 413,
    f"{FORM}Content-Length: 700000\r\nExpect: 100-continue\r\n\r\n": 413,
    # Addresses and hosts.
    f"GET /calendars.ics HTTP/1.1\r\n{SAME}": 400,
    f"GET /calendars.ics HTTP/1.1\r\nHost: a\r\nHost: a\r\n{SAME}": 400,
    f"GET /calendars.ics HTTP/1.1\r\nHost: a/b\r\n{SAME}": 400,
    f"GET /calendars.ics HTTP/1.1\r\nHost: \xff\r\n{SAME}": 400,
    f"GET /calendars.ics HTTP/1.0\r\n{SAME}": 200,
    f"GET http://evil.example/calendars.ics HTTP/1.1\r\nHost: a\r\n{SAME}": 200,
    f"OPTIONS * HTTP/1.1\r\nHost: a\r\n{SAME}": 400,
    f"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n{SAME}": 501,
    f"get /calendars.ics HTTP/1.1\r\nHost: a\r\n{SAME}": 501,
    f"GET /%00%ff%c0%af%ed%a0%80?%00=%ff HTTP/1.1\r\nHost: a\r\n{SAME}": 404,
    f"GET /{'a' * 65_000} HTTP/1.1\r\nHost: a\r\n{SAME}": 404,
    f"GET /calendars.ics?{'a' * 65_000} HTTP/1.1\r\nHost: a\r\n{SAME}": 414,
}


def ask(site: Site, request: str) -> str:
    """Send a request; the head of the answer."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer.partition(b"\r\n\r\n")[0].decode("latin-1")


def test_odd_requests_are_refused_or_read_as_the_standards_say(site: Site) -> None:
    with site.serving(environment={"CALFEED_ADMIN_TOKEN": "a-token-that-nobody-guesses"}):
        for request, status in REQUESTS.items():
            said = ask(site, request)
            # The fifth wrong token of a minute is answered with 429.
            right = (status, 429) if status == 403 else (status,)
            assert int(said.split()[1]) in right, (request[:200], said)
        for path in ("//evil.example/calendars/un-observances", "///calendars/un-observances"):
            assert "evil" not in ask(site, f"GET {path} HTTP/1.1\r\nHost: a\r\n{SAME}")
