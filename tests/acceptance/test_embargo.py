"""A date under embargo is public at its moment, and no earlier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until
from tests.acceptance.twins import OPEN, Twin

LIFT = datetime(2027, 6, 1, 0, 1, tzinfo=UTC)
EMBARGOED = """
  report: {summary: Report, start: 2027-07-01, embargo: 2027-06-01T00:01Z}
  reply: {summary: Reply, start: 3 days after report}
"""


def read_feed(site: Site) -> bytes:
    """The feed of the calendar; nothing before the web server has seen its publish."""
    try:
        return site.get("/calendars/press.ics")[0]
    except HTTPError:
        return b""


def test_at_the_moment_of_its_lift_a_date_is_public_with_what_is_counted_from_it(
    tmp_path: Path,
) -> None:
    twin = Twin(tmp_path / "site")
    files = {"open": OPEN.format(day=1) + EMBARGOED}
    twin.site.now = LIFT.replace(minute=0)
    twin.site.publish(files)
    assert "Report" not in twin.ask("/calendars/open.ics", "GET").text
    twin.site.now = LIFT
    twin.site.publish(files)
    feed = twin.ask("/calendars/open.ics", "GET").text
    assert "SUMMARY;LANGUAGE=en:Report\r\n" in feed
    assert "SUMMARY;LANGUAGE=en:Reply\r\n" in feed
    assert twin.ask("/calendars/open/reply/", "GET").status_code == 200
    twin.site.database.close()


def test_a_published_date_stays_as_it_is_until_the_embargo_on_its_change_is_over(
    tmp_path: Path,
) -> None:
    twin = Twin(tmp_path / "site")
    twin.site.now = LIFT.replace(day=1, hour=0, minute=0)
    calendar = "name: Open\ntime_zone: UTC\nevents:\n  report: {summary: Report, start: %s}\n"
    twin.site.publish({"open": calendar % "2027-07-01"})
    before = twin.ask("/calendars/open.ics", "GET")
    twin.site.publish({"open": calendar % "2027-07-08, embargo: 2027-06-01 00:01"})
    after = twin.ask("/calendars/open.ics", "GET")
    assert (before.data, before.headers["ETag"]) == (after.data, after.headers["ETag"])
    twin.site.now = LIFT
    twin.site.publish({"open": calendar % "2027-07-08, embargo: 2027-06-01 00:01"})
    assert "20270708" in twin.ask("/calendars/open.ics", "GET").text
    twin.site.database.close()


def test_serve_publishes_at_the_moment_and_tells_it_once_without_the_grace_time(
    site: Site, receiver: Receiver
) -> None:
    site.environment["CALFEED_GRACE"] = "3600"
    with site.serving() as serve:
        site.ask("endpoint", "add", receiver.url)
        lift = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=12)
        site.write(
            "press.yaml",
            "name: Press\ntime_zone: UTC\nevents:\n"
            f"  report: {{summary: Report, start: 2099-07-01, embargo: {lift:%Y-%m-%d %H:%M:%S}}}\n"
            "  reply: {summary: Reply, start: 3 days after report}\n",
        )
        serve.until_it_says("calendar press: new or changed")
        until(lambda: b"Press" in read_feed(site), "the web server has seen it")
        seen = read_feed(site)
        assert b"Report" not in seen or datetime.now(UTC) >= lift
        until(lambda: b"Reply" in read_feed(site), "it is public")
        assert datetime.now(UTC) >= lift
        posts = until(lambda: len(receiver.of_type("event.added")) >= 2, "both are announced")
        assert posts
        told = [post.message["data"]["event"]["slug"] for post in receiver.of_type("event.added")]
        assert sorted(told) == ["reply", "report"]
