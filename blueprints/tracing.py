"""One id and one log line for every request; no member data, no secret, no query string."""

import re
from random import getrandbits
from time import perf_counter

from flask import Flask, Response, g, request

from blueprints import metrics
from config.logs import request_id, requests
from config.settings import Settings

_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = {"health.healthz", "health.readyz", "health.metrics"}


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
        rule = request.url_rule.rule if request.url_rule else "unknown"  # never the path: it may hold a person's id
        milliseconds = round((perf_counter() - g.started) * 1000, 1)
        requests().info(
            "request", method=request.method, route=rule, status=response.status_code, milliseconds=milliseconds
        )
    return response
