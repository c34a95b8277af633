"""`/metrics` for Prometheus: the server's counters, and what the database says when asked."""

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from blueprints.health import blueprint
from blueprints.metrics import of_all_processes


@blueprint.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(of_all_processes()), content_type=CONTENT_TYPE_LATEST)
