"""vdirsyncer, a CalDAV client that keeps each event as a file."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.acceptance.site import BIN
from tests.patience import PATIENCE


class Vdirsyncer:
    """vdirsyncer with an account, and the folder of each calendar.

    With https, only the certificate `trusted` is.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        login: tuple[str, str] | None = None,
        trusted: Path | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir()
        named = f'username = "{login[0]}"\npassword = "{login[1]}"' if login else ""
        named += f'\nverify = "{trusted}"' if trusted else ""
        self._config = folder / "config"
        self._config.write_text(
            f'[general]\nstatus_path = "{folder}/status/"\n'
            '[pair both]\na = "web"\nb = "disk"\ncollections = ["from a"]\n'
            f'[storage web]\ntype = "caldav"\nurl = "{address}"\n{named}\n'
            f'[storage disk]\ntype = "filesystem"\npath = "{folder}/disk"\nfileext = ".ics"\n'
        )
        self.run("discover", "y\n" * 100)

    def run(self, word: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / "vdirsyncer", "-c", str(self._config), word],
            input=said,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={"HOME": str(self.folder), "LANG": "C.UTF-8"},
        )

    def files(self, calendar: str) -> dict[str, Path]:
        """The file of each event of a calendar, by UID."""
        found = {}
        for path in (self.folder / "disk" / calendar).glob("*.ics"):
            (line,) = [x for x in path.read_text().splitlines() if x.startswith("UID:")]
            found[line.removeprefix("UID:")] = path
        return found
