"""Quickstarts, as somebody types them: the commands and files of a page, and what it shows.

In a block for the console, a line that begins with `$` is typed, and the lines below it are what is
printed; "..." is anything. A command that shows "Ctrl-C" as its end is left running. A block in
another language is put into the file that is named before it. A block of plain text is what a
running command prints next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_VARYING = "|".join(
    (
        r"\bep_\w{16}",
        r"\bwhsec_\S{44}",
        r"\bmsg_\w{32}",
        r"(?<!\S)[\w-]{43}(?![^\s\"])",
    )
)
"""Ids, secrets and tokens, which are different each time."""
_COUNT = r"\b\d+(?= ms| reminders planned)"


class Typed(NamedTuple):
    """A command, and what it prints."""

    command: str
    shown: str

    @property
    def characters(self) -> int:
        """How many are typed; ids and secrets are pasted."""
        return len(re.sub(_VARYING, "", self.command))

    @property
    def stays(self) -> bool:
        """Whether it runs until Ctrl-C ends it."""
        return "Ctrl-C" in self.shown.rpartition("\n")[2]


class Written(NamedTuple):
    """A file as it is to be."""

    path: str
    text: str


class Seen(NamedTuple):
    """What a running command prints now."""

    shown: str


def read_steps(page: Path) -> Iterator[Typed | Written | Seen]:
    """What a page tells to type and to write, in its order."""
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        text = found["text"]
        if found["kind"] == "console":
            for command, shown in _COMMAND.findall(text):
                yield Typed(command, shown.rstrip("\n"))
        elif found["kind"] == "text":
            yield Seen(text.rstrip("\n"))
        elif path := re.search(r"`([^`]+)`(?:, [^`]*)?:$", found["before"]):
            yield Written(path[1], text)


class Memory:
    """What is different here from what the pages show: ports, and the ids of each run."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    def here(self, text: str) -> str:
        """A text of a page, with what it is called here."""
        for shown, actual in self._known.items():
            text = text.replace(shown, actual)
        return text

    def recognises(self, shown: str, printed: str) -> bool:
        """Whether a command printed what a page shows; remember what is different."""
        names: list[str] = []

        def write(part: str) -> str:
            if re.fullmatch(_VARYING, part) and part not in self._known:
                names.append(part)
                return r"(\S+)"
            return re.sub(_COUNT, r"\\d+", re.escape(self.here(part)).replace(r"\ ", " "))

        lines = []
        for line in shown.splitlines():
            if line == "...":
                lines.append(r"(?:.*\n)*?")
                continue
            parts = re.split(rf"(\.\.\.|{_VARYING})", line)
            lines.append("".join(".*" if part == "..." else write(part) for part in parts) + r"\n")
        found = re.search("^" + "".join(lines), printed.rstrip("\n") + "\n", re.MULTILINE)
        if found is not None:
            self._known.update(zip(names, found.groups(), strict=True))
        return found is not None


def count_changed(before: str, after: str) -> int:
    """How many characters somebody types to make one text of another."""
    return sum(
        len(line) - 2
        for line in ndiff(before.splitlines(), after.splitlines())
        if line.startswith("+ ")
    )
