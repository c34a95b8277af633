"""What the demo has no example of: calls with every kind of verdict, imports, a comparison, an event that was found."""

import json
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from outbound import deliveries, projects, send
from outbound.comparison import jobs as comparisons
from outbound.comparison import runner as comparison_runner
from outbound.delivery_check import event as sought_event
from outbound.delivery_check import jobs as delivery_checks
from outbound.delivery_check import search
from outbound.imports import columns, files, jobs, runner
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.saved import requests, runs
from outbound.saved.requests import SavedDraft
from outbound.saved.runs import RunResult
from runtime import Runtime
from tests.mixpanel import Answer, Mixpanel

NOW = 1_763_971_200
WHO = "admin@example.org"
EVENTS = [
    {"event": name, "properties": {"time": NOW, "distinct_id": "test-user-1"}} for name in ("Signed up", "Invited")
]
FAILED = {"index": 1, "insert_id": "a-2", "field": "properties.time", "message": "must be a number"}
TABLE = "user,event,time,plan\nu1,Upgraded,1763971200,pro\nu2,Upgraded,1763971260,team\n"
SERIES = (("Germany", 17, 40, 90), ("France", 11, 25, 70), ("Japan", 7, 12, 40))
SECONDS_UNTIL_VISIBLE = 41


def fill(app: Flask, mixpanel: Mixpanel) -> None:
    """One call of each verdict, an import that waits for its question and one that is done, a comparison."""
    runtime: Runtime = app.extensions["runtime"]
    mixpanel.script(
        "/api/import",
        Answer(200, {"code": 200, "num_records_imported": 2, "status": "OK"}),
        Answer(400, {"code": 400, "failed_records": [FAILED], "num_records_imported": 1, "status": "Bad Request"}),
        Answer(401, {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}),
    )
    landed, *_others = [_send(runtime, "import-events", body=EVENTS) for _ in range(3)]
    _find(runtime, mixpanel, landed)
    mixpanel.script("/api/engage", Answer(503, ""))
    _send(runtime, "profile-numerical-add", {"$distinct_id": "test-user-1", "$add": {"logins": 1}})
    _send(runtime, "profile-set", {"$distinct_id": "test-user-1", "$set": {"plan": "pro"}})
    _ask(runtime, mixpanel)
    mixpanel.forget()
    _save(runtime)
    _import(runtime, mixpanel)
    _compare(runtime, mixpanel)
    mixpanel.forget()


def _send(runtime: Runtime, operation_id: str, params: dict[str, Any] | None = None, body: Any = None) -> int:
    project = runtime.database.read(projects.listed)[0]
    call = send.ready(runtime, project, registry.OPERATIONS[operation_id], CallInput(params or {}, body))
    return send.send(runtime, call, WHO, "dashboard")[0]


def _ask(runtime: Runtime, mixpanel: Mixpanel) -> None:
    """Ask for an event by country, for three weeks."""
    days = [f"2026-11-{day:02d}" for day in range(1, 22)]
    values = {
        name: {day: (index * step + base) % most for index, day in enumerate(days)} for name, step, base, most in SERIES
    }
    mixpanel.script("/query/segmentation", Answer(body={"data": {"series": days, "values": values}, "legend_size": 3}))
    asked = {"event": "Signed up", "from_date": days[0], "to_date": days[-1], "on": 'properties["$country"]'}
    _send(runtime, "segmentation-query", asked)


def _save(runtime: Runtime) -> None:
    """Two saved requests: one that has never run, one whose newest run failed."""
    for name, folder, checks in (("Sign up", "Smoke tests/Accounts", ["status = 200"]), ("Upgrade", "", [])):
        given = CallInput({"event": name, "distinct_id": "test-user-1", "properties": {"plan": "{{plan}}"}})
        draft = SavedDraft(name, folder, "import-events", "practice", given, {"plan": {"": "pro"}}, checks)
        number = runtime.database.write(partial(requests.add, draft=draft, who=WHO, now=runtime.clock()))
    saved = runtime.database.read(lambda db: requests.by_id(db, number))
    assert saved is not None
    failed = RunResult(passed=False, reason="The status is 401, not 200.", delivery=1)
    runtime.database.write(lambda db: runs.note(db, saved, failed, WHO, "schedule", runtime.clock()))


