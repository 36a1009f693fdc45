"""The packages hold everything, and the locked versions are those that pyproject.toml allows."""

from __future__ import annotations

import re
import tarfile
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from calfeed import __version__
from tests.installing.building import Built
from tests.installing.closure import ROOT
from tests.installing.libraries import read_lock

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUNTIME = [
    Requirement(line)
    for lines in (
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
    )
    for line in lines
]
LOCKS = ("requirements.lock", "constraints.txt")


def files_below(folder: str) -> set[str]:
    """The files of a folder, with what is behind a link; nothing that running has left."""
    return {
        f"{folder}/{path.relative_to(ROOT / folder)}"
        for linked in [ROOT / folder, *(ROOT / folder).iterdir()]
        if linked.is_dir()
        for path in linked.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_package_and_the_examples(built: Built) -> None:
    names = set(zipfile.ZipFile(built.wheel).namelist())
    assert files_below("calfeed") - names == set()
    assert {f"calfeed/examples/{path.name}" for path in (ROOT / "events").iterdir()} <= names
    others = {name for name in names if not name.startswith("calfeed/")}
    assert {name.split("/")[0] for name in others} == {f"calfeed-{__version__}.dist-info"}


@pytest.mark.slow
def test_the_source_distribution_has_what_building_reading_and_testing_need(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("calfeed", "docs", "events", "tests", "benchmarks"):
        assert files_below(folder) - names == set()
    assert {"Makefile", "CHANGELOG.md", "LICENSE", "pyproject.toml", *LOCKS} <= names


def test_the_examples_are_the_calendars_of_the_repository() -> None:
    assert (ROOT / "calfeed" / "examples").resolve() == ROOT / "events"


def test_the_version_has_a_section_of_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    unreleased, newest, *_ = re.findall(r"^## \[(.*)\]", text, re.MULTILINE)
    assert (unreleased, newest) == ("Unreleased", __version__)


def test_every_library_is_locked_in_a_version_that_is_allowed() -> None:
    """After a change of pyproject.toml, `make lock` makes this true."""
    locked = read_lock()
    for wanted in RUNTIME:
        entry = locked[canonicalize_name(wanted.name)]
        version = re.split(r"==| ", entry.partition("==")[2])[0].strip()
        assert wanted.specifier.contains(version, prereleases=True), f"{wanted}: {version}"
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize("name", LOCKS)
def test_the_locked_versions_name_no_host(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_each_library_stops_before_a_major_version_that_nobody_has_tried() -> None:
    """Data, and what counts by years, has none."""
    unbounded = {wanted.name for wanted in RUNTIME if "<" not in str(wanted.specifier)}
    assert unbounded == {"packaging", "tzdata", "webcolors"}


@pytest.mark.parametrize("page", ["README.md", "docs/operating.md", "docs/quickstarts/operator.md"])
def test_the_docs_name_the_wheel_of_this_version(page: str) -> None:
    named = re.findall(r"calfeed-([\d.]+)-py3-none-any\.whl", (ROOT / page).read_text("utf-8"))
    assert set(named) == {__version__}
