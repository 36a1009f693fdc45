"""Nothing that gets into other hands gives a secret away; a lost key takes no more than it has to.

The long form of the first is `python -m tests.acceptance.secrecy`.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from tests.acceptance.receiver import Receiver
from tests.acceptance.secrecy import Day, search, try_a_day
from tests.acceptance.site import Site, until

GRANTS = "name: Grants\ntime_zone: UTC\nevents: {call: {summary: Call, start: 2099-01-01}}\n"


@pytest.mark.parametrize(
    "written", ["{}", "Bearer {}", "?key={}&", '"{}\\n"'], ids=["bare", "header", "query", "JSON"]
)
def test_the_search_finds_what_is_there(written: str) -> None:
    day = Day(titles=["Merger"])
    secret = day.make("token")
    plain = written.format(secret).encode()
    for content in (plain, b64encode(plain), b64encode(b"x" + plain), b64encode(b"xy" + plain)):
        assert search({"database": b"..." + content + b"..."}, day) == ["token is in database"]
    assert search({"log": b"Merger"}, day) == ["a title is in log"]


def test_after_a_days_work_no_secret_is_in_the_database_a_dump_or_the_log(
    engine: str, empty_url: str, tmp_path: Path
) -> None:
    url = "" if engine == "sqlite" else empty_url
    day, found = try_a_day(tmp_path / "site", url, rounds=1)
    assert found == []
    assert len(day.secrets) > 20


def test_with_a_lost_key_feeds_and_other_endpoints_go_on(site: Site, receiver: Receiver) -> None:
    site.do("publish")
    lost = site.ask("endpoint", "add", f"{receiver.url}/lost", "--description", "Robot")["id"]
    site.keys.rename(site.folder / "aside")
    said = site.run("keys", "list").stdout
    assert f"  {lost} (Robot): there is no file" in said
    site.do("keys", "rotate")
    well = site.ask("endpoint", "add", f"{receiver.url}/well")
    with site.serving(environment={"CALFEED_GRACE": "0"}) as serve:
        assert f"  {lost} (Robot): the key" in serve.everything
        assert b"BEGIN:VCALENDAR" in site.get("/calendars.ics")[0]
        site.write("grants.yaml", GRANTS)
        site.do("publish")
        until(lambda: receiver.of_type("event.added"), "the other endpoint is told")
        until(lambda: f"nothing can be sent to endpoint {lost}" in serve.everything, "the reason")
        refused = site.run("endpoint", "test", lost)
        assert refused.returncode == 1
        assert f"`calfeed endpoint update {lost} --url URL` gives the endpoint others" in (
            refused.stderr
        )
        renewed = site.ask("endpoint", "update", lost, "--url", f"{receiver.url}/again")
        site.do("endpoint", "test", lost)
        (probe,) = receiver.of_type("endpoint.test")
        probe.verify(renewed["secret"])
    assert {post.message["type"] for post in receiver.posts} == {"event.added", "endpoint.test"}
    receiver.of_type("event.added")[0].verify(well["secret"])
    assert site.ask("keys", "list")["lost"] == []


def test_a_restore_says_what_the_keys_do_not_open(site: Site, receiver: Receiver) -> None:
    site.do("publish")
    one = site.ask("endpoint", "add", receiver.url)["id"]
    said = site.do("backup", "copy.sqlite3")
    assert f"The keys of its secrets are not in it: keep a copy of {site.keys}" in said
    site.do("restore", "copy.sqlite3", "--yes")
    assert "cannot be read" not in said
    site.keys.unlink()
    site.do("keys", "rotate")
    said = site.do("restore", "copy.sqlite3", "--yes")
    assert "the URL, the headers and the secret of 1 endpoint cannot be read" in said
    assert one in said