def _find(runtime: Runtime, mixpanel: Mixpanel, delivery_id: int) -> None:
    """Look for a call's event, with a clock that is ahead."""
    sent = runtime.database.read(lambda db: deliveries.by_id(db, delivery_id))
    assert sent is not None
    wanted = sought_event.sought(sent)
    properties = {"distinct_id": wanted.distinct_id, "$insert_id": wanted.insert_id, "time": NOW}
    mixpanel.script("/export/export", Answer(body=json.dumps({"event": wanted.event, "properties": properties})))
    runtime.database.write(lambda db: delivery_checks.ask(db, delivery_id, wanted, sent.at, sent.at))
    search.look_once(replace(runtime, clock=lambda: sent.at + SECONDS_UNTIL_VISIBLE * 1000))


def _import(runtime: Runtime, mixpanel: Mixpanel) -> None:
    runtime.uploads.mkdir(parents=True, exist_ok=True)
    table, lines = runtime.uploads / "table", runtime.uploads / "lines"
    table.write_text(TABLE)
    lines.write_text("".join(map(_line, range(500))))
    mapping = {"mapping": columns.guessed("events", files.heads(table)), "always": {}, "operator": "$set"}
    done = _add(runtime, lines, "web-events.ndjson", {})
    _add(runtime, table, "upgrades.csv", mapping)
    failed = [FAILED | {"index": place, "insert_id": f"a-{place}"} for place in (7, 107)]
    mixpanel.script("/api/import", Answer(400, {"code": 400, "failed_records": failed, "num_records_imported": 498}))
    runtime.database.write(lambda db: jobs.go(db, done))
    runner.run_due(runtime, threading.Event())


def _line(number: int) -> str:
    whose = "null" if number % 100 == 7 else f"test-user-{number}"
    return json.dumps({"event": "Opened", "properties": {"time": NOW + number, "distinct_id": whose}}) + "\n"


def _add(runtime: Runtime, path: Path, name: str, settings: dict[str, Any]) -> int:
    project = runtime.database.read(projects.listed)[0].name
    mark, total = files.fingerprint(path, runtime.cipher.digest), files.survey(path).total
    draft = jobs.NewImport(
        project, "events", "import-events", "upload", name, WHO, str(path), mark, settings=settings, total=total
    )
    return runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))


def _compare(runtime: Runtime, mixpanel: Mixpanel) -> None:
    """The smallest cohort by its ids, of which Mixpanel has some others; one by its count is asked for too late."""
    cohort, project = runtime.database.read(
        lambda db: (
            db.execute(
                text("SELECT id FROM cohort WHERE member_count > 50 ORDER BY member_count LIMIT 1")
            ).scalar_one(),
            projects.listed(db)[0].name,
        )
    )
    known = runtime.database.read(
        lambda db: list(
            db.execute(
                text(
                    "SELECT p.distinct_id FROM membership m JOIN person p ON p.id = m.person_id "
                    "WHERE m.cohort_id = :id AND m.left_at IS NULL ORDER BY p.id"
                ),
                {"id": cohort},
            ).scalars()
        )
    )
    theirs = [*known[3:], *(f"new-user-{number}" for number in range(8))]
    found = {"results": [{"$distinct_id": one} for one in theirs], "page_size": len(theirs) + 1, "total": len(theirs)}
    mixpanel.script("/query/engage", Answer(body=found | {"session_id": "s", "page": 0, "status": "ok"}))
    for way in ("ids", "count"):
        runtime.database.write(lambda db, way=way: comparisons.ask(db, cohort, project, WHO, way, runtime.clock(), {}))
        if way == "ids":
            comparison_runner.work_once(runtime)
