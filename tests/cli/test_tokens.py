"""The commands about tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calfeed.cli import cli
from tests.web.api_site import ApiSite, make_api_site


class Desk:
    """Commands on the database of a site with an API."""

    def __init__(self, folder: Path) -> None:
        self.api: ApiSite = make_api_site(folder)
        self._url = self.api.site.database.engine.url.render_as_string(hide_password=False)

    def run(self, *words: str, status: int = 0) -> Result:
        keyring = self.api.site.database.keyring
        assert keyring is not None
        keys = {"CALFEED_KEYS_FILE": str(keyring.file.path)}
        runner = CliRunner(env={"CALFEED_DATABASE_URL": self._url, **keys})
        result = runner.invoke(cli, ["token", *words])
        assert result.exit_code == status, result.output
        return result


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_token_with_scopes_opens_the_api_until_it_is_revoked(desk: Desk) -> None:
    made = json.loads(desk.run("add", "--scope", "read:vault-zx9", "--json").stdout)
    assert desk.api.ask("GET", "/calendars/vault-zx9", made["token"]).status_code == 200
    assert desk.api.ask("GET", "/deliveries", made["token"]).status_code == 403
    listed = desk.run("list").output
    assert "API: read:vault-zx9" in listed
    assert made["token"] not in listed
    desk.run("revoke", str(made["id"]))
    assert desk.api.ask("GET", "/calendars", made["token"]).status_code == 401


def test_a_token_is_either_for_a_feed_or_for_the_api(desk: Desk) -> None:
    assert "/vault-zx9.ics" in desk.run("add", "vault-zx9", "--description", "Amina").output
    assert "feed of vault-zx9" in desk.run("list").output
    for words in (["add"], ["add", "vault-zx9", "--scope", "read"]):
        assert "either a CALENDAR, or --scope" in desk.run(*words, status=2).output


def test_what_is_no_scope_is_refused_with_those_there_are(desk: Desk) -> None:
    result = desk.run("add", "--scope", "write", status=1)
    assert '"write" is not a scope; use read, endpoints' in str(result.exception)


def test_a_token_that_expires_says_so_and_is_unknown_from_then_on(desk: Desk) -> None:
    made = desk.run("add", "vault-zx9", "--expires", "90 days")
    assert "it expires on" in made.output
    assert "valid until" in desk.run("list").output
    shown = json.loads(desk.run("add", "--scope", "read", "--expires", "90d", "--json").stdout)
    assert shown["expires"]
    assert desk.api.ask("GET", "/calendars", shown["token"]).status_code == 200
    refused = desk.run("add", "vault-zx9", "--expires", "yesterday", status=1)
    assert "write a duration" in str(refused.exception)
    assert len(json.loads(desk.run("list", "--json").stdout)) == 2
