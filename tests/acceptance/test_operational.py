"""Whatever happens to an installation, somebody is told at once, and `calfeed doctor` names it.

A stopped database and a full disk cannot be told by a message: tests/watching/test_dead_man.py.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing

from tests.acceptance.receiver import Post, Receiver
from tests.acceptance.site import Site, until
from tests.delivery.receiver import Receiver as Behaving
from tests.watching.test_dead_man import Switch


def find_problems(site: Site) -> dict[str, str]:
    """What the doctor says is not as it should be, by subject."""
    done = site.run("doctor", "--json")
    assert done.returncode == 1, done.stdout
    return {one["subject"]: one["text"] for one in json.loads(done.stdout) if one["level"] != "ok"}


def test_each_failure_is_told_once_and_named(site: Site, receiver: Receiver) -> None:
    def await_report(kind: str) -> Post:
        until(lambda: receiver.of_type(kind), kind)
        (post,) = receiver.of_type(kind)
        post.verify(secret)
        return post

    site.do("publish")
    secret = site.ask("endpoint", "add", receiver.url, "--type", "operational")["secret"]
    with Switch() as switch, Behaving() as behaving:
        gone = site.ask("endpoint", "add", behaving.url("/status/410"))["id"]
        pings = {"CALFEED_HEARTBEAT_URL": f"http://127.0.0.1:{switch.port}/id"}
        with site.serving(environment=pings) as serve:
            until(lambda: switch.paths, "a ping, as all is well")
            processes = until(
                lambda: [one for one in site.ask("status")["processes"] if one["kind"] == "worker"],
                "the heartbeat of the worker",
            )
            os.kill(processes[0]["pid"], signal.SIGKILL)
            assert site.run("endpoint", "test", gone).returncode == 1
            site.write("wrong.yaml", "name: Wrong\ntime_zone: UTC\nevents: 7\n")
            refused = await_report("publish.refused").message["data"]
            assert refused["problems"][0]["file"].endswith("wrong.yaml")
            assert refused["problems"][0]["line"] == 3
            assert await_report("worker.silent").message["data"]["pid"] == processes[0]["pid"]
            disabled = await_report("endpoint.disabled").message["data"]
            assert disabled["endpoint"]["id"] == gone
            serve.kill_group()
    assert len(receiver.posts) == 3

    with closing(sqlite3.connect(site.folder / "var" / "calfeed.sqlite3")) as connection:
        connection.execute("UPDATE heartbeats SET beaten = beaten - 300000000")  # five minutes pass
        connection.commit()
    problems = find_problems(site)
    assert "wrong.yaml:3" in problems["definitions"]
    assert "1 problem; the state of" in problems["publish"]
    assert f"1 endpoint disabled: {gone} (its receiver responded with 410" in problems["endpoints"]
    assert "none has run since" in problems["worker"]
