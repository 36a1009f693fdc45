"""Real CalDAV clients have nothing but the site's address: they sync, and see what changes.

Each has a calendar of its own in one site, and a relay that counts what the server sends it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from caldav import davclient
from caldav.lib.error import AuthorizationError

from tests.acceptance.evolution import evolution
from tests.acceptance.relay import Relay
from tests.acceptance.site import BIN, Site, until
from tests.acceptance.subscriber import Subscriber
from tests.acceptance.thunderbird import thunderbird
from tests.acceptance.vdirsyncer import Vdirsyncer
from tests.patience import PATIENCE

EVENTS = 64

CHECKS = (
    "CheckGetCurrentUserPrincipal",
    "CheckWellKnown",
    "CheckPropfindAllprop",
    "CheckSupportedComponentSet",
    "CheckWWWAuthenticate",
)
"""The checks of caldav-server-tester that write nothing."""

FAIR, CALL, TALK = ("fair@example.org", "call@example.org", "talk@example.org")


DAVClient: Any = davclient.DAVClient
"""Without its types, which are those of a client that may also be asynchronous."""


class Desk:
    """A public calendar of a client's own, and a private one with its token."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name.title()
        self._files = (f"{name}.yaml", f"{name}-board.yaml")
        self._write("2027-02-01", "confirmed", talk=True)
        site.write(
            f"{name}-board.yaml",
            f"name: {self.board}\ntime_zone: UTC\nvisibility: private\n"
            f"events: {{meeting: {{summary: Quiet, start: 2027-01-05 10:00, uid: {self.quiet}}}}}",
        )
        site.do("publish")
        address = site.ask("token", "add", f"{name}-board")["address"]
        self.token = address.split("/")[-2]
        path = f"/private/{self.token}/{name}-board.ics"
        until(lambda: self._answers(path), "the calendars")

    @property
    def board(self) -> str:
        return f"{self.name} board"

    @property
    def quiet(self) -> str:
        return f"{self.name}-quiet@example.org"

    def uid(self, name: str) -> str:
        return f"{self.name}-{name}"

    def change(self) -> None:
        """Move the fair, cancel the call, withdraw the talk; return once that is served."""
        path = f"/calendars/{self.name.lower()}.ics"
        before = self.site.etag(path)
        self._write("2027-02-15", "cancelled", talk=False)
        self.site.do("publish")
        until(lambda: self.site.etag(path) != before, "the changed feed")

    def _answers(self, path: str) -> bool:
        try:
            return bool(self.site.get(path))
        except HTTPError:
            return False

    def _write(self, day: str, status: str, *, talk: bool) -> None:
        events = {
            FAIR: f"start: {day}",
            CALL: f"start: 2027-03-01 10:00, end: 2027-03-01 11:00, status: {status}",
            **({TALK: "start: 2027-03-02 10:00"} if talk else {}),
            **{f"n{n}@example.org": f"start: 2027-04-{1 + n % 28:02}" for n in range(EVENTS - 3)},
        }
        lines = [f"name: {self.name}", "time_zone: Europe/Berlin", "events:"]
        for uid, rest in events.items():
            name = uid.partition("@")[0]
            lines.append(f'  {name}: {{summary: {name}, uid: "{self.uid(uid)}", {rest}}}')
        self.site.write(self._files[0], "\n".join(lines))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("caldav") / "site")
    site.remind()
    with site.serving():
        yield site


@pytest.fixture
def relay(served: Site) -> Iterator[Relay]:
    with Relay(served.port) as relay:
        yield relay


