"""Errors have a few clear lines and an exit code for programs."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys

import pytest

from tests.acceptance.site import Site
from tests.patience import PATIENCE
from tests.privileges import WITHOUT_PRIVILEGES

SECRET_IN_URL = "postgresql://desk:hunter2@127.0.0.1:1/calfeed"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with a published state, which these tests leave as it is."""
    site = Site(tmp_path_factory.mktemp("errors") / "site")
    site.do("publish")
    return site


def complaint_of(site: Site, code: int, *words: str, **environment: str) -> str:
    """What a command that fails says: one to three lines, the last on standard error."""
    done = site.run(*words, environment=environment)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert done.returncode == code, said
    lines = [line for line in said.splitlines() if line and not line.startswith(("Usage", "Try"))]
    assert 1 <= len(lines) <= 3, said
    assert lines[-1] in done.stderr
    assert "hunter2" not in said
    return said


@pytest.mark.parametrize("command", ["publish", "reminders", "serve", "worker"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is not a database URL"),
        ("mysql://desk:hunter2@db/calfeed", "SQLite and PostgreSQL, not mysql"),
        (SECRET_IN_URL, "cannot be used"),
        ("sqlite:////dev/null/calfeed.sqlite3", "cannot be made"),
    ],
)
def test_a_database_that_cannot_be_used(site: Site, command: str, url: str, said: str) -> None:
    assert said in complaint_of(site, 1, command, CALFEED_DATABASE_URL=url)


def test_a_data_folder_that_this_user_may_not_enter(site: Site) -> None:
    site.do("publish")
    site.do("backup", "copy")
    folder = site.folder / "var"
    folder.chmod(0o000)
    try:
        for words in ("publish", "serve", "diff", "status", "web", "worker", "restore copy --yes"):
            with site.running(*words.split(), through=WITHOUT_PRIVILEGES) as running:
                assert running.process.wait(PATIENCE) == 1, words
            (line,) = running.everything.splitlines()
            assert f"{folder} cannot be entered: Permission denied; run this as the owner" in line
        with site.running("check", through=WITHOUT_PRIVILEGES) as running:
            assert running.process.wait(PATIENCE) == 0, running.everything
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("command", ["publish", "serve", "status", "restore calfeed.toml --yes"])
def test_a_data_folder_with_a_name_that_is_too_long(site: Site, command: str) -> None:
    said = complaint_of(site, 1, *command.split(), CALFEED_DATA="x" * 300)
    assert "cannot be made: File name too long" in said


def test_a_copy_in_a_folder_that_this_user_may_not_enter(site: Site) -> None:
    site.do("publish")
    folder = site.folder / "locked"
    folder.mkdir()
    site.do("backup", "locked/copy")
    folder.chmod(0o000)
    try:
        for words, said in (
            ("backup locked/copy", "locked/copy cannot be written: Permission denied"),
            ("restore locked/copy --yes", "locked/copy cannot be read: Permission denied"),
        ):
            with site.running(*words.split(), through=WITHOUT_PRIVILEGES) as running:
                assert running.process.wait(PATIENCE) == 1, words
            assert running.everything == f"calfeed: {said}\n"
    finally:
        folder.chmod(0o700)


def test_keys_in_a_folder_that_this_user_may_not_enter(site: Site) -> None:
    site.do("publish")
    folder = site.folder / "locked"
    folder.mkdir(0o000)
    for environment in ({"CALFEED_KEYS_FILE": "locked/keys"}, {"CREDENTIALS_DIRECTORY": "locked"}):
        with site.running(
            "endpoint", "add", "poll:", environment=environment, through=WITHOUT_PRIVILEGES
        ) as running:
            assert running.process.wait(PATIENCE) == 1
        assert "cannot be read: Permission denied" in running.errors
        assert "Traceback" not in running.errors


@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_port_in_use(published: Site, command: str) -> None:
    with socket.create_server(("127.0.0.1", published.port)):
        said = complaint_of(published, 1, command)
    assert f"port {published.port}" in said
    assert "CALFEED_PORT" in said


