"""Spans: each attempt is reported to a collector of traces by OpenTelemetry's protocol (OTLP).

A span says which message went to which endpoint, when, for how long, and the status. It has
neither the URL nor the body, which can contain tokens, and no address of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from calfeed import __version__
from calfeed.delivery.engine.attempts import delivery_of
from calfeed.delivery.transport.tracing import span_id_of, trace_id_of
from calfeed.errors import SettingsError
from calfeed.model.states import EndpointKind
from calfeed.reminders.retry import Outcome

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

_TIMEOUT_SECONDS = 2.0
"""How long sending a batch may take; a worker that ends waits for its last batch."""

Report = Callable[[Sequence[Outcome]], None]
"""Reports the outcomes of attempts; it must return at once."""


@contextmanager
def reporting_spans(url: str | None) -> Iterator[Report | None]:
    """Yield a function that reports outcomes to the collector at a URL; None without a URL.

    A thread sends the spans in batches. If the collector is down or slow, spans are dropped, which
    OpenTelemetry logs; deliveries do not wait. Raises SettingsError if OpenTelemetry is not
    installed.
    """
    if url is None:
        yield None
        return
    check_tracing(url)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "calfeed", "service.version": __version__})
    processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT_SECONDS))

    def report(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            processor.on_end(make_span(outcome, resource))

    try:
        yield report
    finally:
        processor.shutdown()  # type: ignore[no-untyped-call]  # it has no types


def check_tracing(url: str | None) -> None:
    """Raise SettingsError if there is a URL, but the optional OpenTelemetry is not installed."""
    if url is None:
        return
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401 - optional, and slow to import
    except ImportError as error:
        raise SettingsError(
            "CALFEED_TRACES_URL is set, but OpenTelemetry, which sends traces, is not installed; "
            "run pip install 'calfeed[tracing]'"
        ) from error


def make_span(outcome: Outcome, resource: Resource) -> ReadableSpan:
    """Make the span of an attempt, by OpenTelemetry's conventions for HTTP clients."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    delivery = delivery_of(outcome)
    claim = delivery.claim
    context = SpanContext(
        int(trace_id_of(claim.message_id), 16),
        int(span_id_of(claim.delivery_id, claim.attempts + 1), 16),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    attributes: dict[str, str | int] = {
        "calfeed.message.id": claim.message_id,
        "calfeed.endpoint.id": claim.endpoint_id,
        "calfeed.delivery.id": claim.delivery_id,
        "http.request.resend_count": claim.attempts,
    }
    if delivery.kind is EndpointKind.WEBHOOK and (host := urlsplit(delivery.url).hostname):
        attributes |= {"http.request.method": "POST", "server.address": host}
    if outcome.status is not None:
        attributes["http.response.status_code"] = outcome.status
    if not outcome.received:
        attributes["error.type"] = str(outcome.status or "no response")
    return ReadableSpan(
        "send webhook" if delivery.kind is EndpointKind.WEBHOOK else f"send {delivery.kind}",
        context,
        resource=resource,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        status=Status(StatusCode.UNSET if outcome.received else StatusCode.ERROR),
        start_time=_nanoseconds(outcome.started_at),
        end_time=_nanoseconds(outcome.started_at + timedelta(milliseconds=outcome.milliseconds)),
    )


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
