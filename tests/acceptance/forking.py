"""Runs `calfeed` commands in processes that need not import it first.

Importing is most of what a short command does, and a test of what a command does runs a dozen. So
a process that has imported everything forks for each of them. What it runs is `calfeed` as it is:
in a process of its own, with its own folder, environment, output and exit code. Commands that go on
beside a test, and some of each kind that end, are started from the beginning (`Site.running`).
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO

import calfeed
from calfeed.cli import main
from tests.patience import PATIENCE

_ENVIRONMENT = os.environ | {"LANG": "C.UTF-8"}
"""The environment in which everything was imported."""

_LONGEST = 1_000_000
"""Bytes of a request: words and environment."""


class Forker:
    """A process that forks for each command; commands run one after the other."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(other.fileno())],
                pass_fds=[other.fileno()],
                cwd=Path(__file__).parents[2],
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
            )
        self._own.settimeout(PATIENCE)

    def run(
        self, words: tuple[str, ...], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run `calfeed` with these words to its end."""
        with TemporaryFile() as out, TemporaryFile() as err:
            asked = json.dumps([words, str(folder), dict(environment)]).encode()
            with self._asking:  # several threads of a test may ask
                socket.send_fds(self._own, [asked], [out.fileno(), err.fileno()])
                code = int(self._own.recv(100))
            return subprocess.CompletedProcess(["calfeed", *words], code, _read(out), _read(err))


@cache
def start_forker() -> Forker:
    """The one of this process."""
    return Forker()


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether nothing in an environment is read when Python starts, or by a library of its own."""
    return all(
        _is_free(name) or _ENVIRONMENT.get(name) == text for name, text in environment.items()
    )


def _is_free(name: str) -> bool:
    return name.startswith("CALFEED_") or name == "HOME"


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    # With line ends as subprocess gives them for text.
    return file.read().decode().replace("\r\n", "\n").replace("\r", "\n")


def _serve(own: socket.socket) -> None:
    """Fork for each command that is asked for, until nobody can ask any longer."""
    while True:
        asked, files, _, _ = socket.recv_fds(own, _LONGEST, 2)
        if not asked:
            return
        child = os.fork()
        if not child:
            own.close()
            words, folder, environment = json.loads(asked)
            _become(words, folder, environment, files)
            main()
            return
        for file in files:
            os.close(file)
        own.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def _become(words: list[str], folder: str, environment: dict[str, str], files: list[int]) -> None:
    """Make this process one that was started so."""
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["calfeed", *words]


if __name__ == "__main__":
    for module in pkgutil.walk_packages(calfeed.__path__, "calfeed."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    import_module("alembic.command")  # which a first publish imports
    # What is imported is no garbage: looking through it would give each child a copy of it.
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as server:
        _serve(server)