def test_vdirsyncer_and_khal(served: Site, relay: Relay, tmp_path: Path) -> None:
    """They show a move, a cancelled and a withdrawn event; the second sync copies only those."""
    desk = Desk(served, "syncer")
    client = Vdirsyncer(tmp_path / "one", f"{relay.address}/")
    relay.take()
    assert client.run("sync").returncode == 0
    first = relay.take()
    files = client.files("syncer")
    assert len(files) == EVENTS
    times = {uid: path.stat().st_mtime_ns for uid, path in files.items()}
    # What a sync costs in which nothing has changed is most of a small one.
    assert client.run("sync").returncode == 0
    idle = relay.take()
    desk.change()
    assert client.run("sync").returncode == 0
    assert relay.take() - idle < (first - idle) / 2
    changed = {uid for uid, path in files.items() if path.stat().st_mtime_ns != times[uid]}
    assert changed == {desk.uid(FAIR), desk.uid(CALL), desk.uid(TALK)}
    assert "STATUS:CANCELLED" in files[desk.uid(TALK)].read_text()
    person = Subscriber(tmp_path / "khal", {"HOME": str(tmp_path), "PATH": str(BIN)})
    person.subscribe("syncer", "")
    (tmp_path / "khal" / "syncer").rmdir()
    (tmp_path / "khal" / "syncer").symlink_to(tmp_path / "one" / "disk" / "syncer")
    assert person.starts("syncer", "2027-02-01", "2027-02-28") == {("2027-02-15", "fair")}
    # What is written here does not get there, and the next sync goes on.
    new = files[desk.uid(FAIR)].read_text().replace(desk.uid(FAIR), "new@example.org")
    (tmp_path / "one" / "disk" / "syncer" / "new.ics").write_text(new)
    assert client.run("sync").returncode != 0
    (tmp_path / "one" / "disk" / "syncer" / "new.ics").unlink()
    assert client.run("sync").returncode == 0
    private = Vdirsyncer(tmp_path / "two", f"{relay.address}/", ("reader", desk.token))
    assert private.run("sync").returncode == 0
    assert set(private.files("syncer-board")) == {desk.quiet}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_python_caldav(served: Site, relay: Relay) -> None:
    """It finds the calendars, syncs by token, and goes on after writing was refused."""
    desk = Desk(served, "library")
    with DAVClient(url=f"{relay.address}/") as client:
        (calendar,) = [each for each in client.get_calendars() if "library" in str(each.url)]
        relay.take()
        known = calendar.objects_by_sync_token(load_objects=True)
        assert len(list(known)) == EVENTS
        first = relay.take()
        desk.change()
        changed = calendar.objects_by_sync_token(known.sync_token, load_objects=True)
        texts = {each.icalendar_component["uid"]: each.data for each in changed}
        assert set(texts) == {desk.uid(FAIR), desk.uid(CALL), desk.uid(TALK)}
        assert relay.take() < first / 4
        assert "DTSTART;VALUE=DATE:20270215" in texts[desk.uid(FAIR)]
        assert all("STATUS:CANCELLED" in texts[desk.uid(uid)] for uid in (CALL, TALK))
        with pytest.raises(AuthorizationError):
            calendar.save_event(texts[desk.uid(FAIR)].replace(desk.uid(FAIR), "new@example.org"))
        assert list(calendar.objects_by_sync_token(changed.sync_token)) == []
    login = f"{relay.address}/dav/login/"
    with DAVClient(url=login, username="reader", password=desk.token) as client:
        names = {each.get_display_name(): each for each in client.get_calendars()}
        assert {desk.name, desk.board} <= set(names)
        assert len(names[desk.board].events()) == 1


def test_evolution(served: Site, relay: Relay, tmp_path: Path) -> None:
    """It sees the changes after a refresh, knows that it may not write, and reads on."""
    desk = Desk(served, "evolution")
    with evolution(tmp_path / "one", f"{relay.address}/") as person:
        assert desk.name in person.calendars
        assert desk.board not in person.calendars
        relay.take()
        until(lambda: len(person.events(desk.name)) == EVENTS, "the first sync")
        first = relay.take()
        assert person.ask("readonly", desk.name) is True
        desk.change()
        person.ask("refresh", desk.name)
        moved = "DTSTART;VALUE=DATE:20270215"
        until(lambda: moved in person.events(desk.name)[desk.uid(FAIR)], "the move")
        assert relay.take() < first  # it lists all ETags, twice, and reads what is new
        events = person.events(desk.name)
        assert all("STATUS:CANCELLED" in events[desk.uid(uid)] for uid in (CALL, TALK))
        assert "error" in person.ask("write", desk.name)
        assert len(person.events(desk.name)) == EVENTS


def test_thunderbird(served: Site, relay: Relay, tmp_path: Path) -> None:
    """It sees the changes after a refresh, shows all calendars as read-only, and a private one."""
    desk = Desk(served, "thunderbird")
    with thunderbird(tmp_path / "profile") as person:
        relay.take()
        assert desk.name in person.add(f"{relay.address}/")
        until(lambda: len(person.events().get(desk.name, ())) == EVENTS, "the first sync")
        first = relay.take()
        assert person.read_only() == {True}
        desk.change()
        person.refresh()

        def start(uid: str) -> str:
            return person.events()[desk.name][desk.uid(uid)]

        until(lambda: start(FAIR) == "20270215 CONFIRMED", "the move")
        assert relay.take() < first / 2
        assert start(CALL) == "20270301T100000 CANCELLED"
        assert start(TALK) == "20270302T100000 CANCELLED"
        assert person.try_to_write(desk.name) == "refused"
        person.refresh()
        assert len(person.events()[desk.name]) == EVENTS
        realm = served.url.removeprefix("http://")
        login = f"{relay.address}/dav/login/"
        assert desk.board in person.add(login, "reader", desk.token, realm)
        until(lambda: set(person.events().get(desk.board, ())) == {desk.quiet}, "the private one")


def test_caldav_server_tester(served: Site, relay: Relay) -> None:
    """Its checks that only read find what a client looks for first."""
    command = [str(BIN / "caldav-server-tester"), "--caldav-url", f"{relay.address}/"]
    command += ["--format", "json", "--caldav-calendar", "Agent"]
    command += [part for name in CHECKS for part in ("--run-checks", name)]
    Desk(served, "agent")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    features = json.loads(done.stdout)["features"]
    lacking = {name for name, said in features.items() if said["support"] != "unknown"}
    assert lacking <= {"create-calendar"}, done.stdout
