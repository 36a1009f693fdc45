"""Type the quickstart for operators at a new machine: `python -m tests.installing.machine`.

It makes a Debian system in a folder, boots it with systemd in a container, types what the page
says, and compares what it shows; then it saves a file several times. It needs root, mmdebstrap and
systemd-nspawn, and takes minutes, so no test runs it: run it after a change of that page or of the
units. The container has a network of its own. Only what installs packages has that of the machine.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.site import until
from tests.docs_pages import DOCS
from tests.installing.building import build
from tests.installing.typing import Memory, Seen, Typed, Written, read_steps
from tests.patience import PATIENCE

_PACKAGES = "systemd,systemd-sysv,dbus,sudo,ca-certificates,iproute2,procps"
_SOURCES = ("etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
"""Where this machine gets packages from, and which proxies of these it trusts."""
_FETCH = (
    "curl --silent --insecure --resolve calendar.example.org:443:127.0.0.1 "
    "https://calendar.example.org/calendars/dates.ics"
)
_ENVIRONMENT = ("HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "TERM=dumb")


class Machine:
    """A system that runs in a container, and somebody with a shell in it."""

    def __init__(self, root: Path, pid: int) -> None:
        self._root, self._pid = root, pid
        self._folder = "/root"

    def do(self, command: str) -> str:
        """Run a command, which has to succeed, and return what it printed."""
        done = self._run(command)
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\nexit code {done.returncode}")
        if command.startswith("cd "):
            self._folder = command.removeprefix("cd ")
        return done.stdout

    def is_up(self) -> bool:
        """Whether systemd has started what it starts."""
        return self._run("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        spaces = ["--mount", "--pid", "--uts", "--ipc"]
        spaces += [] if re.search(r"apt-get|/pip ", command) else ["--net"]
        shell = ["env", "-i", *_ENVIRONMENT, "bash", "-c", f"cd {self._folder} && {command}"]
        return subprocess.run(
            ["nsenter", "--target", str(self._pid), *spaces, *shell],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def write(self, path: str, text: str) -> None:
        self._root.joinpath(path.lstrip("/")).write_text(text, "utf-8")


def _install(root: Path) -> None:
    """Make a small Debian system, and put the files of a release where root begins."""
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", root],
        check=True,
    )
    for name in _SOURCES:
        if Path("/", name).exists():
            shutil.copyfile(Path("/", name), root / name)
    root.joinpath("etc/hosts").write_text("127.0.0.1 localhost machine\n")
    for file in build(root / "root"):
        print(file.name)


@contextmanager
def _booted(root: Path) -> Iterator[Machine]:
    words = ["--quiet", "--boot", "--register=no", "--keep-unit", "--private-network"]
    words += ["--link-journal=no", "--hostname=machine", f"--directory={root}"]
    with root.with_suffix(".log").open("wb") as log:
        container = subprocess.Popen(
            ["systemd-nspawn", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        pid = until(lambda: _find_systemd(container.pid), "the container")
        assert pid is not None
        try:
            machine = Machine(root, pid)
            until(machine.is_up, "systemd")
            yield machine
        finally:
            os.kill(pid, signal.SIGKILL)  # and with it, all that runs there
    finally:
        container.terminate()
        container.wait(PATIENCE)


def _find_systemd(container: int) -> int | None:
    """Return the number of the first process in a container, once it is systemd."""
    for pid in Path(f"/proc/{container}/task/{container}/children").read_text().split():
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].endswith("/systemd"):
                return int(pid)
    return None


def _type(machine: Machine, steps: Sequence[Typed | Written | Seen]) -> None:
    memory = Memory({})
    for step in steps:
        if isinstance(step, Written):
            print(f"{step.path}:\n{step.text}")
            machine.write(step.path, step.text)
        elif isinstance(step, Typed):
            print(f"$ {step.command}")
            printed = machine.do(step.command)
            print(printed)
            if not memory.recognises(step.shown, printed):
                sys.exit(f"The page shows:\n{step.shown}")


def _save_again_and_again(machine: Machine) -> None:
    """See that each save is published: systemd limits how often a path unit starts another."""
    for number in range(6):
        title = f"Saved {number} times"
        machine.do(f"sed -i 's/^name: .*/name: {title}/' /srv/calfeed/events/dates.yaml")
        until(partial(_is_published, machine, title), f"{title!r} in the feed")
        print(f"published: {title}")


def _is_published(machine: Machine, title: str) -> bool:
    return title in machine.do(_FETCH)


def main() -> None:
    """Exit with 1 at the first command that fails or prints something else."""
    with TemporaryDirectory(prefix="calfeed-machine-") as folder:
        root = Path(folder, "root")
        root.mkdir()
        _install(root)
        with _booted(root) as machine:
            began = time.monotonic()
            machine.do("apt-get -qq update")
            _type(machine, list(read_steps(DOCS / "quickstarts" / "operator.md")))
            _save_again_and_again(machine)
            print(f"all as the page says, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
