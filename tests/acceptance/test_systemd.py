"""systemd's units are valid and hardened, and calfeed tells systemd how it is."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.site import BIN, Site
from tests.patience import PATIENCE

UNITS = sorted(Path(__file__).parents[2].joinpath("deploy", "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
MAX_EXPOSURE = "20"
"""In tenths; 2 of 10 is what systemd itself calls OK."""


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        assert not os.environ.get("CI"), "systemd is not installed"
        pytest.skip("systemd is not installed")
    return found


def test_there_is_a_unit_for_each_part() -> None:
    assert [unit.name for unit in UNITS] == [
        "calfeed-publish.path",
        "calfeed-publish.service",
        "calfeed-publish.timer",
        "calfeed-web.service",
        "calfeed-worker.service",
        "calfeed.service",
    ]


def test_systemd_finds_nothing_wrong_with_the_units(analyze: str, tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/opt/calfeed/bin/calfeed", str(BIN / "calfeed"))
        tmp_path.joinpath(unit.name).write_text(text)
    units = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True)
    # An unknown key is only said, with exit code 0.
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_saves_that_follow_each_other_quickly_do_not_stop_the_path_unit() -> None:
    """Beyond its limits, systemd would give up until somebody starts the units again."""
    path, service = (
        next(unit for unit in UNITS if unit.name == f"calfeed-publish.{kind}").read_text()
        for kind in ("path", "service")
    )
    assert "\nTriggerLimitIntervalSec=0\n" in path
    assert "\nStartLimitIntervalSec=0\n" in service


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_confined(analyze: str, unit: Path) -> None:
    done = subprocess.run(
        [analyze, "security", "--offline=true", f"--threshold={MAX_EXPOSURE}", str(unit)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


class Manager:
    """The socket of a service manager, which hears what services say."""

    def __init__(self, path: Path, socket_: socket.socket) -> None:
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1500000"}
        self._socket = socket_

    def hear(self) -> str:
        return self._socket.recv(1000).decode()

    def hear_until(self, state: str) -> None:
        while self.hear() != state:
            pass

    def hear_silence(self, seconds: float) -> None:
        """Return once nothing has been said for so long; what was said before does not count."""
        self._socket.settimeout(seconds)
        with suppress(TimeoutError):
            while True:
                self.hear()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(path))
        heard.settimeout(PATIENCE)
        yield Manager(path, heard)


@pytest.mark.parametrize("command", ["serve", "web", "worker"])
def test_a_service_says_that_it_is_ready_works_and_stops(
    site: Site, manager: Manager, command: str
) -> None:
    site.do("publish")
    with site.running(command, environment=manager.environment) as running:
        assert manager.hear() == "READY=1"
        if command != "worker":
            assert site.get("/healthz")[0] == b"ok\n"
        assert [manager.hear() for _ in range(3)] == ["WATCHDOG=1"] * 3
        running.process.send_signal(signal.SIGTERM)
        manager.hear_until("STOPPING=1")


def test_a_web_server_that_hangs_is_no_longer_said_to_work(site: Site, manager: Manager) -> None:
    """Its processes are all there, so that only the watchdog finds out."""
    site.do("publish")
    with site.running("web", environment=manager.environment) as running:
        manager.hear_until("WATCHDOG=1")
        frontends = [
            number
            for number, words in running.members().items()
            if number != running.process.pid and words.rstrip().endswith("calfeed web")
        ]
        assert frontends
        for number in frontends:
            os.kill(number, signal.SIGSTOP)
        manager.hear_silence(4.0)
