"""Metrics are what the database says, in the form that Prometheus accepts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition, parser
from prometheus_client.parser import text_string_to_metric_families as parse
from sqlalchemy import literal_column, update

from calfeed.errors import SettingsError
from calfeed.services.watching.metrics import METRICS, UP, DatabaseCollector
from calfeed.services.watching.metrics_server import serving_metrics
from calfeed.settings import Settings, load_settings
from calfeed.store.database import Database
from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.reports.polls import add_polls
from calfeed.store.tables import messages
from calfeed.store.watching.heartbeats import Heartbeat, ProcessKind, write_heartbeat
from tests.cli.conftest import records as records
from tests.cli.records import DAY_BEFORE, JUNE, Records
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "calfeed.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DAY = timedelta(days=1)

# They have no types.
parse_strictly: Any = parser.text_string_to_metric_families
generate_openmetrics: Any = exposition.generate_latest


def registry_of(records: Records) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(records.database, lambda: records.now))
    return registry


def read(records: Records, name: str, **labels: str) -> float | None:
    return registry_of(records).get_sample_value(name, labels)


@pytest.fixture
def busy(records: Records) -> Records:
    """A site with messages that arrived and failed, polls, and processes."""
    records.tell()
    worker = Heartbeat("a", ProcessKind.WORKER, "one", 7, "1.0", records.now, records.now)
    web = replace(worker, id="b", kind=ProcessKind.WEB, beaten=records.now - timedelta(minutes=3))
    with records.database.write() as connection:
        write_heartbeat(connection, worker)
        write_heartbeat(connection, web)
        polls = [PollCounts("/calendars.ics", "Google", 2, 5, 900)]
        add_polls(connection, polls, records.now)
        add_polls(connection, polls, records.now - DAY)
    return records


def test_deliveries_and_attempts_are_counted_by_what_became_of_them(busy: Records) -> None:
    assert read(busy, "calfeed_unfinished_deliveries", state="pending") == 1
    assert read(busy, "calfeed_unfinished_deliveries", state="held") == 0
    recent = {"kind": "webhook", "state": "delivered"}
    assert read(busy, "calfeed_recent_deliveries", **recent) == 1
    assert read(busy, "calfeed_recent_attempts", outcome="received") == 1
    assert read(busy, "calfeed_recent_attempts", outcome="error") == 1
    assert read(busy, "calfeed_recent_attempts", outcome="unreachable") == 0
    assert read(busy, "calfeed_endpoints", kind="webhook", state="active") == 2
    busy.now += DAY
    assert read(busy, "calfeed_recent_attempts", outcome="received") == 0


def test_received_deliveries_are_counted_by_how_late_they_were(busy: Records) -> None:
    by_bound = [
        read(busy, "calfeed_recent_received_deliveries", within=bound)
        for bound in ("1", "3600", "86400", "+Inf")
    ]
    assert by_bound == [1, 1, 1, 1]
    with busy.database.write() as connection:
        connection.execute(update(messages).values(send_from=literal_column("at - 7200000000")))
    assert read(busy, "calfeed_recent_received_deliveries", within="3600") == 0
    assert read(busy, "calfeed_recent_received_deliveries", within="21600") == 1


def test_lag_is_how_long_something_has_been_due(busy: Records) -> None:
    assert read(busy, "calfeed_delivery_lag_seconds") == 0
    assert read(busy, "calfeed_overdue_reminders") == 0
    age = read(busy, "calfeed_oldest_pending_message_age_seconds")
    busy.now += DAY * 30
    lag = read(busy, "calfeed_delivery_lag_seconds")
    later = read(busy, "calfeed_oldest_pending_message_age_seconds")
    assert age is not None
    assert lag is not None
    assert later == age + DAY.total_seconds() * 30
    assert 0 < lag <= later
    assert read(busy, "calfeed_overdue_reminders") == 1


def test_reminders_that_were_too_late_count_for_a_day(records: Records) -> None:
    records.publish(JUNE)
    assert read(records, "calfeed_missed_reminders") == 0
    records.now = DAY_BEFORE + DAY * 2
    records.deliver()
    assert read(records, "calfeed_missed_reminders") == 2
    records.now += DAY * 1.5
    assert read(records, "calfeed_missed_reminders") == 0


def test_processes_count_while_their_heartbeat_is_new(busy: Records) -> None:
    assert read(busy, "calfeed_processes", kind="worker") == 1
    assert read(busy, "calfeed_processes", kind="web") == 0
    assert read(busy, "calfeed_heartbeat_age_seconds", kind="web") == 180


def test_polls_are_those_of_today(busy: Records) -> None:
    polls = {code: {"family": "Google", "code": code} for code in ("200", "304")}
    assert read(busy, "calfeed_feed_polls_total", **polls["200"]) == 2
    assert read(busy, "calfeed_feed_polls_total", **polls["304"]) == 5
    assert read(busy, "calfeed_feed_response_bytes_total", family="Google") == 900


def test_without_a_database_there_is_one_metric_that_says_so(
    monkeypatch: pytest.MonkeyPatch, records: Records, tmp_path: Path
) -> None:
    nothing = Database(f"sqlite:///{tmp_path}/none/calfeed.sqlite3")
    monkeypatch.setattr(records, "database", nothing)
    text = generate_latest(registry_of(records)).decode()
    assert [one for one in text.splitlines() if one[0] != "#"] == ["calfeed_database_up 0.0"]


def test_the_database_is_read_once_in_a_few_seconds(busy: Records) -> None:
    registry = registry_of(busy)
    name = "calfeed_overdue_reminders"
    before = registry.get_sample_value(name)
    busy.now += DAY * 30
    assert registry.get_sample_value(name) == before


def test_both_formats_are_valid_with_every_metric_in_them(busy: Records) -> None:
    registry = registry_of(busy)
    names = {one.name for one in (UP, *METRICS)}
    openmetrics = list(parse_strictly(generate_openmetrics(registry).decode()))
    text = list(parse(generate_latest(registry).decode()))
    for families in (openmetrics, text):
        assert {sample.name for one in families for sample in one.samples} - names <= {
            f"{name.removesuffix('_total')}_created" for name in names
        }
        assert names <= {sample.name for one in families for sample in one.samples}
    assert all(one.documentation for one in (*openmetrics, *text) if one.samples)


def test_prometheus_accepts_the_names(busy: Records, promtool: str) -> None:
    text = generate_latest(registry_of(busy))
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_prometheus_accepts_the_alerts(promtool: str) -> None:
    checked = subprocess.run([promtool, "check", "rules", ALERTS], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_prometheus_accepts_the_queries_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$job", "calfeed")}
        for number, query in enumerate(queries)
    ]
    # JSON is YAML.
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert f"{len(queries)} rules found" in checked.stdout


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD])
def test_alerts_and_dashboard_are_about_metrics_that_exist(file: Path) -> None:
    named = set(re.findall(r"\bcalfeed_\w+", file.read_text("utf-8")))
    assert named <= {one.name for one in (UP, *METRICS)}
    assert "calfeed_delivery_lag_seconds" in named


def test_the_docs_have_a_table_of_all_metrics() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = [
        f"| `{one.name}` | {', '.join(f'`{label}`' for label in one.labels)} | {one.help} |"
        for one in (UP, *METRICS)
    ]
    found = re.findall(r"^\| `calfeed_.*$", page, re.MULTILINE)
    assert found == [row.replace("|  |", "| |") for row in rows]


@pytest.fixture
def address(busy: Records) -> Iterator[str]:
    """The address of a server of metrics."""
    where = f"127.0.0.1:{free_port()}"
    with serving_metrics(busy.database, Settings(metrics=where), lambda: busy.now):
        yield where


def test_they_are_served_at_one_path(address: str) -> None:
    with urllib.request.urlopen(f"http://{address}/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        assert b"calfeed_database_up 1.0" in response.read()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{address}/")
    assert refused.value.code == 404
    refused.value.close()


def test_who_asks_for_openmetrics_gets_it(address: str) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    request = urllib.request.Request(f"http://{address}/metrics", headers=accept)
    with urllib.request.urlopen(request) as response:
        assert list(parse_strictly(response.read().decode()))


def test_a_worker_runs_without_metrics_if_the_port_is_taken(
    address: str, busy: Records, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages matter more."""
    with serving_metrics(busy.database, Settings(metrics=address), lambda: busy.now):
        pass
    assert f"CALFEED_METRICS={address} cannot be used" in caplog.text


def test_nothing_is_served_unless_it_is_asked_for(
    busy: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with serving_metrics(busy.database, Settings(), lambda: busy.now):
        pass


def test_without_the_library_it_says_what_to_install(
    busy: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with (
        pytest.raises(SettingsError, match=r"pip install 'calfeed\[metrics\]'"),
        serving_metrics(busy.database, Settings(metrics="127.0.0.1:1"), lambda: busy.now),
    ):
        pass


@pytest.mark.parametrize("wrong", ["9464", ":9464", "127.0.0.1", "127.0.0.1:0", "::1:9464:", "a:b"])
def test_the_address_is_a_host_and_a_port(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CALFEED_METRICS.*such as 127.0.0.1:9464"):
        load_settings({"CALFEED_METRICS": wrong}, tmp_path / "none.toml")
