"""One installation of calfeed as an operator has it: a folder, an environment, the command."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPMessage
from pathlib import Path
from typing import Any, TypeVar

from tests.acceptance.forking import can_fork, start_forker
from tests.acceptance.parts import AnyProcess
from tests.patience import PATIENCE
from tests.ports import free_port

BIN = Path(sys.executable).parent
SHIPPED = Path(__file__).parents[2] / "events"

Seen = TypeVar("Seen")

_REMINDERS = re.compile(r"^ *reminders: .*\n", re.MULTILINE)

_LONGEST_PAUSE = 0.08
"""Seconds between two looks at another process: looking takes its processor away."""


def until(look: Callable[[], Seen], what: str, seconds: float = PATIENCE) -> Seen:
    """Look again and again until there is something to see, and return it."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(pause)  # between two looks at another process, which cannot tell us
        pause = min(2 * pause, _LONGEST_PAUSE)
    return seen


class Running:
    """A command that runs in a session, and so a process group, of its own."""

    def __init__(self, process: AnyProcess, out: Path, err: Path) -> None:
        self.process = process
        self._out, self._err = out, err

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._out.read_text("utf-8")

    @property
    def errors(self) -> str:
        return self._err.read_text("utf-8")

    @property
    def everything(self) -> str:
        return self.output + self.errors

    def until_it_says(self, text: str, seconds: float = PATIENCE) -> None:
        def look() -> bool:
            assert text in self.everything or self.process.poll() is None, self.everything
            return text in self.everything

        until(look, f'"{text}" in its output:\n{self.everything}', seconds)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to this process alone, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def kill_group(self) -> None:
        """SIGKILL for the command and everything it started, all at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def members(self) -> dict[int, str]:
        """The processes of its group that are alive: what they were started as, by number."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                state, _, group = (
                    folder.joinpath("stat").read_text().rpartition(") ")[2].split()[:3]
                )
                if int(group) == self.process.pid and state != "Z":
                    words = folder.joinpath("cmdline").read_bytes().split(b"\0")
                    found[int(folder.name)] = " ".join(word.decode() for word in words)
        return found


class Site:
    """A folder with the shipped calendars, and calfeed's commands run in it.

    The calendars have no reminders, unless `remind` puts them back: their dates are real ones, so
    that on many days a reminder would be due, and sent while a test counts what it caused.
    """

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.events = folder / "events"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys = folder / "var" / "calfeed.keys"
        self._count = 0
        folder.mkdir(exist_ok=True)
        shutil.copytree(SHIPPED, self.events)
        for path in self.events.glob("*.yaml"):
            path.write_text(_REMINDERS.sub("", path.read_text("utf-8")), "utf-8")
        # With what pytest says of each test, no environment would be one to fork in.
        outer = {
            name: text
            for name, text in os.environ.items()
            if "CALFEED" not in name and not name.startswith("PYTEST_")
        }
        self.environment = outer | {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "CALFEED_PORT": str(self.port),
            "CALFEED_ALLOW_PRIVATE_ENDPOINTS": "1",
            **({"CALFEED_DATABASE_URL": database_url} if database_url else {}),
        }

    def remind(self, names: str = "*") -> None:
        """Let calendars be as they are shipped, with reminders; `names` is a pattern of them."""
        for path in SHIPPED.glob(f"{names}.yaml"):
            shutil.copy(path, self.events)

    def run(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `calfeed` to its end, whatever that is."""
        wanted = self.environment | dict(environment or {})
        if can_fork(wanted):
            return start_forker().run(words, self.folder, wanted)
        return subprocess.run(
            [BIN / "calfeed", *words],
            cwd=self.folder,
            env=wanted,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def do(self, *words: str) -> str:
        """Run `calfeed`, which has to succeed, and return what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, *words: str) -> Any:
        """Run `calfeed … --json`, and return the value it printed."""
        return json.loads(self.do(*words, "--json"))

    @contextmanager
    def running(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        through: Sequence[str] = (),
        output: Path | None = None,
        anew: bool = False,
    ) -> Iterator[Running]:
        """Run `calfeed` beside the test; nothing of it is left afterwards.

        It is started `through` another command, and writes its `output` to a file. Where `anew`, it
        is started from the beginning, which all else that can be forked is not.
        """
        self._count += 1
        out, err = (self.folder / f"{self._count}.{name}" for name in ("out", "err"))
        wanted = self.environment | dict(environment or {})
        process: AnyProcess
        with (output or out).open("wb") as stdout, err.open("wb") as stderr:
            if can_fork(wanted) and not (through or anew):
                process = start_forker().start(
                    words, self.folder, wanted, stdout.fileno(), stderr.fileno()
                )
            else:
                process = subprocess.Popen(
                    [*through, BIN / "calfeed", *words],
                    cwd=self.folder,
                    env=wanted,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                )
        running = Running(process, out, err)
        try:
            yield running
        finally:
            running.kill_group()

    @contextmanager
    def serving(
        self, *words: str, environment: Mapping[str, str] | None = None, anew: bool = False
    ) -> Iterator[Running]:
        """Run `calfeed serve`, ready to answer."""
        with self.running("serve", *words, environment=environment, anew=anew) as serve:
            serve.until_it_says("Ctrl-C ends it.")
            yield serve

    def get(self, path: str, port: int | None = None) -> tuple[bytes, HTTPMessage]:
        """Fetch a page or feed: its bytes and its headers."""
        address = f"http://127.0.0.1:{port or self.port}{path}"
        with urllib.request.urlopen(address, timeout=PATIENCE) as response:
            return response.read(), response.headers

    def etag(self, path: str, port: int | None = None) -> str:
        return str(self.get(path, port)[1]["ETag"])

    def write(self, name: str, text: str) -> None:
        """Write a definition file as editors do: to one side, then in its place."""
        aside = self.folder / name
        aside.write_text(text, "utf-8")
        aside.rename(self.events / name)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace what has to be in a definition file once."""
        text = (self.events / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} has {text.count(old)} of {old!r}"
        self.write(name, text.replace(old, new))


def split_feed(feed: bytes) -> tuple[bytes, dict[str, bytes], bytes]:
    """A feed's bytes in three: what is before its VEVENTs, each of these by UID, what follows."""
    head, *rest = feed.split(b"BEGIN:VEVENT\r\n")
    vevents = {}
    tail = b""
    for part in rest:
        body, _, tail = part.partition(b"END:VEVENT\r\n")
        (uid,) = [line for line in body.split(b"\r\n") if line.startswith(b"UID:")]
        vevents[uid.decode().removeprefix("UID:")] = body
    return head, vevents, tail
