"""The life of an endpoint, as typed."""

from __future__ import annotations

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Site, until
from tests.ports import free_port


def test_an_endpoint_is_changed_as_said_and_shows_everything_but_its_secrets(site: Site) -> None:
    site.do("publish")
    url = f"http://127.0.0.1:{free_port()}/hooks/hunter2"
    words = ["--header", "Authorization: Bearer hunter2", "--header", "X-Desk: hunter2"]
    words += ["--rate", "60", "--time-zone", "Asia/Karachi", "--quiet", "22:00-07:00"]
    words += ["--digest", "monday@09:00", "--calendar", "un-observances", "--language", "fr"]
    added = site.ask("endpoint", "add", url, *words)
    assert added["headers"] == ["Authorization", "X-Desk"]
    expected = {"rate": 60, "time_zone": "Asia/Karachi", "quiet": "22:00-07:00"}
    assert added["options"] == {**expected, "digest": "monday@09:00", "language": "fr"}
    words = ["--no-header", "x-desk", "--header", "authorization: hunter2", "--no-digest"]
    words += ["--no-language"]
    words += ["--every", "calendar", "--type", "event.moved", "--description", "newsroom"]
    shown = site.do("endpoint", "update", added["id"], *words)
    told = site.ask("endpoint", "show", added["id"])
    assert told["headers"] == ["authorization"]
    assert told["options"] == {**expected, "digest": None, "language": None}
    assert (told["filters"]["calendars"], told["filters"]["types"]) == ([], ["event.moved"])
    assert (told["state"], told["deliveries"]) == ("active", {})
    everything = shown + site.do("endpoint", "show", added["id"]) + site.do("endpoint", "list")
    assert all(part in shown for part in ("newsroom", "22:00-07:00 (Asia/Karachi)", "event.moved"))
    assert "hunter2" not in everything + str(told) + str(added).replace(url, "")
    assert added["secret"] not in everything + str(told)


def test_what_cannot_be_changed_so_is_refused_and_nothing_changes(site: Site) -> None:
    site.do("publish")
    added = site.ask("endpoint", "add", "http://127.0.0.1:9/", "--rate", "60")
    before = site.ask("endpoint", "show", added["id"])
    for words, code, reason in (
        ([], 2, "give at least one option to change"),
        (["--rate", "6", "--no-rate"], 2, "either --rate or --no-rate"),
        (["--calendar", "x", "--rate", "6"], 1, "there is no calendar"),
        (["--header", "webhook-id: hunter2"], 1, "is set by calfeed itself"),
    ):
        refused = site.run("endpoint", "update", added["id"], *words)
        assert (refused.returncode, reason in refused.stderr) == (code, True), refused.stderr
        assert "hunter2" not in refused.stderr
    assert site.ask("endpoint", "show", added["id"]) == before


def test_an_endpoint_is_paused_tested_and_resumed(site: Site) -> None:
    site.do("publish")
    with Receiver() as receiver:
        name = site.ask("endpoint", "add", receiver.url)["id"]
        assert site.ask("endpoint", "pause", name)["held"] == 0
        refused = site.run("endpoint", "pause", name)
        assert (refused.returncode, "is paused; only an active" in refused.stderr) == (1, True)
        assert "received: status 204" in site.do("endpoint", "test", name)
        site.edit("afghan-refugees-pakistan.yaml", "start: 2025-06-30", "start: 2027-06-30")
        site.do("publish")
        with site.running("worker") as worker:
            until(lambda: site.ask("endpoint", "show", name)["deliveries"].get("held"), "held")
            assert len(receiver.posts) == 1
            assert "1 delivery is sent to it now" in site.do("endpoint", "resume", name)
            until(lambda: receiver.of_type("event.moved"), "the message that was held")
            worker.end()
        again = site.run("endpoint", "resume", name)
        assert (again.returncode, "cannot be resumed" in again.stderr) == (1, True)


def test_a_rotated_secret_signs_beside_the_one_before_it(site: Site) -> None:
    site.do("publish")
    with Receiver() as receiver:
        added = site.ask("endpoint", "add", receiver.url)
        rotated = site.ask("endpoint", "rotate", added["id"])
        assert rotated["secret"] != added["secret"]
        assert site.ask("endpoint", "show", added["id"])["former_secret_until"]
        site.do("endpoint", "test", added["id"])
        (post,) = receiver.posts
        post.verify(added["secret"])
        post.verify(rotated["secret"])
        own = "whsec_" + "A" * 32
        assert "no longer signs" in site.do("endpoint", "rotate", added["id"], "--secret", own)
        same = site.run("endpoint", "rotate", added["id"], "--secret", own)
        assert (same.returncode, own in same.stderr) == (1, False)
        assert own not in site.do("endpoint", "show", added["id"])
