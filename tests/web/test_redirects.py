"""Redirects stay on the site, and https stays https."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.api_site import OPEN
from tests.web.published import BASE, Published, make_site
from tests.web.whole import make_whole

PATHS = [
    *("/", "/calendars/open/", "/calendars/open/fair/", "/embed/open/", "/search", "/nothing"),
    *("/calendars.ics", "/calendars.ics?lang=en", "/calendars/open.ics", "/calendars/open.json"),
    *("/calendars/open.jcal", "/calendars/open.csv", "/changes.atom", "/readyz"),
    *("/calendars/open/fair.ics", "/static/style.css", "/private/x/open.ics", "/console/sign-in"),
    *("/console/", "/api/", "/api/openapi.json", "/api/v1/calendars", "/api/v1/nothing"),
]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"open": OPEN})
    yield site
    site.database.close()


@pytest.mark.parametrize(
    ("base_url", "said"), [(BASE, ["max-age=31536000"]), ("http://calendar.example.org", [])]
)
def test_browsers_are_told_to_come_by_https_where_people_do(
    site: Published, base_url: str, said: list[str]
) -> None:
    client = make_whole(site, base_url).client
    for path in PATHS:
        for method in ("GET", "HEAD"):
            with client.open(path, method=method) as response:
                assert response.headers.getlist("Strict-Transport-Security") == said, path
    etag = client.get("/calendars.ics").headers["ETag"]
    unchanged = client.get("/calendars.ics", headers={"If-None-Match": etag})
    assert unchanged.status_code == 304
    assert unchanged.headers.getlist("Strict-Transport-Security") == said


@pytest.mark.parametrize(
    "path",
    [
        *("/calendars/open", "/calendars/open/fair", "/embed/open", "/console", "/console/nothing"),
        *("/api", "//evil.example/calendars/open", "//evil.example", "///evil.example/%2e%2e"),
        *("/console//evil.example", "/api//evil.example/", "/\\evil.example/calendars/open"),
        *("/console/sign-in/", "/api/v1//calendars", "/calendars//open"),
    ],
)
def test_no_redirect_leads_to_another_host_or_to_what_host_says(site: Published, path: str) -> None:
    client = make_whole(site).client
    for host in ("evil.example", "localhost"):
        for suffix in ("", "?q=//evil.example/"):
            response = client.get(path + suffix, headers={"Host": host})
            place = response.headers.get("Location", "/")
            assert place.startswith("/"), place
            assert not place.startswith(("//", "/\\")), place
            assert b"evil" not in response.data or response.status_code == 404
