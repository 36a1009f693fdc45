"""Files with secrets in them are this user's alone, or nothing starts."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from calfeed.errors import FilePermissionsError
from calfeed.private_files import keep_folder_private, keep_private
from calfeed.services.doctor.secrets import check_rights
from calfeed.settings import load_settings
from calfeed.store.database import Database
from calfeed.store.migrate import migrate
from calfeed.store.secrets.keys import KeyFile
from tests.keys import KEYS


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("given", [0o644, 0o604, 0o666, 0o660, 0o640, 0o600, 0o400, 0o755])
def test_others_have_no_rights_and_the_group_at_most_reads(tmp_path: Path, given: int) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(given)
    keep_private(file)
    assert mode(file) == (given if given in (0o640, 0o600, 0o400) else 0o600)


@pytest.mark.parametrize(
    ("given", "kept"), [(0o777, 0o755), (0o775, 0o755), (0o700, 0o700), (0o755, 0o755)]
)
def test_nobody_else_can_replace_files_in_the_folder(tmp_path: Path, given: int, kept: int) -> None:
    tmp_path.chmod(given)
    keep_folder_private(tmp_path)
    assert mode(tmp_path) == kept


def test_a_folder_with_the_sticky_bit_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    keep_folder_private(tmp_path)
    assert mode(tmp_path) == 0o1777
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_not_a_regular_file_keeps_its_mode(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "path"
    make(path)
    path.chmod(0o755)
    keep_private(path)
    assert mode(path) == 0o755
    assert list(check_rights([path])) == []


@pytest.mark.parametrize("guard", [keep_private, keep_folder_private])
def test_what_cannot_be_mended_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guard: Callable[[Path], None]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    path = tmp_path / "path"
    path.touch() if guard is keep_private else path.mkdir()
    path.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(FilePermissionsError, match=f"run `chmod (600|go-w) {path}` first"):
        guard(path)


def test_a_database_that_was_there_is_this_users_alone_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "calfeed.sqlite3"
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database)
    with closing(sqlite3.connect(file)) as held:
        held.execute("SELECT * FROM endpoints").fetchall()
        parts = [file, *(Path(f"{file}{end}") for end in ("-wal", "-shm"))]
        for part in parts:
            part.chmod(0o644)
        with closing(Database(f"sqlite:///{file}")) as database, database.read():
            assert [mode(part) for part in parts] == [0o600] * 3


def test_what_is_made_is_this_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Database(f"sqlite:///{tmp_path}/data/calfeed.sqlite3")) as database:
            migrate(database)
            with database.write():
                made = {path.name: mode(path) for path in (tmp_path / "data").iterdir()}
    finally:
        os.umask(before)
    assert mode(tmp_path / "data") == 0o700
    assert set(made) >= {"calfeed.sqlite3", "calfeed.sqlite3-wal", "calfeed.keys"}
    assert set(made.values()) == {0o600}


def test_the_file_of_keys_is_taken_from_others(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys")
    file.path.write_bytes(KEYS.read_bytes())
    file.path.chmod(0o644)
    assert file.load()
    assert mode(file.path) == 0o600


def test_calfeed_toml_is_private_once_there_is_a_secret_in_it(tmp_path: Path) -> None:
    file = tmp_path / "calfeed.toml"
    file.write_text("port = 8001\n")
    file.chmod(0o644)
    load_settings({}, file)
    assert mode(file) == 0o644
    file.write_text("admin_token = '0123456789abcdef0123456789abcdef'\n")
    load_settings({}, file)
    assert mode(file) == 0o600
