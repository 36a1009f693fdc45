"""Evolution of one person: its data server in a session bus and a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).with_name("evolution_script.py")
_REGISTRY = Path("/usr/libexec/evolution-source-registry")
_LIBRARY = Path("/usr/lib/python3/dist-packages/gi")


class Evolution:
    """`calendars` are the addresses that it found, by name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.calendars: dict[str, str] = self._read()

    def ask(self, word: str, calendar: str) -> Any:
        """Let it refresh, list or write a calendar, or say whether that is read-only."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word} {calendar}\n")
        self._process.stdin.flush()
        return self._read()

    def events(self, calendar: str) -> dict[str, str]:
        """The text of each event that it has, by UID."""
        texts: list[str] = self.ask("list", calendar)
        lines = {text: text.replace("\r\n ", "").splitlines() for text in texts}
        return {
            line.removeprefix("UID:"): text
            for text in texts
            for line in lines[text]
            if line.startswith("UID:")
        }

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        while line and not line.startswith(("{", "[", "true", "false", "null", '"')):
            line = self._process.stdout.readline()  # gnome-keyring says where it is
        return json.loads(line)


@contextmanager
def evolution(folder: Path, address: str) -> Iterator[Evolution]:
    """Evolution with an account at an address; skipped where there is none."""
    if not (_REGISTRY.exists() and _LIBRARY.exists()) and not os.environ.get("CI"):
        pytest.skip("needs evolution-data-server and its Python bindings")
    folder.mkdir()
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    # The bus is set up anew for each, and ends with the script.
    command = ["dbus-run-session", "--", _PYTHON, str(_SCRIPT), address]
    with (
        folder.joinpath("errors").open("w") as errors,
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        yield Evolution(process)
        assert process.stdin is not None
        process.stdin.close()
