"""The published state gives the same bytes in every process, and always."""

from __future__ import annotations

from contextlib import ExitStack
from urllib.error import URLError

import pytest

from tests.acceptance.site import Running, Site, split_feed, until
from tests.ports import free_port

FEEDS = [
    "/calendars.ics",
    "/calendars/afghan-refugees-pakistan.ics",
    "/calendars/meetings.ics",
    "/calendars/un-observances.ics",
]

# Timed series in three zones, each of which needs a VTIMEZONE.
MEETINGS = """
name: {en: Meetings, ur: اجلاس}
time_zone: America/New_York
events:
  desk:
    summary: {en: The desk meets, ur: ڈیسک کا اجلاس}
    start: 2024-09-23 10:30
    duration: 45 minutes
    categories: [desk, weekly]
    repeat: {rule: FREQ=WEEKLY, except: [2024-12-23 10:30]}
  karachi:
    summary: Karachi calls
    start: 2024-09-24 09:00
    time_zone: Asia/Karachi
    repeat: {rule: FREQ=MONTHLY;COUNT=40}
  geneva:
    summary: Geneva calls
    start: 2024-09-25 14:00
    time_zone: Europe/Zurich
    repeat: {rule: FREQ=MONTHLY}
"""

Answers = dict[str, tuple[bytes, str]]


@pytest.fixture
def webs(site: Site) -> Webs:
    site.environment["CALFEED_PUBLIC_URL"] = "https://calendar.example.org"
    site.remind()
    site.write("meetings.yaml", MEETINGS)
    site.do("publish")
    return Webs(site)


class Webs(ExitStack):
    """Web servers beside each other, each under an environment of its own."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site

    def start(self, processes: int, **environment: str) -> tuple[int, Running]:
        """A server that is ready: its port, and itself."""
        port = free_port()
        running = self.enter_context(
            self._site.running(
                *("web", "--processes", str(processes)),
                environment={"CALFEED_PORT": str(port), **environment},
            )
        )

        def is_ready() -> bool:
            assert running.process.poll() is None, running.everything
            try:
                return bool(self._site.get("/readyz", port))
            except URLError:
                return False

        until(is_ready, "the web server answers")
        return port, running

    def answers(self, port: int) -> Answers:
        """Each feed's bytes and ETag, the same each time one asks."""
        found = {}
        for path in FEEDS:
            asked = [self._site.get(path, port) for _ in range(6)]
            (found[path],) = {(body, str(headers["ETag"])) for body, headers in asked}
        return found

    def until_not(self, port: int, before: Answers) -> None:
        """Wait until a server has left a state behind."""
        path = "/calendars.ics"
        until(lambda: self._site.etag(path, port) != before[path][1], "a new state is served")


def test_two_web_servers_and_one_started_later_give_the_same_bytes_and_etags(webs: Webs) -> None:
    with webs:
        one, running = webs.start(1, PYTHONHASHSEED="1", TZ="America/New_York")
        other, _ = webs.start(2, PYTHONHASHSEED="2", TZ="Asia/Karachi")
        published = webs.answers(one)
        assert webs.answers(other) == published
        assert running.end() == 0
        later, _ = webs.start(1, PYTHONHASHSEED="3", TZ="Pacific/Kiritimati")
        assert webs.answers(later) == published


def test_publishing_the_same_definitions_again_changes_no_byte(webs: Webs, site: Site) -> None:
    with webs:
        port, _ = webs.start(1)
        published = webs.answers(port)
        assert "nothing to publish" in site.do("publish")
        later, _ = webs.start(1, PYTHONHASHSEED="4", TZ="Asia/Kolkata")
        assert webs.answers(later) == webs.answers(port) == published


def test_editing_one_event_changes_exactly_one_vevent_everywhere(webs: Webs, site: Site) -> None:
    with webs:
        ports = [webs.start(1, TZ=zone)[0] for zone in ("UTC", "Asia/Tokyo")]
        before = webs.answers(ports[0])
        site.edit("un-observances.yaml", "Observed since 1948; the", "Kept since 1948; the")
        site.do("publish")
        for port in ports:
            webs.until_not(port, before)
        after = webs.answers(ports[0])
        assert webs.answers(ports[1]) == after
    changed = {path for path in FEEDS if after[path] != before[path]}
    assert changed == {"/calendars.ics", "/calendars/un-observances.ics"}
    for path in changed:
        head, vevents, tail = split_feed(before[path][0])
        new_head, new_vevents, new_tail = split_feed(after[path][0])
        assert (new_head, new_tail, list(new_vevents)) == (head, tail, list(vevents))
        (uid,) = [uid for uid in vevents if new_vevents[uid] != vevents[uid]]
        assert b"SUMMARY;LANGUAGE=en:United Nations Day\r\n" in new_vevents[uid]
        assert b"SEQUENCE:0\r\n" in vevents[uid]
        assert b"SEQUENCE:1\r\n" in new_vevents[uid]
