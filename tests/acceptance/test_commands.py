"""The commands of an operator's day, as typed."""

from __future__ import annotations

import json

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site
from tests.ports import free_port


def test_diff_tells_what_a_publish_would_do_and_does_nothing(site: Site) -> None:
    told = site.ask("diff")
    assert len(told["events"]) == 12
    assert {event["change"] for event in told["events"]} == {"added"}
    assert not (site.folder / "var" / "calfeed.sqlite3").exists()
    assert site.run("diff", "--exit-code").returncode == 1
    site.do("publish")
    assert "everything is as published" in site.do("diff", "--exit-code")


def test_diff_shows_a_moved_date_in_every_format_and_leaves_it_where_it_was(site: Site) -> None:
    site.do("publish")
    site.edit("afghan-refugees-pakistan.yaml", "start: 2025-06-30", "start: 2027-06-30")
    assert "moved from 30 June 2025 to 30 June 2027" in site.do("diff")
    markdown = site.do("diff", "--format", "markdown")
    assert "| moved |" in markdown
    assert "| 30 June 2027 | 30 June 2025 |" in markdown
    (moved,) = json.loads(site.do("diff", "--format", "json"))["events"]
    assert moved["start"] == "2027-06-30"
    assert moved["previous"]["start"] == "2025-06-30"
    assert site.do("diff") == site.do("diff")
    assert "stay-ends: moved" in site.do("publish")


def test_a_calendar_that_would_be_gone_is_told_by_diff_and_refused_by_publish(site: Site) -> None:
    site.do("publish")
    (site.events / "un-observances.yaml").unlink()
    assert "would be refused" in site.do("diff")
    refused = site.run("publish")
    assert refused.returncode == 1
    assert "--allow-removals" in refused.stderr
    assert "4 events withdrawn" in site.do("publish", "--allow-removals")


def test_an_endpoint_gets_what_it_asked_for_and_its_secret_is_shown_once(site: Site) -> None:
    site.remind()
    site.do("publish")
    with Receiver() as receiver:
        words = ["--calendar", "un-observances", "--type", "reminder.due"]
        added = site.ask("endpoint", "add", receiver.url, *words)
        assert added["secret"].startswith("whsec_")
        assert added["secret"] not in site.do("endpoint", "list")
        (listed,) = site.ask("endpoint", "list")
        assert listed["filters"]["calendars"] == ["un-observances"]
        assert "received: status 204" in site.do("endpoint", "test", added["id"])
        (post,) = receiver.posts
        post.verify(added["secret"])
    window = ["--from", "2026-12-01", "--to", "2027-02-01"]
    planned = site.ask("reminders", *window)
    assert {one["calendar"] for one in planned} == {"un-observances", "security-council-term"}
    for one in planned:
        wanted = [added["id"]] if one["calendar"] == "un-observances" else []
        assert one["endpoints"] == wanted
    site.do("endpoint", "remove", added["id"])
    assert site.ask("endpoint", "list") == []


def test_what_could_not_be_delivered_is_shown_and_can_be_sent_again(site: Site) -> None:
    site.do("publish")
    port = free_port()
    added = site.ask("endpoint", "add", f"http://127.0.0.1:{port}/")
    failed = site.run("endpoint", "test", added["id"])
    assert failed.returncode == 1
    assert "not received" in failed.stderr
    (row,) = site.ask("delivery", "list", "--pending")
    shown = site.ask("delivery", "show", str(row["id"]))
    (attempt,) = shown["attempts"]
    assert attempt["status"] is None
    assert attempt["error"]
    refused = site.run("delivery", "retry", str(row["id"]))
    assert refused.returncode == 1
    assert "is pending" in refused.stderr
