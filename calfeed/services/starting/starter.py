"""The files that a new folder begins with, as texts by path."""

from __future__ import annotations

import re
from datetime import date, timedelta
from enum import StrEnum
from importlib.resources import files

import calfeed
from calfeed import __version__
from calfeed.model.site import DEFAULT_LANGUAGES

EVENTS = "events"
"""The folder of the definitions in a new folder."""

_SITE = f"{EVENTS}/site.yaml"
_SCHEMA = f"{EVENTS}/schema.json"
_FIRST_CALENDAR = f"{EVENTS}/dates.yaml"

_SCHEMA_LINE = re.compile(r"^(# yaml-language-server: \$schema=).*", re.MULTILINE)
_TOKEN = re.compile(r"@([a-z_]+)@")


class Ci(StrEnum):
    """A service that runs checks on a repository."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


_CI_FILES = {Ci.GITHUB: ".github/workflows/calfeed.yml", Ci.GITLAB: ".gitlab-ci.yml"}


def make_starter(today: date, ci: Ci, *, example: bool = False) -> dict[str, str]:
    """Return the text of each file of a new folder by its path, the definitions first.

    The dates of the first calendar come after `today`. With `example`, the folder has the calendars
    that calfeed ships instead of a first calendar.
    """
    languages = DEFAULT_LANGUAGES if example else DEFAULT_LANGUAGES[:1]
    values = {"languages": f"[{', '.join(languages)}]", "version": __version__}
    texts = {_SITE: _fill("site.yaml", values)}
    if example:
        texts |= _read_examples()
    else:
        texts[_FIRST_CALENDAR] = _fill("dates.yaml", _make_dates(today))
    schema = files(calfeed).joinpath("definitions", "schema.json")
    texts[_SCHEMA] = schema.read_text("utf-8")
    texts["calfeed.toml"] = _fill("calfeed.toml", values)
    texts[".gitignore"] = _fill("gitignore", values)
    if ci in _CI_FILES:
        texts[_CI_FILES[ci]] = _fill(f"{ci}.yml", values)
    return texts


def describes_calendar(path: str) -> bool:
    """Return whether a file of `make_starter` describes a calendar or the site."""
    return path.startswith(f"{EVENTS}/") and path != _SCHEMA


def _read_examples() -> dict[str, str]:
    """Return the shipped calendars, with the schema beside them."""
    folder = files(calfeed).joinpath("examples")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return {
        f"{EVENTS}/{name}": _SCHEMA_LINE.sub(
            r"\1schema.json", folder.joinpath(name).read_text("utf-8")
        )
        for name in names
    }


def _make_dates(today: date) -> dict[str, str]:
    """Return the dates of the first calendar: on working days, in the next months."""
    monday = today + timedelta(days=7 - today.weekday())
    meeting = monday + timedelta(weeks=9, days=3)
    hearing = today + timedelta(days=150)
    return {
        "monday": monday.isoformat(),
        "deadline": (monday + timedelta(weeks=5, days=4)).isoformat(),
        "meeting": meeting.isoformat(),
        "meeting_end": (meeting + timedelta(days=1)).isoformat(),
        "month": f"{hearing:%Y-%m}",
    }


def _fill(name: str, values: dict[str, str]) -> str:
    """Return a file of `files/`, with `@name@` replaced by a value."""
    text = files(__package__).joinpath("files", name).read_text("utf-8")
    return _TOKEN.sub(lambda match: values[match[1]], text)
