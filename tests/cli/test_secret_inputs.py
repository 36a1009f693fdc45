"""Secrets that commands are given need not stand in the list of processes."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from calfeed.cli import cli
from calfeed.errors import CalfeedError
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.store.migrate import migrate

SECRET = "whsec_" + "A" * 32
URL = "https://example.org/hook/t0ken"


class Desk:
    """Commands on a database in a folder, with files that hold secrets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._url = f"sqlite:///{folder / 'calfeed.sqlite3'}"
        with closing(Database(self._url)) as database:
            migrate(database)

    def file(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text, "utf-8")
        return str(path)

    def run(self, *words: str, typed: str = "") -> Result:
        environment = {"CALFEED_DATA": str(self._folder)}
        return CliRunner(env=environment).invoke(cli, words, input=typed)

    def ask(self, *words: str, typed: str = "") -> Any:
        result = self.run(*words, "--json", typed=typed)
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    @property
    def endpoint(self) -> Endpoint:
        with closing(Database(self._url)) as database, database.read() as connection:
            (one,) = list_endpoints(connection)
        return one


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_url_a_secret_and_headers_come_from_files_and_standard_input(desk: Desk) -> None:
    secret = desk.file("secret", f"{SECRET}\n")
    headers = desk.file("headers", "Authorization: Bearer one\n\nX-Desk: two\r\n")
    words = ("--secret-file", secret, "--header-file", headers, "--header", "X-More: three")
    made = desk.ask("endpoint", "add", "-", *words, typed=f"{URL}\n")
    assert made["secret"] == SECRET
    one = desk.endpoint
    assert (one.url, one.secret) == (URL, SECRET)
    assert one.headers == {"X-More": "three", "Authorization": "Bearer one", "X-Desk": "two"}
    desk.ask("endpoint", "update", one.id, "--url", "-", typed=f"{URL}/again\n")
    desk.ask("endpoint", "update", one.id, "--header-file", "-", typed="X-Desk: four\n")
    assert (desk.endpoint.url, desk.endpoint.headers["X-Desk"]) == (f"{URL}/again", "four")
    other = "whsec_" + "B" * 32
    assert desk.ask("endpoint", "rotate", one.id, "--secret-file", "-", typed=other)["secret"] == (
        other
    )


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("--secret", SECRET, "--secret-file", "-"), SECRET, "either --secret or --secret-file"),
        (("--secret-file", "-"), "", "standard input is empty"),
        (("--secret-file", "/nowhere/secret"), "", "/nowhere/secret cannot be read"),
        (("--header-file", "-"), "Bearer t0ken\n", 'not a valid header; write "Name: value"'),
    ],
)
def test_what_cannot_be_a_secret_is_refused_and_not_repeated(
    desk: Desk, words: tuple[str, ...], typed: str, said: str
) -> None:
    result = desk.run("endpoint", "add", URL, *words, typed=typed)
    told = result.output + str(result.exception)
    assert said in told
    assert isinstance(result.exception, CalfeedError | SystemExit)
    assert "t0ken" not in told
    assert "A" * 32 not in told


def test_a_url_to_import_is_read_from_standard_input(desk: Desk) -> None:
    """It has to be one that is allowed; nothing of it is repeated."""
    result = desk.run("import", "-", typed="http://127.0.0.1:1/t0ken/basic.ics\n")
    assert "port 1 is not allowed" in str(result.exception)
    assert "t0ken" not in result.output + str(result.exception)
