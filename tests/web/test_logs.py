"""Whatever fails at an address that carries a secret, the log has nothing of the secret."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from werkzeug.routing import Rule

from calfeed import logs
from calfeed.errors import StoreError
from calfeed.logs import SafeFormatter
from calfeed.store.database import Database
from calfeed.web.api.app import MOUNT
from calfeed.web.console import authentication
from calfeed.web.console.routes import PREFIX
from calfeed.web.published import snapshot
from calfeed.web.serving import server
from tests.patience import PATIENCE
from tests.web.api_site import OPEN, VAULT
from tests.web.published import Published, make_site
from tests.web.whole import TOKEN, make_whole

SECRET = "zq7-undisclosed-8842"
"""Everything that is given: tokens, links, parts of URLs, cookies, fields of forms and bodies."""

TITLE = "Zircon"
"""A word of a private calendar."""

FIELDS = (
    "token",
    "once",
    "url",
    "headers",
    "secret",
    "next",
    "q",
    "session",
    "form_token",
    "address",
)
TABLES = ("tokens", "sessions", "sign_in_links", "registrations", "announcements", "polls")


class House:
    """All applications of a web process, with somebody who is signed in to the console."""

    def __init__(self, site: Published) -> None:
        self.site = site
        whole = make_whole(site)
        self.apps, self.client = whole.apps, whole.client
        response = self.client.post(f"{PREFIX}/sign-in", data={"token": TOKEN})
        self.cookie = response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]

    def ask_everything(self) -> set[int]:
        """Ask at each address, with secrets wherever one can be given; the statuses."""
        statuses = set()
        for prefix, app in self.apps.items():
            adapter = app.url_map.bind("localhost")
            for rule in app.url_map.iter_rules():
                path = prefix + adapter.build(rule.endpoint, _fill(rule), force_external=False)
                for method in (rule.methods or set()) & {"GET", "POST", "PATCH", "DELETE"}:
                    statuses |= self._ask(method, path)
        return statuses

    def _ask(self, method: str, path: str) -> set[int]:
        given: dict[str, Any] = {"method": method, "query_string": dict.fromkeys(FIELDS, SECRET)}
        if method == "GET":
            bodies: list[dict[str, Any]] = [{}]
        elif path.startswith(MOUNT):
            body = {"url": f"https://example.org/{SECRET}", "calendar": "vault-zx9"}
            bodies = [{"json": body}, {"json": {"challenge": SECRET}}, {"json": {}}]
        else:
            form: dict[str, Any] = dict.fromkeys(FIELDS, SECRET)
            bodies = [{"data": form}]
        statuses = set()
        for body in bodies:
            for token in (SECRET, TOKEN):
                headers = {"Authorization": f"Bearer {token}"}
                with self.client.open(path, headers=headers, **(given | body)) as response:
                    statuses.add(response.status_code)
        return statuses


def _fill(rule: Rule) -> dict[str, Any]:
    numbers = {"number", "delivery", "token"} if "/v1/" in rule.rule else {"number"}
    known = {"calendar": "vault-zx9", "shape": "json", "filename": "index.html"}
    known["about"] = "imprint"
    return {
        name: known.get(name, 7 if name in numbers and "int" in rule.rule else SECRET)
        for name in rule.arguments
    }


@contextmanager
def logging_to(stream: StringIO) -> Iterator[None]:
    """Log everything as a web process does, whatever comes from wherever."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeFormatter("web: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    site = make_site(tmp_path)
    site.publish({"open": OPEN, "vault-zx9": VAULT})
    yield House(site)
    site.database.close()


class Answer(BaseModel):
    """Something that is not what it should be, and whose error quotes it."""

    number: int


def fail_as_a_library(*_: Any, **__: Any) -> Any:
    """As any library: with an error that quotes what it was given, led to by another."""
    try:
        Answer.model_validate({"number": f"{SECRET} {TITLE}"})
    except ValueError as error:
        raise KeyError(f"/private/{SECRET}/vault-zx9.ics") from error


def fail_as_the_database(*_: Any, **__: Any) -> Any:
    """As SQLAlchemy with its parameters, where they are not hidden."""
    raise StatementError("failed", "SELECT :digest", {"digest": SECRET}, ValueError(SECRET))


