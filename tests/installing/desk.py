"""An installation of the wheel in an environment of its own, and a user without rights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.acceptance.site import Running
from tests.installing.closure import lend, list_paths
from tests.installing.pythons import AS_NOBODY, LIBRARIES, RUNNING, choose_python
from tests.patience import PATIENCE
from tests.ports import free_port

_CLEAN = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
"""The environment of pip, which is not to find calfeed anywhere else."""


class Desk:
    """An installation of the wheel, an empty folder, and a user who may write to that alone."""

    def __init__(self, folder: Path, python: str, through: list[str]) -> None:
        self.folder = folder
        self.venv, self.work = folder / "venv", folder / "work"
        self.data = self.work / "var"
        self._through = through
        self._count = 0
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "PATH": f"{self.venv}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "CALFEED_PORT": str(self.port),
            "TMPDIR": str(self.data),
        }
        self._do([python, "-m", "venv", "--without-pip", str(self.venv)])
        self.data.mkdir(parents=True)
        self._give(self.work, self.data)

    def install(self, wheel: Path, version: str) -> None:
        """Install the wheel, and what it needs, without the network."""
        command = [sys.executable, "-m", "pip", "--quiet", "--python", str(self.venv)]
        paths = list_paths() if version == RUNNING else (LIBRARIES / version).iterdir()
        site = self.venv / "lib" / f"python{version}" / "site-packages"
        lend(paths, site, copied=not self._may_enter(Path(sys.prefix)))
        self._do([*command, "install", "--no-index", "--no-deps", str(wheel)])
        self._do([*command, "check"])
        # As if it was root's, even if it is this user's.
        for path in (self.venv, *self.venv.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o555)

    def do(self, *words: str) -> str:
        """Run a command of the new environment, which has to succeed, as the user."""
        return self._do([*self._through, *words], cwd=self.work, env=self._environment)

    @contextmanager
    def running(self, *words: str) -> Iterator[Running]:
        """Run a command beside the test."""
        self._count += 1
        out, err = (self.folder / f"{self._count}.{name}" for name in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [*self._through, *words],
                cwd=self.work,
                env=self._environment,
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

    def lock_work(self) -> None:
        """Leave the user nothing to write to but the data folder."""
        for path in (self.work, *self.work.rglob("*")):
            if path != self.data:
                path.chmod(0o555 if path.is_dir() else 0o444)
                if os.geteuid() == 0:
                    os.chown(path, 0, 0)

    def get(self, path: str, etag: str = "") -> tuple[int, str, str]:
        """Fetch a page or a feed: the status, the text, and the ETag."""
        request = urllib.request.Request(self.url + path, headers={"If-None-Match": etag})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.read().decode(), response.headers["ETag"] or ""
        except urllib.error.HTTPError as error:
            return error.code, "", ""

    def _may_enter(self, folder: Path) -> bool:
        return subprocess.run([*self._through, "ls", folder], capture_output=True).returncode == 0

    def _give(self, *folders: Path) -> None:
        if self._through == AS_NOBODY:
            for folder in folders:
                shutil.chown(folder, "nobody", "nogroup")

    def _do(
        self, command: list[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            cwd=cwd,
            env=_CLEAN if env is None else env,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def installed(wheel: Path, version: str) -> Iterator[Desk]:
    """Install the wheel for a version of Python, which is on this machine."""
    chosen = choose_python(version)
    assert chosen is not None
    # Not in pytest's own folder, which nobody else may enter.
    folder = Path(mkdtemp(prefix="calfeed-installed-"))
    folder.chmod(0o755)
    try:
        desk = Desk(folder, *chosen)
        desk.install(wheel, version)
        yield desk
    finally:
        for path in (folder, *folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)