def test_a_port_in_use_by_another_listener(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        assert f"port {site.port} is in use" in complaint_of(
            site, 1, "listen", "--port", str(site.port)
        )


@pytest.mark.parametrize("command", ["check", "diff", "publish", "serve"])
def test_an_events_folder_that_is_missing(site: Site, command: str) -> None:
    shutil.rmtree(site.events)
    assert "events: does not exist" in complaint_of(site, 1, command)


@pytest.mark.parametrize("command", ["check", "publish", "reminders", "serve", "worker"])
def test_a_setting_that_does_not_exist(site: Site, command: str) -> None:
    said = complaint_of(site, 1, command, CALFEED_EVENT="events")
    assert "CALFEED_EVENT is not a setting; did you mean CALFEED_EVENTS?" in said


def test_a_setting_that_cannot_be_used(site: Site) -> None:
    assert "CALFEED_PORT: " in complaint_of(site, 1, "serve", CALFEED_PORT="http")


@pytest.mark.parametrize("command", ["reminders", "endpoint list", "delivery list", "worker"])
def test_a_database_in_which_nothing_was_published(site: Site, command: str) -> None:
    assert "run `calfeed publish`" in complaint_of(site, 1, *command.split())


@pytest.mark.parametrize("command", ["reminders", "rehearse --url http://127.0.0.1:1/"])
@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("2025-07-01", "2024-08-01", "--to must be later than --from"),
        ("yesterday", "2024-08-01", '--from "yesterday" is not a time'),
        ("2024-08-01", "2024-02-30", '--to "2024-02-30" is not a time'),
    ],
)
def test_a_window_that_is_none(
    published: Site, command: str, begin: str, end: str, said: str
) -> None:
    words = [*command.split(), "--from", begin, "--to", end]
    assert said in complaint_of(published, 1, *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rehearse --from 2024-08-01 --to 2025-07-01", "either --endpoint ID, or --url"),
        (
            "rehearse --from 2024-08-01 --to 2025-07-01 --url http://127.0.0.1:1/",
            "requires --secret",
        ),
        ("rehearse --to 2025-07-01", "--from"),
        ("endpoint add", "URL"),
        ("endpoint remove", "ENDPOINT_ID"),
        ("delivery show one", "one"),
        ("publsh", "publsh"),
    ],
)
def test_a_command_used_wrongly(published: Site, words: str, said: str) -> None:
    assert said in complaint_of(published, 2, *words.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("endpoint test ep_none", 'there is no endpoint "ep_none"'),
        ("endpoint remove ep_none", 'there is no endpoint "ep_none"'),
        ("rehearse --from 2024-08-01 --to 2025-07-01 --endpoint ep_none", '"ep_none"'),
        ("delivery show 77", "there is no delivery 77"),
        ("delivery retry 77", "there is no delivery 77"),
        ("endpoint add receiver", "URL"),
        ("endpoint add ftp://receiver.example/", "http"),
        ("endpoint add http://127.0.0.1:1/ --secret hunter2", "secret"),
        ("listen --secret hunter2", "secret"),
        ("endpoint add http://127.0.0.1:1/ --calendar un", 'no calendar "un"'),
        ("endpoint add http://127.0.0.1:1/ --type due", '"due" is not a message type'),
        (
            "rehearse --from 2030-01-01 --to 2030-01-02 --url http://127.0.0.1:1/ --secret whsec_"
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            "no reminder in this period matches",
        ),
    ],
)
def test_something_that_is_not_there_or_not_what_it_should_be(
    published: Site, words: str, said: str
) -> None:
    assert said in complaint_of(published, 1, *words.split())


def test_a_receiver_on_a_private_address_unless_that_is_allowed(published: Site) -> None:
    said = complaint_of(
        published,
        1,
        *("endpoint", "add", "http://127.0.0.1/"),
        CALFEED_ALLOW_PRIVATE_ENDPOINTS="0",
    )
    assert "CALFEED_ALLOW_PRIVATE_ENDPOINTS allows" in said


def test_a_publish_that_would_withdraw_too_much(site: Site) -> None:
    site.do("publish")
    (site.events / "un-observances.yaml").unlink()
    assert "--allow-removals" in complaint_of(site, 1, "publish")


@pytest.mark.parametrize("words", ["check", "--help", "--version", "schema"])
def test_a_command_that_needs_no_database_loads_none_and_no_server_either(
    site: Site, words: str
) -> None:
    """What is not imported costs no time."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "calfeed", words],
        cwd=site.folder,
        env=site.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(re.findall(r"\|\s+(\w+)[.\w]*$", done.stderr, re.MULTILINE))
    assert "calfeed" in loaded
    assert loaded.isdisjoint(
        {"alembic", "apscheduler", "flask", "granian", "psycopg", "pycurl", "sqlalchemy"}
    )
