"""`calfeed doctor`, in an installation that works and in those that do not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.site import Site
from tests.privileges import WITHOUT_PRIVILEGES

SITE = "name: Dates\nlanguages: [en]\n"


def examine(
    site: Site, environment: Mapping[str, str] | None = None, *, code: int = 0
) -> dict[str, tuple[str, str]]:
    """What the doctor says of each subject: how bad it is, and its text with the advice."""
    done = site.run("doctor", environment=environment)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
    *lines, last = done.stdout.splitlines()
    assert last.endswith(("warnings", "warning"))
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        level, rest = line[:7].strip(), line[9:]
        subject, _, text = rest.partition("  ")
        if found.get(subject, ("",))[0] != "problem":
            found[subject] = (level, text.strip())
    return found


def test_an_installation_that_works_is_reached_by_its_public_url(site: Site) -> None:
    site.write("site.yaml", SITE)
    public = {"CALFEED_PUBLIC_URL": site.url}
    with site.serving(environment=public):
        found = examine(site, public)
        assert {level for level, _ in found.values()} == {"ok"}, found
        assert found["public URL"][1] == f"{site.url} is answered by this installation"
        assert {"database file", "worker", "proxies", "keys", "definitions"} <= found.keys()
        trusting = examine(site, public | {"CALFEED_TRUSTED_PROXIES": "1"}, code=1)
        assert trusting["proxies"][0] == "problem"
        # Another installation at the same address.
        other = site.folder / "other"
        assert site.run("publish", environment={"CALFEED_DATA": str(other)}).returncode == 0
        confused = examine(site, public | {"CALFEED_DATA": str(other)}, code=1)
        assert "answered by another installation" in confused["public URL"][1]
        assert confused["web server"][0] == "problem"
    listed = site.run("doctor", "--json").stdout
    assert '"subject": "public URL"' in listed


def break_settings(site: Site) -> None:
    (site.folder / "calfeed.toml").write_text('port = 99999\ncolour = "red"\n')


def break_definitions(site: Site) -> None:
    site.write("broken.yaml", "name: [")


def remove_definitions(site: Site) -> None:
    site.events.rename(site.folder / "elsewhere")


def damage_database(site: Site) -> None:
    (site.folder / "var" / "calfeed.sqlite3").write_bytes(b"no database\n" * 1_000)


def age_database(site: Site) -> None:
    change(site, "UPDATE alembic_version SET version_num = '0001'")


def renew_database(site: Site) -> None:
    change(site, "UPDATE alembic_version SET version_num = '9999'")


def lose_keys(site: Site) -> None:
    site.do("endpoint", "add", "http://127.0.0.1:9/")
    site.keys.unlink()


def leave_a_reminder(site: Site) -> None:
    site.remind()
    site.do("publish")
    change(site, "UPDATE reminders SET due = 978307200000000, state = 'planned'")


def change(site: Site, statement: str) -> None:
    with closing(sqlite3.connect(site.folder / "var" / "calfeed.sqlite3")) as connection:
        connection.execute(statement)
        connection.commit()


BROKEN: dict[str, tuple[Callable[[Site], None], str, str]] = {
    "settings": (break_settings, "settings", "colour in calfeed.toml is not a setting"),
    "definitions": (break_definitions, "definitions", "events/broken.yaml:2:1"),
    "no definitions": (remove_definitions, "", "nothing can be published from here"),
    "damaged": (damage_database, "database file", "is not a SQLite database"),
    "older": (age_database, "database", "`calfeed publish` brings it up to date"),
    "newer": (renew_database, "database", "made by a newer calfeed"),
    "no keys": (lose_keys, "keys", "put your copy of the file there"),
    "no worker": (leave_a_reminder, "worker", "2001-01-01 00:00 UTC is not sent"),
}


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", BROKEN)
def test_whatever_is_broken_is_named_with_what_to_do_and_nothing_is_changed(
    name: str, site: Site
) -> None:
    break_it, subject, words = BROKEN[name]
    site.do("publish")
    break_it(site)
    before = state_of(site.folder)
    found = examine(site, code=1 if subject else 0)
    if subject:
        assert found[subject][0] == "problem"
        assert words in found[subject][1]
    else:
        assert words in found["definitions"][1]
    assert state_of(site.folder) == before


def test_everything_that_can_be_set_and_does_not_answer_is_named_without_secrets(
    site: Site,
) -> None:
    site.do("publish")
    for path in (site.folder / "var").iterdir():
        path.chmod(0o644)
    (site.folder / "channels.toml").write_text("[chat]\nurl = 7\n")
    environment = {
        "CALFEED_PUBLIC_URL": "https://127.0.0.1:9",
        "CALFEED_MAIL_URL": "smtp://ada:hunter2@127.0.0.1:9",
        "CALFEED_MAIL_FROM": "dates@example.org",
        "CALFEED_CHANNELS": "channels.toml",
        "CALFEED_PUSH_CONTACT": "mailto:dates@example.org",
    }
    found = examine(site, environment, code=1)
    for subject in ("public URL", "mail", "channels"):
        assert found[subject][0] == "problem", found
    assert "nothing accepts connections" in found["mail"][1]
    assert "hunter2" not in str(found)
    assert "mode 644" in found["secret files"][1]
    assert (site.folder / "var" / "calfeed.sqlite3").stat().st_mode & 0o777 == 0o644
    away = {"CALFEED_DATABASE_URL": "postgresql://ada:hunter2@127.0.0.1:9/dates"}
    nowhere = examine(site, away, code=1)
    assert nowhere["database"][0] == "problem"
    assert "hunter2" not in str(nowhere)
    other = examine(site, {"CALFEED_DATABASE_URL": "mysql://x/y"}, code=1)
    assert other["database"][0] == "problem"


@pytest.mark.parametrize(
    ("kept", "words"),
    [(0o555, "this user may not write to"), (0o000, "this user may not enter")],
)
def test_a_data_folder_of_another_user_is_a_problem(site: Site, kept: int, words: str) -> None:
    site.do("publish")
    data = site.folder / "var"
    modes = {path: path.stat().st_mode & 0o777 for path in [*data.iterdir(), data]}
    try:
        for path, mode in modes.items():
            path.chmod(mode & kept)
        with site.running("doctor", through=WITHOUT_PRIVILEGES) as doctor:
            assert doctor.process.wait() == 1
        assert words in doctor.output
        assert "cannot be checked" not in doctor.output
        assert doctor.errors == ""
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
