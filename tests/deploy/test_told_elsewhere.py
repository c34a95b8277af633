"""Errors for a Sentry-compatible server, traces and metrics for a collector: over real HTTP, and no member data."""

import builtins
import json
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app import create_app
from blueprints.error_reports import scrubbed
from config import logs
from config.settings import WrongSetting
from config.version import VERSION
from tests.conftest import MakeRelay, settings_for
from tests.deploy.receiver import receiving
from tests.relay import member

ADA = "ada@example.com"


@pytest.fixture(autouse=True)
def nobody_is_told_afterwards():
    yield
    logs.report_errors_to(None)
    sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)


def wrong(_db: Any) -> None:
    said = f"nothing is known of {ADA}"
    raise ValueError(said)


def test_an_error_is_told_by_its_lines_of_code_and_nothing_else(make_relay: MakeRelay, monkeypatch) -> None:
    with receiving() as sentry:
        relay = make_relay(sentry_dsn=sentry.url.replace("://", "://key@") + "/7")
        monkeypatch.setattr(relay.database, "read", wrong)
        headers = {"Cookie": f"who={ADA}", "X-Secret": ADA}
        assert relay.client.get(f"/healthz?{ADA}", headers=headers).status_code == 200
        assert relay.client.post(f"/readyz?email={ADA}", headers=headers, json={"who": ADA}).status_code == 405
        relay.client.get(f"/readyz?email={ADA}", headers=headers)
        _path, told, envelope = sentry.wait_for("/api/7/envelope/")
    assert "sentry_key=key" in told["x-sentry-auth"]
    event = json.loads(envelope.split(b"\n")[2])
    error = event["exception"]["values"][0]
    assert (error["type"], event["release"]) == ("ValueError", f"cohort-relay@{VERSION}")
    assert error["stacktrace"]["frames"][-1]["function"] == "wrong"
    assert b"ada@" not in envelope
    assert not {"request", "user", "breadcrumbs", "extra", "contexts", "server_name"} & event.keys()


def test_what_an_event_has_beside_code_is_left_out_whoever_added_it() -> None:
    frame = {"function": "f", "lineno": 1, "vars": {"email": ADA}}
    error = {"type": "E", "value": ADA, "stacktrace": {"frames": [frame]}, "mechanism": {"type": "x", "data": ADA}}
    event = {"exception": {"values": [error]}, "request": {"data": ADA}, "message": ADA, "user": {"email": ADA}}
    assert ADA not in json.dumps(scrubbed(event, {}))  # type: ignore[arg-type]
    assert ADA not in json.dumps(scrubbed({"message": ADA}, {}))  # type: ignore[typeddict-item]


def test_calls_and_their_statements_are_traced_and_measured_without_members(make_relay: MakeRelay) -> None:
    with receiving() as collector:
        relay = make_relay(otel_exporter_otlp_endpoint=collector.url, otel_exporter_otlp_headers="x-key=word, x-b=c")
        relay.refresh([member("ada-1", email=ADA)])
        relay.client.get("/healthz")
        relay.client.get(f"/cohorts/12?find={ADA}")
        for provider in relay.app.extensions["telemetry"]:
            provider.shutdown()
        _path, headers, traces = collector.wait_for("/v1/traces")
        measured = collector.wait_for("/v1/metrics")[2]
    assert (headers["x-key"], headers["x-b"]) == ("word", "c")
    assert b"ada" not in traces + measured
    resource = ExportTraceServiceRequest.FromString(traces).resource_spans[0]
    assert VERSION in str(resource.resource)
    spans = resource.scope_spans[0].spans
    calls = {one.name: one for one in spans if not one.parent_span_id}
    assert set(calls) == {"POST /webhooks/mixpanel/<connection>", "GET /cohorts/<int:cohort_id>"}
    page = calls["POST /webhooks/mixpanel/<connection>"]
    below = [one for one in spans if one.parent_span_id == page.span_id]
    assert {one.trace_id for one in below} == {page.trace_id}
    assert {"SELECT", "INSERT"} <= {one.name for one in below}
    metric = ExportMetricsServiceRequest.FromString(measured).resource_metrics[0].scope_metrics[0].metrics[0]
    assert metric.name == "http.server.request.duration"
    assert sum(point.count for point in metric.histogram.data_points) == 2


def test_without_the_setting_nothing_is_imported_and_nothing_watches(make_relay: MakeRelay) -> None:
    assert "telemetry" not in make_relay().app.extensions


@pytest.mark.parametrize(
    ("setting", "value"),
    [("sentry_dsn", "https://key@errors.example.com/1"), ("otel_exporter_otlp_endpoint", "https://otel.example.com")],
)
def test_a_setting_without_its_libraries_stops_the_start_with_how_to_get_them(
    tmp_path, monkeypatch, setting: str, value: str
) -> None:
    found = builtins.__import__

    def import_without(name: str, *rest: Any) -> Any:
        if name.startswith(("sentry_sdk", "opentelemetry")):
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", import_without)
    with pytest.raises(WrongSetting, match=rf"^{setting.upper()} is set, .*requirements-observability\.txt$"):
        create_app(settings_for(tmp_path, **{setting: value}))
