"""Each alert fires for its own fault and for nothing else: Prometheus evaluates them.

The metrics are those of a site in which the fault has happened, scraped once a minute for half an
hour.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from calfeed.errors import DefinitionError, Problem
from calfeed.model.states import EndpointState
from calfeed.services.watching.metrics import DatabaseCollector
from calfeed.services.watching.refusals import report_refusal
from calfeed.store.database import Database
from calfeed.store.endpoints import lifecycle
from calfeed.store.watching.heartbeats import Heartbeat, ProcessKind, write_heartbeat
from tests.cli.conftest import records as records
from tests.cli.records import DAY_BEFORE, JUNE, WEEK_BEFORE, Records

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def beat(records: Records, *kinds: ProcessKind) -> None:
    """Write the heartbeats of processes that run."""
    one = Heartbeat("", ProcessKind.WORKER, "one", 7, "1.0", records.now - DAY, records.now)
    with records.database.write() as connection:
        for kind in kinds:
            write_heartbeat(connection, replace(one, id=kind.value, kind=kind))


def run(records: Records) -> None:
    """Let a site run, whose one message of a week before was received."""
    records.subscribe()
    records.publish(JUNE)
    records.now = WEEK_BEFORE
    records.deliver()
    records.now += MINUTE
    beat(records, *ProcessKind)


def run_without(kind: ProcessKind) -> Callable[[Records], None]:
    def fault(records: Records) -> None:
        run(records)
        records.now += DAY / 4
        beat(records, *(set(ProcessKind) - {kind}))

    return fault


def be_late(records: Records) -> None:
    run(records)
    records.now = DAY_BEFORE + 10 * MINUTE
    beat(records, *ProcessKind)


def miss_reminders(records: Records) -> None:
    records.publish(JUNE)
    records.now = DAY_BEFORE + 2 * DAY
    records.deliver()
    beat(records, *ProcessKind)


def disable_an_endpoint(records: Records) -> None:
    run(records)
    with records.database.write() as connection:
        lifecycle.pause_or_disable_endpoint(
            connection, "end_1", EndpointState.DISABLED, records.now, "it is gone"
        )


def fail_deliveries(records: Records) -> None:
    records.tell()
    records.give_up()
    beat(records, *ProcessKind)


def refuse_a_publish(records: Records) -> None:
    run(records)
    wrong = Problem("events/desk.yaml", 3, 5, "events.stay.start", "is not a date")
    report_refusal(records.database, DefinitionError([wrong]), records.now)


def lose_the_database(records: Records) -> None:
    run(records)
    missing = records.database.file
    assert missing is not None
    records.database = Database(f"sqlite:///{missing.path.parent}/none/calfeed.sqlite3")


FAULTS: dict[str, Callable[[Records], None]] = {
    "CalfeedIsLate": be_late,
    "CalfeedHasNoDatabase": lose_the_database,
    "CalfeedHasNoWorker": run_without(ProcessKind.WORKER),
    "CalfeedHasNoWebServer": run_without(ProcessKind.WEB),
    "CalfeedMissedReminders": miss_reminders,
    "CalfeedDisabledEndpoints": disable_an_endpoint,
    "CalfeedDeliveriesFail": fail_deliveries,
    "CalfeedPublishRefused": refuse_a_publish,
}


def scrape(records: Records) -> list[dict[str, str]]:
    """What Prometheus sees in half an hour in which nothing changes any more."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(records.database, lambda: records.now))
    return [
        {"series": f"{one.name}{{{write_labels(one.labels)}}}", "values": f"{one.value:f}x30"}
        for family in registry.collect()
        for one in family.samples
    ]


def write_labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


def expect(promtool: str, folder: Path, series: list[dict[str, str]], *alerts: str) -> None:
    """Let Prometheus evaluate all alerts for these series, and see which of them fire."""
    firing = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "20m",
        "exp_samples": [
            {"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(alerts)
        ],
    }
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [firing]}
    file = folder / "faults.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"rule_files": [str(ALERTS)], "tests": [test]}))
    checked = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("engine", ["sqlite"])
def test_none_fires_where_nothing_is_wrong(records: Records, promtool: str, tmp_path: Path) -> None:
    run(records)
    expect(promtool, tmp_path, scrape(records))


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("alert", FAULTS)
def test_an_alert_fires_for_its_fault_alone(
    records: Records, promtool: str, tmp_path: Path, alert: str
) -> None:
    FAULTS[alert](records)
    expect(promtool, tmp_path, scrape(records), alert)


def test_without_metrics_one_alert_says_so(promtool: str, tmp_path: Path) -> None:
    expect(promtool, tmp_path, [], "CalfeedIsNotWatched")


def test_there_is_a_fault_for_every_alert() -> None:
    rules: Any = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == {*FAULTS, "CalfeedIsNotWatched"}
