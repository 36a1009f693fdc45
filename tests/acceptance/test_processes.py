"""The processes of `calfeed serve` live and end together, however one of them ends.

So they are all started from the beginning.
"""

from __future__ import annotations

import os
import signal
import time
from urllib.error import URLError

import pytest

from tests.acceptance.receiver import Receiver
from tests.acceptance.site import Running, Site, until
from tests.patience import PATIENCE


def find_part(serve: Running, word: str) -> int:
    """The number of the oldest process of a part: `web` or `worker`; 0 where there is none."""
    found = [number for number, words in serve.members().items() if f"calfeed {word} " in words]
    return min(found, default=0)


def answers(site: Site) -> bool:
    try:
        return bool(site.get("/calendars.ics"))
    except (URLError, ConnectionError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_serve_ends_every_process_cleanly(site: Site, number: signal.Signals) -> None:
    with site.serving(anew=True) as serve:
        assert len(serve.members()) >= 4
        assert serve.end(number) == 0
        assert serve.members() == {}
        assert serve.output.endswith("stopping\n")
        assert serve.errors == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_terminal_that_ends_every_process_at_once_ends_them_cleanly(
    site: Site, number: signal.Signals
) -> None:
    """By Ctrl-C, and when it is closed."""
    with site.serving(anew=True) as serve:
        os.killpg(serve.process.pid, number)
        assert serve.process.wait(PATIENCE) == 0
        assert serve.members() == {}
        assert serve.output.endswith("stopping\n")
        assert serve.errors == ""


@pytest.mark.parametrize("part", ["web", "worker"])
def test_a_part_ends_cleanly_when_its_terminal_is_closed(site: Site, part: str) -> None:
    site.do("publish")
    with site.running(part, anew=True) as running:
        until(lambda: site.ask("status")["processes"], "its heartbeat")
        assert part == "worker" or until(lambda: answers(site), "the web server")
        os.killpg(running.process.pid, signal.SIGHUP)
        assert running.process.wait(PATIENCE) == 0
        assert running.members() == {}
        assert running.everything == ""


@pytest.mark.parametrize("part", ["serve", "web"])
def test_nohup_keeps_everything_running_when_the_terminal_is_closed(site: Site, part: str) -> None:
    site.do("publish")
    with site.running(part, through=["nohup"]) as running:
        until(lambda: answers(site), "the web server")
        before = running.members().keys()
        os.killpg(running.process.pid, signal.SIGHUP)
        time.sleep(1)  # nothing would tell that nothing happens
        assert running.members().keys() == before
        assert answers(site)


def test_ctrl_c_while_it_starts_ends_it_cleanly(site: Site) -> None:
    site.remind()
    with site.running("serve", anew=True) as serve:
        serve.until_it_says("reminders planned")
        os.killpg(serve.process.pid, signal.SIGINT)
        assert serve.process.wait(PATIENCE) == 0
        until(lambda: not serve.members(), "nothing is left")
        assert "Traceback" not in serve.everything


def test_a_worker_that_is_killed_is_started_again_and_sends(site: Site, receiver: Receiver) -> None:
    site.environment["CALFEED_GRACE"] = "1"
    with site.serving(anew=True) as serve:
        killed = find_part(serve, "worker")
        os.kill(killed, signal.SIGKILL)
        until(lambda: find_part(serve, "worker") not in (0, killed), "another worker")
        assert "the worker ended" in serve.output
        site.ask("endpoint", "add", receiver.url)
        site.edit("un-observances.yaml", "Observed since 1948; the", "Kept since 1948; the")
        (post,) = until(lambda: receiver.of_type("event.changed"), "its message")
        assert post.message["data"]["event"]["slug"] == "un-day"


def test_a_web_server_that_is_killed_is_started_again_and_answers(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("t")
    with site.serving(environment={"TMPDIR": str(folder)}, anew=True) as serve:
        (socket,) = folder.iterdir()
        etag = site.etag("/calendars.ics")
        killed = find_part(serve, "web")
        os.kill(killed, signal.SIGKILL)
        until(lambda: find_part(serve, "web") not in (0, killed), "another web server")
        until(lambda: "the web server ended" in serve.output, "a line about it")
        until(lambda: answers(site), "it answers")
        assert site.etag("/calendars.ics") == etag
        until(lambda: not socket.exists(), "the folder of its socket is gone")


def test_the_parts_end_by_themselves_when_serve_alone_is_killed(site: Site) -> None:
    with site.serving(anew=True) as serve:
        serve.process.kill()
        serve.process.wait()
        until(lambda: not serve.members(), "every part has ended")
        assert "Traceback" not in serve.everything
    with site.serving(anew=True):
        assert answers(site)
