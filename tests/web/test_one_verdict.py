"""An endpoint's values get the same verdict from every face: command, API, registration, console,
and the file of the channels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from calfeed.cli import cli
from calfeed.delivery.channels.file import read_channels
from calfeed.errors import CalfeedError, SettingsError
from calfeed.reminders.endpoint_values import MAX_ENTRIES, MAX_LINE
from calfeed.settings import Settings
from calfeed.store.access.tokens import load_tokens
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.web.console.routes import make_console
from tests.web.api_site import ADMIN, ApiSite, make_api_site

# Apprise imports it with its mail plugin.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

URL = "https://example.org/hooks"
SECRET = "whsec_" + "A" * 32
CONSOLE = "http://localhost/console"

Values = dict[str, Any]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    api = make_api_site(tmp_path_factory.mktemp("site"))
    yield api
    api.site.database.close()


def run(api: ApiSite, *words: str) -> bool:
    """Whether a command is done; what it refuses is an error for people."""
    url = api.site.database.engine.url.render_as_string(hide_password=False)
    result = CliRunner(env={"CALFEED_DATABASE_URL": url}).invoke(cli, words)
    if not isinstance(result.exception, CalfeedError | SystemExit | None):
        raise result.exception
    return result.exit_code == 0


def by_command(api: ApiSite, values: Values, _: Path) -> bool:
    named = {"calendars": "--calendar", "types": "--type", "categories": "--category"}
    named |= {"events": "--event", "headers": "--header", "time_zone": "--time-zone"}
    words = []
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            words += [named.get(name, f"--{name}"), str(each)]
    return run(api, "endpoint", "add", URL, *words)


def to_body(values: Values) -> Values:
    body: Values = {"url": URL, "filters": {}, "options": {}}
    for name, value in values.items():
        if name == "headers":
            body["headers"] = dict(line.split(": ", 1) for line in value)
        elif name in ("calendars", "categories", "events", "types"):
            body["filters"][name] = value
        elif name in ("rate", "time_zone", "quiet", "digest", "language"):
            body["options"][name] = value
        else:
            body[name] = value
    return body


def by_api(api: ApiSite, values: Values, _: Path) -> bool:
    return api.ask("POST", "/endpoints", json=to_body(values)).status_code == 201


def by_registration(api: ApiSite, values: Values, _: Path) -> bool:
    return api.ask("POST", "/registrations", None, json=to_body(values)).status_code == 202


def by_form(api: ApiSite, values: Values, _: Path) -> bool:
    settings = Settings(admin_token=SecretStr(ADMIN))
    client = make_console(api.site.database, settings, lambda: api.site.now).test_client()
    client.post("/sign-in", data={"token": ADMIN}, base_url=CONSOLE)
    page = client.get("/endpoints/new", base_url=CONSOLE).text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    form: Values = {"form_token": token, "url": URL, **values}
    form["categories"] = ",".join(values.get("categories", []))
    for name in ("events", "headers"):
        form[name] = "\n".join(values.get(name, []))
    quiet, digest = form.pop("quiet", ""), form.pop("digest", "")
    form["quiet_begin"], _sign, form["quiet_end"] = quiet.partition("-")
    form["digest_day"], _sign, form["digest_at"] = digest.partition("@")
    response = client.post("/endpoints/new", data=form, base_url=CONSOLE)
    assert response.status_code in (200, 422)
    return response.status_code == 200


def by_file(api: ApiSite, values: Values, folder: Path) -> bool:
    file = folder / "channels.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    file.write_text("\n".join(["[desk]", 'url = "json://example.org"', *lines]), "utf-8")
    try:
        read_channels(file)
    except SettingsError:
        return False
    return True


FACES: dict[str, Callable[[ApiSite, Values, Path], bool]] = {
    "command": by_command,
    "API": by_api,
    "registration": by_registration,
    "form": by_form,
    "file": by_file,
}

ALL = tuple(FACES)
PUBLISHED = ("command", "API", "registration", "form")
"""The faces that know what is published; the file is read where there may be no database yet."""
OWN_HEADERS = ("command", "API", "form")

TABLE = [
    (ALL, {"description": "x" * MAX_LINE}, True),
    (ALL, {"description": "x" * (MAX_LINE + 1)}, False),
    (ALL, {"description": "one\ttwo"}, False),
    (ALL, {"categories": [f"c{n}" for n in range(MAX_ENTRIES)]}, True),
    (ALL, {"categories": [f"c{n}" for n in range(MAX_ENTRIES + 1)]}, False),
    (ALL, {"categories": ["x" * (MAX_LINE + 1)]}, False),
    (ALL, {"types": ["event.moved", "reminder.due"]}, True),
    (ALL, {"types": ["event.dew"]}, False),
    (PUBLISHED, {"calendars": ["open"], "events": ["open/fair"]}, True),
    (PUBLISHED, {"calendars": ["opne"]}, False),
    (PUBLISHED, {"events": ["open/none"]}, False),
    (ALL, {"rate": 600_000}, True),
    (ALL, {"rate": 600_001}, False),
    (ALL, {"rate": 0}, False),
    (ALL, {"time_zone": "Asia/Karachi"}, True),
    (ALL, {"time_zone": "Asia/Karach"}, False),
    (ALL, {"quiet": "22:00-07:00"}, True),
    (ALL, {"quiet": "9:00-17:00"}, False),
    (ALL, {"quiet": "22:00-"}, False),
    (ALL, {"quiet": "07:00-07:00"}, False),
    (ALL, {"digest": "monday@09:00"}, True),
    (ALL, {"digest": "Daily@09:00"}, True),
    (ALL, {"digest": "someday@09:00"}, False),
    (ALL, {"digest": "daily@"}, False),
    (ALL, {"language": "fa-AF"}, True),
    (ALL, {"language": "french!"}, False),
    (OWN_HEADERS, {"headers": ["X-Desk: 1"]}, True),
    (OWN_HEADERS, {"headers": ["Webhook-Id: 1"]}, False),
    (OWN_HEADERS, {"headers": [f"X-{n}: 1" for n in range(21)]}, False),
]


@pytest.mark.parametrize(("faces", "values", "verdict"), TABLE)
def test_every_face_gives_the_same_verdict(
    api: ApiSite, tmp_path: Path, faces: tuple[str, ...], values: Values, verdict: bool
) -> None:
    found = {name: FACES[name](api, dict(values), tmp_path) for name in faces}
    assert found == dict.fromkeys(faces, verdict)


def newest(api: ApiSite, endpoint_id: str) -> Endpoint:
    with api.site.database.read() as connection:
        return next(one for one in list_endpoints(connection) if one.id == endpoint_id)


def test_white_space_around_a_secret_is_no_part_of_it(api: ApiSite) -> None:
    made = api.ask("POST", "/endpoints", json={"url": URL, "secret": f" {SECRET}\n"}).json
    assert made is not None
    assert (made["secret"], newest(api, made["id"]).secret) == (SECRET, SECRET)


def test_the_token_of_an_endpoints_owner_ends_with_it_whoever_removes_it(api: ApiSite) -> None:
    for face in ("command", "API"):
        made = api.ask("POST", "/registrations", None, json={"url": URL}).json
        assert made is not None
        if face == "command":
            assert run(api, "endpoint", "remove", made["id"])
        else:
            assert api.ask("DELETE", f"/endpoints/{made['id']}").status_code == 204
        scopes = (f"endpoint:{made['id']}",)
        with api.site.database.read() as connection:
            (one,) = [one for one in load_tokens(connection) if one.scopes == scopes]
        assert one.revoked is not None


@pytest.mark.parametrize("state", ["unverified", "paused"])
def test_what_is_not_active_is_sent_no_rehearsal(api: ApiSite, state: str) -> None:
    way = "/registrations" if state == "unverified" else "/endpoints"
    made = api.ask("POST", way, json={"url": URL}).json
    assert made is not None
    key = made["id"]
    if state == "paused":
        api.ask("POST", f"/endpoints/{key}/pause")
    window = {"from": "2026-12-01", "to": "2027-02-01"}
    asked = api.ask("POST", "/rehearsals", json={"endpoint": key, **window})
    assert asked.status_code == 409
    words = [part for name, day in window.items() for part in (f"--{name}", day)]
    assert not run(api, "rehearse", *words, "--endpoint", key)


def test_an_endpoint_that_nobody_has_verified_is_sent_no_test(api: ApiSite) -> None:
    made = api.ask("POST", "/registrations", None, json={"url": URL}).json
    assert made is not None
    assert api.ask("POST", f"/endpoints/{made['id']}/test").status_code == 409
    assert not run(api, "endpoint", "test", made["id"])


def test_a_description_of_a_token_is_a_line_in_every_face(api: ApiSite) -> None:
    long = "x" * (MAX_LINE + 1)
    given = {"scopes": ["read"], "description": long}
    assert api.ask("POST", "/tokens", json=given).status_code == 422
    assert not run(api, "token", "add", "--scope", "read", "--description", long)
    assert run(api, "token", "add", "--scope", "read", "--description", long[1:])
