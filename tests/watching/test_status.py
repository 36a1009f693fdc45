"""`calfeed status` and the console say what runs and what waits."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from calfeed.settings import Settings
from calfeed.store.watching.heartbeats import Heartbeat, ProcessKind, write_heartbeat
from calfeed.web.console.routes import PREFIX, make_console
from tests.cli.conftest import records as records
from tests.cli.records import Records
from tests.web.test_console import TOKEN, Visitor

DAY = timedelta(days=1)


@pytest.fixture
def running(records: Records) -> Records:
    """A site with a worker that runs, and a web server that was killed."""
    records.tell()
    worker = Heartbeat("a", ProcessKind.WORKER, "one", 7, "1.0", records.now - DAY, records.now)
    web = replace(worker, id="b", kind=ProcessKind.WEB, pid=8, beaten=records.now - DAY / 2)
    with records.database.write() as connection:
        write_heartbeat(connection, worker)
        write_heartbeat(connection, web)
    return records


def test_status_says_which_processes_run_since_when(running: Records) -> None:
    lines = running.do("status").splitlines()
    assert lines[0].startswith("web        one (8), calfeed 1.0, since 2025-06-22 ")
    assert "; silent since 2025-06-22 " in lines[0]
    assert lines[1].startswith("worker     one (7), calfeed 1.0, since 2025-06-22 ")
    assert "silent" not in lines[1]
    both = {one["kind"]: one for one in running.ask("status")["processes"]}
    assert both["worker"]["alive"]
    assert not both["web"]["alive"]
    assert both["worker"]["last_heartbeat"] == running.now.isoformat()


def test_status_says_what_waits_and_what_is_overdue(running: Records) -> None:
    found = running.ask("status")
    assert found["unfinished_deliveries"] == {"pending": 1, "gathered": 0, "held": 0}
    assert found["endpoints"] == [{"kind": "webhook", "state": "active", "number": 2}]
    assert found["overdue_seconds"] == 0
    assert found["last_publish"].startswith("2025-")
    assert found["next_reminder"].startswith("2025-06-29")
    text = running.do("status")
    assert "overdue    nothing\n" in text
    assert "endpoints  2 active webhooks\n" in text
    running.now += DAY * 30
    found = running.ask("status")
    assert found["overdue_seconds"] > 86_400
    assert found["overdue_reminders"] == 1
    assert "overdue    for " in running.do("status")


def test_status_of_a_site_that_does_not_run_says_so(records: Records) -> None:
    assert "no web server and no worker is running" in records.do("status")


def test_the_console_shows_who_is_alive(running: Records) -> None:
    settings = Settings(admin_token=SecretStr(TOKEN))
    console = make_console(running.database, settings, lambda: running.now)
    mounted = DispatcherMiddleware(NotFound(), {PREFIX: console.wsgi_app})
    visitor = Visitor(Client(mounted))
    page = visitor.sign_in()
    assert re.search(r"Worker on one \(7\).*?since .*?, calfeed 1\.0", page, re.DOTALL)
    assert re.search(r"Web server on one \(8\).*?silent since", page, re.DOTALL)
