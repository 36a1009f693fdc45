"""Where only https may be sent to, no way to add an endpoint takes http; old ones are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from werkzeug.test import Client

from calfeed.cli import cli
from calfeed.delivery.transport.guard import UrlRules
from calfeed.settings import Settings
from calfeed.store.endpoints.records import list_endpoints
from calfeed.web.api.app import VERSION, make_api
from calfeed.web.console.routes import make_console
from tests.web.api_site import ADMIN, ApiSite, make_api_site
from tests.web.published import BASE

PLAIN, SAFE = "http://example.org/hooks", "https://example.org/hooks"
REASON = "CALFEED_HTTPS_ENDPOINTS_ONLY"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path)
    yield api
    api.site.database.close()


def run(api: ApiSite, *words: str) -> Result:
    url = api.site.database.engine.url.render_as_string(hide_password=False)
    environment = {"CALFEED_DATABASE_URL": url, "CALFEED_HTTPS_ENDPOINTS_ONLY": "true"}
    return CliRunner(env=environment).invoke(cli, ["endpoint", *words])


def count(api: ApiSite) -> int:
    with api.site.database.read() as connection:
        return len(list_endpoints(connection))


def test_the_api_and_registrations_refuse_http(api: ApiSite) -> None:
    application = make_api(
        api.site.state,
        api.site.database,
        BASE,
        admin_token=SecretStr(ADMIN),
        urls=UrlRules(https_only=True),
        self_service=True,
    )
    client = Client(application)
    headers = {"Authorization": f"Bearer {ADMIN}"}
    for path in ("/endpoints", "/registrations"):
        for url, statuses in ((PLAIN, {422}), (SAFE, {201, 202})):
            response = client.post(VERSION + path, json={"url": url}, headers=headers)
            assert response.status_code in statuses
            assert (REASON in response.text) == (url == PLAIN)
    assert count(api) == 2


def test_the_commands_refuse_http_and_name_what_was_added_before(api: ApiSite) -> None:
    former = api.ask("POST", "/endpoints", json={"url": PLAIN}).json
    assert former is not None
    assert REASON in str(run(api, "add", PLAIN).exception)
    added = run(api, "add", SAFE)
    assert added.exit_code == 0
    listed = run(api, "list").output
    assert REASON in listed
    assert f"http URLs: {former['id']};" in " ".join(listed.split())
    assert REASON in str(run(api, "update", former["id"], "--url", PLAIN).exception)
    # What is not about the URL can be changed, and the endpoint stays as it is.
    assert run(api, "update", former["id"], "--description", "old").exit_code == 0
    assert run(api, "update", former["id"], "--url", SAFE).exit_code == 0
    assert REASON not in run(api, "list").output


def test_the_console_refuses_http_and_names_what_was_added_before(api: ApiSite) -> None:
    former = api.ask("POST", "/endpoints", json={"url": PLAIN}).json
    assert former is not None
    settings = Settings(admin_token=SecretStr(ADMIN), https_endpoints_only=True)
    console = make_console(api.site.database, settings, lambda: api.site.now)
    client = console.test_client()
    client.post("/sign-in", data={"token": ADMIN}, base_url="http://localhost/console")
    page = client.get("/endpoints", base_url="http://localhost/console").text
    assert REASON in page
    assert former["id"] in page
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    form = {"form_token": token, "url": PLAIN}
    response = client.post("/endpoints/new", data=form, base_url="http://localhost/console")
    assert response.status_code == 422
    assert REASON in response.text
    assert count(api) == 1
