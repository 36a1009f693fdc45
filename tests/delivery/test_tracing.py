"""Each webhook names its trace, and a collector gets a span of each attempt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from calfeed.delivery.engine.spans import reporting_spans
from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.transport.headers import parse_headers
from calfeed.errors import InvalidInputError, SettingsError
from calfeed.reminders.filters import Filters
from calfeed.reminders.retry import SCHEDULE
from calfeed.settings import load_settings
from tests.delivery.office import Office, wait_until, working
from tests.delivery.test_worker import JUNE, WEEK_BEFORE
from tests.loopback import Handler, Loopback
from tests.publish.desk import BASE

TOKEN = "zq7-undisclosed-8842"


class Collecting(Handler):
    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        self.server.owner.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Collector(Loopback):
    """A collector of traces; `bodies` are what was posted to it."""

    def __init__(self) -> None:
        super().__init__(Collecting)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        scopes = [
            scope for one in requests for of in one.resource_spans for scope in of.scope_spans
        ]
        return [span for scope in scopes for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


def attributes_of(span: Span) -> dict[str, str | int]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def deliver(office: Office, collector: Collector, at: datetime) -> None:
    """Let a worker that reports to a collector do what there is to do at a time."""
    office.now = at
    with reporting_spans(collector.url) as report:
        worker = Worker(
            office.database, office.sender, BASE, lambda: office.now, lambda: 0.5, report=report
        )
        with working(worker):
            wait_until(office.is_done)


def test_all_attempts_of_a_message_are_in_one_trace_of_which_the_receiver_knows(
    office: Office, collector: Collector
) -> None:
    office.subscribe(f"/status/503?token={TOKEN}", filters=Filters(types=("reminder.due",)))
    office.publish(JUNE)
    deliver(office, collector, WEEK_BEFORE)
    office.redirect(f"/status/204?token={TOKEN}")
    deliver(office, collector, WEEK_BEFORE + SCHEDULE[1] * 2)
    failed, received = collector.spans()
    assert failed.trace_id == received.trace_id
    assert {post.headers["webhook-id"] for post in office.receiver.posts} == {
        f"msg_{received.trace_id.hex()}"
    }
    assert failed.span_id != received.span_id
    assert [post.headers["traceparent"] for post in office.receiver.posts] == [
        f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01" for span in (failed, received)
    ]
    assert [span.status.code for span in (failed, received)] == [
        Status.STATUS_CODE_ERROR,
        Status.STATUS_CODE_UNSET,
    ]
    (row,) = office.deliveries()
    assert attributes_of(failed) == {
        "calfeed.message.id": office.receiver.posts[0].headers["webhook-id"],
        "calfeed.endpoint.id": "end_1",
        "calfeed.delivery.id": row.id,
        "http.request.method": "POST",
        "http.request.resend_count": 0,
        "http.response.status_code": 503,
        "server.address": "127.0.0.1",
        "error.type": "503",
    }
    assert received.kind == Span.SPAN_KIND_CLIENT
    assert TOKEN.encode() not in b"".join(collector.bodies)


def test_a_collector_that_is_gone_delays_no_delivery(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with Collector() as gone:
        pass
    office.subscribe(filters=Filters(types=("reminder.due",)))
    office.publish(JUNE)
    deliver(office, gone, WEEK_BEFORE)
    (row,) = office.deliveries()
    assert (row.state, row.attempts) == ("delivered", 1)


def test_a_report_that_fails_ends_no_delivery(office: Office) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a bug in a library")

    office.subscribe(filters=Filters(types=("reminder.due",)))
    office.publish(JUNE)
    office.now = WEEK_BEFORE
    worker = Worker(
        office.database, office.sender, BASE, lambda: office.now, lambda: 0.5, report=fail
    )
    with working(worker):
        wait_until(office.is_done)
    assert [row.state for row in office.deliveries()] == ["delivered"]


def test_a_custom_header_cannot_take_the_place_of_the_trace() -> None:
    with pytest.raises(InvalidInputError, match="Traceparent is set by calfeed itself"):
        parse_headers(["Traceparent: 00-0-0-00"])


@pytest.mark.parametrize(
    "wrong", ["collector", "https://user:word@example.org/v1/traces", "http://a.example/?key=word"]
)
def test_a_url_that_may_be_logged_has_no_secret(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CALFEED_TRACES_URL") as refused:
        load_settings({"CALFEED_TRACES_URL": wrong}, tmp_path / "none.toml")
    assert "word" not in str(refused.value).replace("password", "")
