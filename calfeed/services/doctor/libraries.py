"""Python, the libraries, and the data in them: time zones and holidays."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, distributions, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from calfeed import __version__
from calfeed.counting import count
from calfeed.services.doctor.findings import Finding, ok, problem, warning

_PYTHON, _ZONES, _HOLIDAYS = "Python", "zone data", "holidays"


def check_libraries() -> Iterator[Finding]:
    """Compare the installed libraries with those that this version of calfeed requires."""
    try:
        lines = requires("calfeed") or []
    except PackageNotFoundError:
        yield warning(_PYTHON, "calfeed runs from its source, so its libraries are not compared")
        return
    installed: dict[str, str] = {
        str(canonicalize_name(found.metadata["Name"])): found.version for found in distributions()
    }
    yield judge_libraries([Requirement(line) for line in lines], installed)


def judge_libraries(wanted: Sequence[Requirement], installed: Mapping[str, str]) -> Finding:
    """Compare requirements with `installed`, the versions of distributions by canonical name.

    It is not a problem if a library that only an extra requires is not installed.
    """
    wrong, compared = [], 0
    for each in wanted:
        found = installed.get(canonicalize_name(each.name))
        optional = each.marker is not None and not each.marker.evaluate({"extra": ""})
        compared += found is not None
        if found is None and not optional:
            wrong.append(f"{each.name} is not installed")
        elif found is not None and not each.specifier.contains(found, prereleases=True):
            wrong.append(f"{each.name} {found} is installed, not {each.specifier}")
    if wrong:
        return problem(_PYTHON, ", ".join(wrong), "install calfeed again, with its libraries")
    return ok(
        _PYTHON,
        f"{platform.python_version()} with calfeed {__version__}, SQLite {sqlite3.sqlite_version} "
        f"and {count(compared, 'library')} in versions that fit",
    )


def check_zone_data(today: date) -> Iterator[Finding]:
    """Judge the release of the zone rules, and report the release of the holidays."""
    yield judge_zone_data(version("tzdata"), today)
    yield ok(
        _HOLIDAYS,
        f"release {version('holidays')}; use the same on all machines, and upgrade it on its own",
    )


def judge_zone_data(release: str, today: date) -> Finding:
    """Judge a release of tzdata, such as 2026.1, by its year."""
    year = int(release.split(".")[0])
    if year < today.year - 1:
        return warning(
            _ZONES,
            f"tzdata {release} is more than a year old, and governments change their clocks",
            "upgrade tzdata on all machines, then publish",
        )
    return ok(_ZONES, f"tzdata {release}")
