"""`backup` and `restore`, as an operator uses them."""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.restores import restore_again_and_again
from tests.acceptance.site import Site, split_feed

FEED = ("export", "--calendar", "un-observances")
EDIT = ("un-observances.yaml", "Observed since 1948; the", "Kept since 1948; the")
BACK = (EDIT[0], EDIT[2], EDIT[1])


def un_day(site: Site) -> bytes:
    vevents = split_feed(site.do(*FEED).replace("\n", "\r\n").replace("\r\r", "\r").encode())[1]
    (vevent,) = [each for each in vevents.values() if b":United Nations Day" in each]
    return vevent


def sequence_of(site: Site) -> int:
    found = re.search(rb"SEQUENCE:(\d+)", un_day(site))
    assert found
    return int(found[1])


def live(site: Site) -> Path:
    return site.folder / "var" / "calfeed.sqlite3"


def test_a_backup_is_whole_for_its_owner_alone_and_replaces_nothing_unasked(site: Site) -> None:
    site.do("publish")
    with site.serving():
        site.edit(*EDIT)
        site.do("backup", "one.sqlite3")
    file = site.folder / "one.sqlite3"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in site.folder.glob("*one.sqlite3*")] == ["one.sqlite3"]
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM events").fetchone() == (12,)
    refused = site.run("backup", "one.sqlite3")
    assert refused.returncode == 1
    assert "exists already; name another file, or give --force" in refused.stderr
    site.do("backup", "--force", "one.sqlite3")
    assert site.run("backup", "no/such/folder").returncode == 1


def test_a_restore_goes_back_and_past_every_sequence_and_keeps_what_was_there(site: Site) -> None:
    """With the log of a killed process beside the database, which is not replayed."""
    site.do("publish")
    site.do("backup", "one.sqlite3")
    with site.serving() as serve:
        busy = site.run("restore", "one.sqlite3", "--yes")
        assert busy.returncode == 1
        assert "calfeed is running on" in busy.stderr
        site.edit(*EDIT)
        serve.until_it_says("1 event changed")
        serve.kill_group()
    assert Path(f"{live(site)}-wal").stat().st_size
    site.edit(*BACK)
    said = site.do("restore", "one.sqlite3", "--yes")
    assert "nothing is sent again" in said
    assert not Path(f"{live(site)}-wal").exists()
    assert "Observed since 1948" in site.do(*FEED)
    assert sequence_of(site) == 2, "apps have seen 1"
    assert "nothing to publish" in site.do("publish")
    (aside,) = live(site).parent.glob("*.before-*")
    with closing(sqlite3.connect(aside)) as database:
        assert database.execute("SELECT max(sequence) FROM revisions").fetchone() == (1,)


def test_a_restore_needs_no_database_and_takes_a_margin_where_none_can_be_read(site: Site) -> None:
    site.do("publish")
    site.do("backup", "one.sqlite3")
    for harm in (Path.unlink, lambda path: path.write_bytes(b"nonsense" * 999)):
        harm(live(site))
        site.do("restore", "one.sqlite3", "--yes")
        assert sequence_of(site) > 1_000
    assert "nothing to publish" in site.do("publish")


def test_what_cannot_be_restored_changes_nothing(site: Site) -> None:
    site.do("publish")
    site.do("backup", "one.sqlite3")
    before = live(site).read_bytes()
    with closing(sqlite3.connect(site.folder / "other.sqlite3")) as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    (site.folder / "text").write_text("nonsense")
    (site.folder / "half").write_bytes((site.folder / "one.sqlite3").read_bytes()[:100_000])
    with closing(sqlite3.connect(site.folder / "one.sqlite3")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    for name, said in {
        "none": "there is no file none",
        "other.sqlite3": "is not a database of calfeed",
        "text": "file is not a database",
        "half": "malformed",
        "one.sqlite3": "was made by a newer calfeed",
    }.items():
        refused = site.run("restore", name, "--yes")
        assert refused.returncode == 1
        assert said in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr
    site.do("backup", "--force", "one.sqlite3")
    assert site.run("restore", "one.sqlite3").returncode == 1, "it was not said yes to"
    assert live(site).read_bytes() == before
    left = {one.name for one in live(site).parent.iterdir()}
    assert left == {"calfeed.keys", "calfeed.sqlite3"}


@pytest.mark.parametrize("name", ["p%41 100%", "q?x=1", "h#é b@c"])
def test_the_name_of_a_folder_may_have_any_character(name: str, tmp_path: Path) -> None:
    """Also those that have a meaning in a URL."""
    site = Site(tmp_path / name)
    site.do("publish")
    site.do("status")
    site.do("backup", "one.sqlite3")
    kept = site.do("restore", "one.sqlite3", "--yes")
    assert f"the previous database is kept as {live(site)}.before-" in kept
    assert site.do("publish").startswith("nothing to publish")
    examined = site.run("doctor").stdout
    assert f"sqlite:///{live(site)}, schema" in examined
    assert f"{site.keys} has every key" in examined
    assert [one.name for one in tmp_path.iterdir()] == [name]
    live(site).unlink()
    assert f"sqlite:///{live(site)} " in site.run("status").stderr


def test_on_postgresql_the_commands_to_run_are_named_without_the_password(site: Site) -> None:
    url = {"CALFEED_DATABASE_URL": "postgresql://desk:hunter2@db.example.org/calfeed"}
    for words, program in ((("backup", "x"), "pg_dump"), (("restore", "x"), "pg_restore")):
        said = site.run(*words, environment=url)
        assert said.returncode == 1
        assert program in said.stderr
        assert "postgresql://desk@db.example.org/calfeed" in said.stderr
        assert "hunter2" not in said.stderr


def test_backups_kills_and_restores_contradict_nothing_that_was_told(tmp_path: Path) -> None:
    """The long one is `python -m tests.acceptance.restores`."""
    restore_again_and_again(
        tmp_path / "site", rounds=2, saves=3, endpoints=2, seed=random.randrange(1_000_000)
    )
