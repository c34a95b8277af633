"""One id and one log line for every request; no member data, no secret, no query string."""

import re
from random import getrandbits
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, request

from blueprints import metrics
from config.logs import request_id, requests
from config.settings import Settings
from runtime import current_runtime

_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
PROGRAM = 200  # characters of what a program says of itself
_QUIET = {"health.healthz", "health.readyz", "health.metrics", "health.status"}


def init_app(app: Flask, settings: Settings) -> None:
    app.before_request(begin_behind_proxies if settings.trusted_proxies else begin)
    app.after_request(end)


def begin_behind_proxies() -> None:
    """A trusted proxy's X-Request-ID is kept where it looks like one, so that its log and ours can be joined."""
    given = request.headers.get("X-Request-ID", "")
    begin(given if _GIVEN.fullmatch(given) else None)


def begin(given: str | None = None) -> None:
    """Give the request an id of ours, unless a trusted proxy has `given` one, and start its time."""
    g.request_id = given or f"{getrandbits(128):032x}"
    g.started = perf_counter()
    request_id.set(g.request_id)


def end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    if request.blueprint == "webhook" or request.path.startswith(("/webhooks/", "/v1/")):
        metrics.count_reply(response.status_code)
    if request.endpoint not in _QUIET:
        _log(response)
    return response


def _log(response: Response) -> None:
    """Write the call's line. Never the path and the query: they may hold a person's id."""
    logged = current_runtime().settings.access_log
    if logged == "off":
        return
    rule = request.url_rule.rule if request.url_rule else "unknown"
    milliseconds = round((perf_counter() - g.started) * 1000, 1)
    more = _caller(response) if logged == "full" else {}
    requests().info(
        "request", method=request.method, route=rule, status=response.status_code, milliseconds=milliseconds, **more
    )


def _caller(response: Response) -> dict[str, Any]:
    """Return who called, by names that an admin has given, and how much was said. An operator is a number."""
    operator, connection = g.get("operator"), g.get("connection")
    return {
        "address": request.remote_addr,
        "program": (request.user_agent.string or "")[:PROGRAM],
        "connection": connection.name if connection else None,
        "api_token": g.get("token_name"),
        "operator": operator.id if operator else None,
        "bytes_in": request.content_length,
        "bytes_out": response.content_length,
    }
