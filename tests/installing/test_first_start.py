"""From the wheel to the first webhook, in each Python, as a user without rights types it.

There is no HOME, and calfeed can write to its data folder only. What a version of Python lacks is
said in the reason of its skip; that of the tests is always tried.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calfeed import __version__
from tests.installing.building import Built
from tests.installing.desk import Desk, installed
from tests.installing.libraries import are_installed
from tests.installing.pythons import RUNNING, VERSIONS, choose_python
from tests.ports import free_port

pytestmark = pytest.mark.slow


@pytest.fixture(params=VERSIONS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    version: str = request.param
    if choose_python(version) is None:
        pytest.skip(f"Python {version} is not on this machine")
    if version != RUNNING and not are_installed(version):
        pytest.skip(f"the libraries for Python {version} are missing; `make parts` installs them")
    built: Built = request.getfixturevalue("built")
    with installed(built.wheel, version) as desk:
        yield desk


def test_from_an_empty_folder_to_the_first_webhook(desk: Desk) -> None:
    assert desk.do("calfeed", "--version") == f"calfeed, version {__version__}\n"
    assert "next:\n  calfeed check\n  calfeed serve\n" in desk.do("calfeed", "init")
    # As the quickstart for receivers says, to receive webhooks on the same machine.
    settings = desk.work / "calfeed.toml"
    settings.write_text(settings.read_text().replace("# allow_private", "allow_private"))
    desk.lock_work()
    desk.do("calfeed", "check")
    with desk.running("calfeed", "serve") as serve:
        serve.until_it_says("Ctrl-C ends it.")
        # A client subscribes, and looks again.
        status, feed, etag = desk.get("/calendars/dates.ics")
        assert (status, feed.count("BEGIN:VEVENT")) == (200, 5)
        assert desk.get("/calendars/dates.ics", etag) == (304, "", "")
        # Templates, static files, the API's page: all are in the wheel.
        _, page, _ = desk.get("/")
        assert "Report to the foundation is due" in page
        for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            assert desk.get(path)[0] == 200
        assert desk.get("/api/")[0] == 200
        assert receive(desk) == ["reminder.due", "dates/report-due", "the signature is valid"]
        for finding in json.loads(run_doctor(desk)):
            assert finding["level"] != "problem", finding
        assert serve.end() == 0
    assert "Traceback" not in serve.everything
    assert {path.name for path in desk.work.iterdir()} == {
        *(".github", ".gitignore", "calfeed.toml", "events", "var")
    }


def run_doctor(desk: Desk) -> str:
    return desk.do("calfeed", "doctor", "--json")


def receive(desk: Desk) -> list[str]:
    """Add an endpoint, listen there, and rehearse a reminder: what the first message says."""
    port = free_port()
    added = desk.do(
        *("calfeed", "endpoint", "add", f"http://127.0.0.1:{port}/", "--calendar", "dates")
    )
    (endpoint,) = re.findall(r"^endpoint (\S+) is added", added, re.MULTILINE)
    (secret,) = re.findall(r"^secret +(whsec_\S+)$", added, re.MULTILINE)
    today = datetime.now(UTC).date()
    window = ["--from", today.isoformat(), "--to", (today + timedelta(days=60)).isoformat()]
    listen = ("calfeed", "listen", "--port", str(port), "--secret", secret)
    with desk.running(*listen) as listening:
        listening.until_it_says("listening on")
        done = desk.do("calfeed", "rehearse", *window, "--endpoint", endpoint)
        assert re.search(r"^(\d+) of \1 reminders were received$", done, re.MULTILINE), done
        said = listening.output
    return [
        word
        for word in ("reminder.due", "dates/report-due", "the signature is valid")
        if word in said + done
    ]