def break_the_store(house: House, patch: pytest.MonkeyPatch, fail: Callable[..., Any]) -> None:
    patch.setattr(Database, "read", fail)
    patch.setattr(Database, "write", fail)


def break_the_snapshot(house: House, patch: pytest.MonkeyPatch, fail: Callable[..., Any]) -> None:
    patch.setattr("calfeed.web.feeds.feed_routes.digest_token", fail)
    patch.setattr("calfeed.web.feeds.feed_routes.parse_feed_options", fail)
    patch.setattr(snapshot.Snapshot, "rows", fail)
    patch.setattr("calfeed.store.access.tokens.digest_token", fail)
    patch.setattr(authentication.Authenticator, "is_admin_token", fail)
    patch.setattr("calfeed.services.sessions.open_link", fail)


@pytest.mark.parametrize("fail", [fail_as_a_library, fail_as_the_database])
@pytest.mark.parametrize("broken", [break_the_store, break_the_snapshot])
def test_no_failure_at_any_address_logs_what_was_given(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    broken: Callable[..., None],
    fail: Callable[..., Any],
) -> None:
    stream = StringIO()
    broken(house, monkeypatch, fail)
    with logging_to(stream):
        assert 500 in house.ask_everything()
    said = stream.getvalue()
    assert fail.__name__ in said  # where it happened is there
    assert_silent(house, said + "".join(capfd.readouterr()))


def test_no_table_that_is_gone_logs_what_was_given(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = StringIO()
    with logging_to(stream):
        house.ask_everything()
        with house.site.database.write() as connection:
            for table in TABLES:
                connection.execute(text(f"DROP TABLE {table}"))
        assert 503 in house.ask_everything()
    assert "no such table" in stream.getvalue()
    assert_silent(house, stream.getvalue() + "".join(capfd.readouterr()))


def assert_silent(house: House, said: str) -> None:
    for secret in (SECRET, TOKEN, house.cookie, TITLE):
        assert secret not in said


def test_what_is_said_with_an_error_is_its_kind_and_what_led_to_it() -> None:
    stream = StringIO()
    with logging_to(stream):
        log = logging.getLogger("somebody.else")
        try:
            try:
                fail_as_a_library()
            except KeyError as error:
                log.warning("cannot: %s", error)
                log.warning(error)
                raise StoreError("the database is away; start it") from error
        except StoreError:
            log.exception("failed")
    said = stream.getvalue()
    assert "the database is away; start it" in said
    for kind in ("pydantic_core", "builtins.KeyError", "which led to", "test_logs.py"):
        assert kind in said
    assert SECRET not in said


def test_what_nobody_catches_is_logged_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    for name in ("sys.excepthook", "threading.excepthook"):
        monkeypatch.setattr(name, None)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    logs.configure("web", stream)
    thread = threading.Thread(target=fail_as_a_library)
    thread.start()
    thread.join()
    assert "fail_as_a_library" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_granian_logs_in_the_same_way() -> None:
    formatters = server.LOGGING["formatters"].values()
    assert [one["()"] for one in formatters] == [SafeFormatter, SafeFormatter]


def test_granian_warns_of_a_process_that_it_kills_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "_EXIT_NOTICE_SECONDS", 0.0)
    warning = logging.makeLogRecord({"msg": "Killing worker-1 after it refused to gracefully stop"})
    process = multiprocessing.get_context("spawn").Process(target=sleep, args=(PATIENCE,))
    process.start()
    assert server.ShutdownFalseAlarms().filter(warning)
    process.kill()
    process.join()
    assert not server.ShutdownFalseAlarms().filter(warning)
    assert server.ShutdownFalseAlarms().filter(logging.makeLogRecord({"msg": "Listening"}))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@localhost:1/none",
        f"postgresql://localhost:1/none?user=me&password={SECRET}",
        f"postgresql://localhost:1/none?sslpassword={SECRET}",
    ],
)
def test_no_error_of_the_database_names_its_password(url: str) -> None:
    database = Database(url)
    with pytest.raises(StoreError) as caught:
        database.check()
    assert SECRET not in str(caught.value)
    assert SECRET not in database.name
