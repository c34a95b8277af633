"""What the demo has no example of: calls with every kind of verdict."""

from typing import Any

from flask import Flask

from outbound import operations, projects, send
from outbound.shape import Given
from tests.mixpanel import Answer, Mixpanel

NOW = 1_763_971_200
EVENTS = [
    {"event": name, "properties": {"time": NOW, "distinct_id": "test-user-1"}} for name in ("Signed up", "Invited")
]
FAILED = {"index": 1, "insert_id": "a-2", "field": "properties.time", "message": "must be a number"}


def fill(app: Flask, mixpanel: Mixpanel) -> None:
    """One call of each verdict."""
    mixpanel.script(
        "/api/import",
        Answer(200, {"code": 200, "num_records_imported": 2, "status": "OK"}),
        Answer(400, {"code": 400, "failed_records": [FAILED], "num_records_imported": 1, "status": "Bad Request"}),
        Answer(401, {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}),
    )
    for _ in range(3):
        _send(app, "import-events", body=EVENTS)
    mixpanel.script("/api/engage", Answer(503, ""))
    _send(app, "profile-numerical-add", {"$distinct_id": "test-user-1", "$add": {"logins": 1}})
    _send(app, "profile-set", {"$distinct_id": "test-user-1", "$set": {"plan": "pro"}})
    mixpanel.forget()


def _send(app: Flask, operation_id: str, params: dict[str, Any] | None = None, body: Any = None) -> None:
    desk = app.extensions["desk"]
    project = desk.database.read(projects.listed)[0]
    call = send.ready(desk, project, operations.OPERATIONS[operation_id], Given(params or {}, body))
    send.send(desk, call, "admin@example.org", "dashboard")
