"""A dead man's switch is pinged while all is well, and only then."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from calfeed.errors import SettingsError
from calfeed.services.watching import dead_man
from calfeed.services.watching.dead_man import (
    MAX_LAG,
    DeadMansSwitch,
    has_space,
    is_on_time,
    pinging,
)
from calfeed.services.watching.heartbeat_writer import beating
from calfeed.settings import Settings, load_settings
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.store.watching.heartbeats import ProcessKind
from tests.acceptance.postgresql import run_postgresql
from tests.acceptance.site import until
from tests.cli.conftest import records as records
from tests.cli.records import Records
from tests.loopback import Handler, Loopback

SECRET = "zq7-undisclosed-8842"


class Pinged(Handler):
    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        self.server.owner.paths.append(self.path)
        self.send_response(500 if "broken" in self.path else 202)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Switch(Loopback):
    """A dead man's switch; `paths` are those of its pings."""

    def __init__(self) -> None:
        super().__init__(Pinged)
        self.paths: list[str] = []

    def settings(self, path: str) -> Settings:
        url = f"http://127.0.0.1:{self.port}/{path}"
        return Settings(heartbeat_url=SecretStr(url), allow_private_endpoints=True)


@pytest.fixture
def switch() -> Iterator[Switch]:
    with Switch() as switch:
        yield switch


def test_it_is_pinged_while_all_is_well(switch: Switch) -> None:
    with pinging(switch.settings("id"), lambda: True):
        until(lambda: switch.paths == ["/id"], "a ping")


def test_it_is_not_pinged_if_something_is_wrong(switch: Switch) -> None:
    DeadMansSwitch(switch.settings("id"), lambda: False).ping()
    assert switch.paths == []


def test_a_private_address_needs_the_setting_for_it(
    switch: Switch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = switch.settings("id").model_copy(update={"allow_private_endpoints": False})
    DeadMansSwitch(settings, lambda: True).ping()
    assert switch.paths == []
    assert "the ping of CALFEED_HEARTBEAT_URL failed" in caplog.text


def test_failures_are_logged_once_and_without_the_url(
    switch: Switch, caplog: pytest.LogCaptureFixture
) -> None:
    pings = DeadMansSwitch(switch.settings(f"broken/{SECRET}"), lambda: True)
    pings.ping()
    pings.ping()
    assert len(switch.paths) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "the ping of CALFEED_HEARTBEAT_URL failed: 127.0.0.1: it responds with 500"
    ]


def test_work_that_is_overdue_for_five_minutes_is_not_on_time(records: Records) -> None:
    records.tell()
    due = min(row.next_at for row in records.deliveries() if row.state == "pending")
    assert is_on_time(records.database, due + MAX_LAG)
    assert not is_on_time(records.database, due + MAX_LAG + timedelta(seconds=1))


def test_without_a_database_nothing_is_on_time(records: Records, tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/none/calfeed.sqlite3")) as nothing:
        assert not is_on_time(nothing, records.now)


@pytest.mark.parametrize("wrong", ["ping", f"ftp://{SECRET}.example.org", f"https:///{SECRET}"])
def test_the_setting_has_to_be_a_url_and_is_not_quoted(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CALFEED_HEARTBEAT_URL.*http or https") as refused:
        load_settings({"CALFEED_HEARTBEAT_URL": wrong}, tmp_path / "none.toml")
    assert SECRET not in str(refused.value)


def test_a_file_without_space_is_not_well(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_space(records.database)
    monkeypatch.setattr(dead_man, "MIN_FREE_BYTES", 1 << 62)
    assert has_space(records.database) is (records.database.file is None)


def is_pinged(pings: DeadMansSwitch, switch: Switch) -> bool:
    """Ping if all is well, and return whether the switch was pinged by now."""
    pings.ping()
    return switch.paths != []


@contextmanager
def full_disk() -> Iterator[None]:
    """Let this process add nothing to any file: what a full disk does, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_pings_stop_while_the_disk_takes_nothing(tmp_path: Path, switch: Switch) -> None:
    beat, now = timedelta(milliseconds=100), datetime.now(UTC)
    with closing(Database(f"sqlite:///{tmp_path}/calfeed.sqlite3")) as database:
        migrate(database)
        with beating(database, ProcessKind.WORKER, lambda: now, beat) as writer:
            pings = DeadMansSwitch(switch.settings("id"), writer.is_beating)
            with full_disk():
                until(lambda: not writer.is_beating(), "no heartbeat is written")
                pings.ping()
            assert switch.paths == []
            until(lambda: is_pinged(pings, switch), "a ping, as heartbeats are written again")


def test_the_pings_stop_while_the_database_is_stopped(switch: Switch) -> None:
    """A PostgreSQL of its own, stopped as by a power cut."""
    with run_postgresql() as server, closing(Database(server.url)) as database:
        migrate(database)
        now = datetime.now(UTC)
        pings = DeadMansSwitch(switch.settings("id"), lambda: is_on_time(database, now))
        server.stop_at_once()
        pings.ping()
        assert switch.paths == []
        server.start()
        until(lambda: is_pinged(pings, switch), "a ping, as it is back")
