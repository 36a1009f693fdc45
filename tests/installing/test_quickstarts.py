"""The quickstarts are typed as they are, from nothing but the wheel, and show what is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.site import BIN, Running, until
from tests.docs_pages import DOCS
from tests.installing.building import Built
from tests.installing.desk import Desk, installed
from tests.installing.pythons import RUNNING
from tests.installing.typing import Memory, Seen, Typed, Written, count_changed, read_steps
from tests.patience import PATIENCE
from tests.ports import free_port

pytestmark = pytest.mark.slow

_CHARACTERS_PER_MINUTE = 200
"""Forty words a minute, as most people type."""


class Typist:
    """Types pages at a desk; a subscriber's programs are another user's, at home."""

    def __init__(self, desk: Desk, home: Path, stack: ExitStack) -> None:
        port = free_port()
        self.memory = Memory(
            {
                "127.0.0.1:8000": f"127.0.0.1:{desk.port}",
                "127.0.0.1:9000": f"127.0.0.1:{port}",
                "calfeed listen": f"calfeed listen --port {port}",
            }
        )
        self.characters = 0
        self._desk, self._home, self._stack = desk, home, stack
        self._running: dict[str, Running] = {}

    def type_page(self, name: str) -> None:
        for step in read_steps(DOCS / "quickstarts" / f"{name}.md"):
            if isinstance(step, Written):
                self._write(step)
            elif isinstance(step, Seen):
                self._wait(step.shown, *self._running.values())
            elif step.stays:
                self._start(step)
            else:
                self._type(step)

    def _write(self, step: Written) -> None:
        path = self._home / step.path[2:] if step.path[0] == "~" else self._desk.work / step.path
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text("utf-8") if path.exists() else ""
        self.characters += count_changed(before, step.text)
        path.write_text(self.memory.here(step.text), "utf-8")

    def _wait(self, shown: str, *running: Running) -> None:
        """Wait until one of them has printed what a page shows."""
        until(
            lambda: any(self.memory.recognises(shown, each.everything) for each in running),
            f"{shown}\nin {[each.everything for each in running]}",
        )

    def _start(self, step: Typed) -> None:
        """Run a command that stays; Ctrl-C ends the same one from before."""
        self.characters += step.characters
        if before := self._running.pop(step.command, None):
            before.end()
        words = self.memory.here(step.command).split()
        running = self._stack.enter_context(self._desk.running(*words))
        self._wait(step.shown, running)
        self._running[step.command] = running

    def _type(self, step: Typed) -> None:
        self.characters += step.characters
        command = self.memory.here(step.command)
        if "calfeed" in command or "curl" in command:
            printed = self._desk.do("sh", "-c", command)
        else:
            printed = self._do_at_home(command)
        assert self.memory.recognises(step.shown, printed), printed

    def _do_at_home(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            cwd=self._home,
            env={"HOME": str(self._home), "PATH": f"{BIN}:{os.defpath}", "LANG": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def test_the_first_date_client_and_webhook_take_less_than_five_minutes(
    built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a receiver shows has a valid signature. Then a program reads the API."""
    if not (shutil.which("curl") or os.environ.get("CI")):
        pytest.skip("there is no curl")
    with installed(built.wheel, RUNNING) as desk, ExitStack() as stack:
        typist = Typist(desk, tmp_path, stack)
        began = time.monotonic()
        for name in ("editor", "subscriber", "receiver"):
            typist.type_page(name)
        waited = time.monotonic() - began
        minutes = typist.characters / _CHARACTERS_PER_MINUTE
        with capsys.disabled():
            print(
                f"\n{typist.characters} characters, {minutes:.1f} minutes of typing, "
                f"{waited:.0f} s of waiting"
            )
        assert minutes < 5
        typist.type_page("developer")
