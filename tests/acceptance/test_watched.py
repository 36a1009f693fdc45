"""An installation that is watched: its processes, its metrics, its log as JSON."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parse

from tests.acceptance.site import Site, until
from tests.ports import free_port


def read_processes(metrics: str) -> dict[str, float]:
    """How many processes of each kind the metrics know."""
    with urllib.request.urlopen(f"http://{metrics}/metrics") as response:
        families = list(parse(response.read().decode()))
    return {
        sample.labels["kind"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "calfeed_processes"
    }


def test_serve_says_what_runs_until_it_ends(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    metrics = f"127.0.0.1:{free_port()}"
    site.environment |= {"CALFEED_METRICS": metrics, "CALFEED_LOG": "json"}
    with site.serving() as running:
        until(
            lambda: len(json.loads(site.do("status", "--json"))["processes"]) == 2,
            "two heartbeats",
        )
        found = json.loads(site.do("status", "--json"))
        assert {one["kind"] for one in found["processes"]} == {"web", "worker"}
        assert all(one["alive"] for one in found["processes"])
        assert len({one["pid"] for one in found["processes"]} & running.members().keys()) == 2
        until(lambda: read_processes(metrics) == {"web": 1, "worker": 1}, "metrics of both")
        site.events.joinpath("wrong.yaml").write_text("events: 7\n")
        running.until_it_says("wrong.yaml")
        running.end()
        lines = [json.loads(line) for line in running.errors.splitlines()]
    assert json.loads(site.do("status", "--json"))["processes"] == []
    assert {line["process"] for line in lines} == {"serve"}
    assert any("wrong.yaml" in line["message"] for line in lines)
    assert "signs in" not in running.errors
    assert "signs in one person" in running.output
