"""Traces and metrics by OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT): a span for each call and one for each statement
below it, and how long calls take. Routes and statements are named, never a path, a query, a value or a body.

Its libraries are imported where they are used: they are an option, and most relays do without.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy import Engine, event

from blueprints.error_reports import MISSING
from config.settings import Settings, WrongSetting
from config.version import VERSION
from models.database import db

LONGEST = 2000  # characters of a statement
QUIET = frozenset({"health.healthz", "health.readyz", "health.metrics", "health.status", "static"})


def init_app(app: Flask, settings: Settings) -> None:
    """Begin to tell, where the setting says to whom. Raises WrongSetting where the libraries are not installed."""
    if not settings.otel_exporter_otlp_endpoint:
        return
    try:
        from opentelemetry.sdk.resources import Resource
    except ImportError:
        raise WrongSetting(MISSING.format(setting="OTEL_EXPORTER_OTLP_ENDPOINT")) from None
    resource = Resource.create({"service.name": "cohort-relay", "service.version": VERSION})
    traces, metrics = _traces(settings, resource), _metrics(settings, resource)
    app.extensions["telemetry"] = (traces, metrics)
    tracer = traces.get_tracer("cohort_relay", VERSION)
    duration = metrics.get_meter("cohort_relay", VERSION).create_histogram(
        "http.server.request.duration", unit="s", description="How long calls took."
    )
    _watch_calls(app, tracer, duration.record)
    with app.app_context():
        for engine in db.engines.values():
            _watch_statements(engine, tracer)


def _traces(settings: Settings, resource: Any) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    sampler = ParentBased(TraceIdRatioBased(settings.otel_traces_percent / 100))
    provider = TracerProvider(resource=resource, sampler=sampler)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**_far_end(settings, "traces"))))
    return provider


def _metrics(settings: Settings, resource: Any) -> Any:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**_far_end(settings, "metrics")))
    return MeterProvider(resource=resource, metric_readers=[reader])


def _far_end(settings: Settings, signal: str) -> dict[str, Any]:
    pairs = [pair.partition("=") for pair in settings.otel_exporter_otlp_headers.split(",") if pair.strip()]
    headers = {name.strip(): value.strip() for name, _equals, value in pairs}
    return {"endpoint": f"{settings.otel_exporter_otlp_endpoint}/v1/{signal}", "headers": headers, "timeout": 10}


def _watch_calls(app: Flask, tracer: Any, record: Callable[..., None]) -> None:
    from opentelemetry import trace

    def begin() -> None:
        if request.endpoint in QUIET:
            return
        rule = request.url_rule.rule if request.url_rule else "unknown"
        named = {"http.request.method": request.method, "http.route": rule}
        span = tracer.start_span(f"{request.method} {rule}", kind=trace.SpanKind.SERVER, attributes=named)
        g.span, g.span_began, g.span_named = span, perf_counter(), named

    def note(response: Response) -> Response:
        if "span" in g:
            g.span_named |= {"http.response.status_code": response.status_code}
            g.span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 500:  # noqa: PLR2004 - as HTTP has it
                g.span.set_status(trace.StatusCode.ERROR)
        return response

    def end(_error: BaseException | None) -> None:
        if span := g.pop("span", None):
            span.end()
            record(perf_counter() - g.span_began, g.span_named)

    app.before_request(begin)
    app.after_request(note)
    app.teardown_request(end)


def _watch_statements(engine: Engine, tracer: Any) -> None:
    from opentelemetry import trace

    def begin(connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        end(connection)  # of a statement that failed without SQLAlchemy's knowledge
        if not (g and "span" in g):
            return
        words = {"db.system.name": engine.dialect.name, "db.query.text": statement[:LONGEST]}
        above = trace.set_span_in_context(g.span)
        name = statement.split(None, 1)[0].upper() if statement.strip() else "SQL"
        connection.info["span"] = tracer.start_span(name, above, kind=trace.SpanKind.CLIENT, attributes=words)

    def end(connection: Any, *_more: Any) -> None:
        if span := connection.info.pop("span", None):
            span.end()

    def fail(context: Any) -> None:
        if context.connection is not None and (span := context.connection.info.pop("span", None)):
            span.set_status(trace.StatusCode.ERROR)
            span.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)
