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

BOARD = """
name: Board
time_zone: UTC
visibility: private
events: {meeting: {summary: Merger, start: 2099-01-01}}
"""
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
    for place in ("log", "database"):
        assert search({place: written.format("Merger").encode()}, day) == [f"a title is in {place}"]


def test_after_a_days_work_no_secret_and_nothing_private_is_in_a_copy_or_the_log(
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
    assert f"  {lost} (Robot): there is no key file" in said
    site.do("keys", "rotate")
    well = site.ask("endpoint", "add", f"{receiver.url}/well")
    with site.serving(environment={"CALFEED_GRACE": "0"}) as serve:
        assert f"  {lost} (Robot): the key" in serve.everything
        assert b"BEGIN:VCALENDAR" in site.get("/calendars.ics")[0]
        site.write("grants.yaml", GRANTS)
        site.do("publish")
        until(lambda: receiver.of_type("event.added"), "the other endpoint is told")
        until(lambda: f"cannot send to endpoint {lost}" in serve.everything, "the reason")
        refused = site.run("endpoint", "test", lost)
        assert refused.returncode == 1
        assert f"`calfeed endpoint update {lost} --url URL` gives the endpoint a new URL" in (
            refused.stderr
        )
        renewed = site.ask("endpoint", "update", lost, "--url", f"{receiver.url}/again")
        site.do("endpoint", "test", lost)
        (probe,) = receiver.of_type("endpoint.test")
        probe.verify(renewed["secret"])
    assert {post.message["type"] for post in receiver.posts} == {"event.added", "endpoint.test"}
    receiver.of_type("event.added")[0].verify(well["secret"])
    assert site.ask("keys", "list")["lost"] == []


def test_a_publish_makes_a_private_calendar_anew_whose_key_is_lost(site: Site) -> None:
    site.write("board.yaml", BOARD)
    site.do("publish")
    site.keys.unlink()
    refused = site.run("publish")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "`calfeed keys rotate` creates another" in refused.stderr
    said = site.do("keys", "rotate")
    assert "private calendars that cannot be read: board. Put the keys back" in said
    assert site.ask("keys", "list")["lost_calendars"] == ["board"]
    assert "+ board/meeting: added" in site.do("publish")
    assert site.ask("keys", "list")["lost_calendars"] == []
    assert "Merger" in site.do("event", "history", "board/meeting")


def test_a_restore_says_what_the_keys_do_not_open(site: Site, receiver: Receiver) -> None:
    site.do("publish")
    one = site.ask("endpoint", "add", receiver.url)["id"]
    said = site.do("backup", "copy.sqlite3")
    assert f"The encryption keys are not in it: keep a copy of {site.keys}" in said
    site.do("restore", "copy.sqlite3", "--yes")
    assert "cannot be read" not in said
    site.keys.unlink()
    site.do("keys", "rotate")
    said = site.do("restore", "copy.sqlite3", "--yes")
    assert "the URL, the headers and the secret of 1 endpoint cannot be read" in said
    assert one in said
