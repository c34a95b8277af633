"""No credential is in the open anywhere (bar): planted values, sent by every door to a Mixpanel that repeats what it
hears, and sought afterwards on every page, in every answer of the API, in the log, and in each column of each table."""

import base64
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from models.database import db as models
from outbound.comparison import runner as comparison_runner
from outbound.delivery_check import search
from outbound.imports import runner
from outbound.projects import ProjectFields
from security import tokens
from tests.commands.conftest import terminal_of
from tests.conftest import MakeRelay
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import add_project, runtime_of
from tests.outbound.test_import_pages import EVENTS, lines, upload
from tests.outbound.test_warning import ADD, pages_of
from tests.relay import Browser, Relay

TOKEN, USERNAME, SECRET = "planted+token/3f8a", "planted account.91c2d4", 'planted "secret" 7b1e=é'
PASSWORD, ANONYMOUS = "planted-password-5d5d", "3e2a0d22-7465-4dc3-a2ab-56f8762e1a29"
DRAFT = ProjectFields("prod", "us", "2891273", TOKEN, USERNAME, SECRET, "example-co")
EVENT = {"operation": "import-events", "project": "prod", "p.event": "e", "p.distinct_id": "u1", "p.time": "1750000000"}
CALLS = [
    EVENT,
    EVENT | {"operation": "track-event"},
    ADD,
    {"operation": "create-identity", "project": "prod", "p.$identified_id": "u1", "p.$anon_id": ANONYMOUS},
    {"operation": "cohorts-list", "project": "prod"},
    # somebody pastes credentials where they do not belong
    EVENT | {"p.event": f"of {TOKEN}", "k.properties": SECRET, "v.properties": USERNAME},
    {"operation": "raw-request", "project": "prod", "p.method": "POST", "p.url": f"/track?token={quote_plus(TOKEN)}"},
    {
        "operation": "raw-request",
        "project": "prod",
        "p.method": "POST",
        "p.url": "/x",
        "p.text": f"{USERNAME}:{SECRET}",
    },
]
PIPELINE = {"type": "snowflake", "snowflake_password": PASSWORD, "from_date": "2025-06-01"}
PATHS = ("import", "track", "engage", "groups", "x")


def ways(secret: str) -> set[str]:
    """A secret as it may be written."""
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    coded = {base64.b64encode(secret.encode()).decode(), quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return plain | coded


def sought(relay: Relay) -> set[str]:
    pairs = (f"{USERNAME}:{SECRET}", f"{TOKEN}:")
    secrets = (TOKEN, USERNAME, SECRET, PASSWORD, relay.token, relay.password, *pairs)
    return {way for one in secrets for way in ways(one)}


def parrot(call: Call) -> Answer:
    """A refusal that says everything that was sent, credentials included."""
    said = f"no: {call.body.decode()} {dict(call.query)} {call.headers.get('Authorization')} {TOKEN} {SECRET}"
    row = {"index": 0, "insert_id": TOKEN, "field": SECRET, "message": said}
    return Answer(400, {"code": 400, "error": said, "status": 0, "failed_records": [row], "num_records_imported": 0})


def planted(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:
    """A relay whose project has the secrets; made within the test, so that its log is captured."""
    made = make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0, log_level="debug")
    add_project(made, DRAFT)
    return made


def use_every_door(relay: Relay, browser: Browser, folder: Path) -> None:
    relay.refresh(["m1"], project="2891273", cohort="42")
    for form in CALLS:
        assert browser.post("/send", form).status_code == 303, form
        assert browser.post("/send/preview", form, headers={"HX-Request": "true"}).status_code == 200
    landed = browser.post("/send", EVENT | {"p.event": "later"}).location
    browser.post(f"{landed}/landing", {})
    browser.post("/send/projects/prod/check", {})
    browser.post("/send/comparisons", {"cohort": "1", "project": "prod", "way": "count"})
    import_by_every_door(browser, folder, relay)
    call_the_api(relay)
    runtime = runtime_of(relay)
    for _ in range(3):
        runner.run_due(runtime, threading.Event())
    comparison_runner.work_once(runtime)
    relay.clock.forward(60_000)
    search.look_once(runtime)


def import_by_every_door(browser: Browser, folder: Path, relay: Relay) -> None:
    place = upload(browser, lines(*EVENTS)).location
    browser.post(f"{place}/start", {})
    template = json.dumps({"$distinct_id": "{{distinct_id}}", "$set": {"a": 1}})
    place = browser.post("/send/cohorts/1", {"kind": "people", "project": "prod", "template": template}).location
    browser.post(f"{place}/start", {"count": "1"})
    (folder / "updates").write_text(lines({"$distinct_id": "u1", "$set": {"a": 1}}))
    terminal = terminal_of(relay.app)
    said = [
        terminal("import", folder / "updates", "--project", "prod", "--kind", "people", "--json"),
        terminal("send", "import-events", "--project", "prod", "--body", json.dumps(EVENTS)),
        terminal("send", "track-event", "--project", "prod", "--body", json.dumps(EVENTS), "--check"),
        terminal("projects", "list", "--json"),
        terminal("projects", "check", "prod"),
        terminal("projects", "add", "prod", "--region", "us", "--project-id", "1", "--token", TOKEN),
    ]
    assert [one.output for one in said if leaks(relay, one.output)] == []


def call_the_api(relay: Relay) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    sender = relay.database.write(partial(tokens.add, key=key, name="sender", scope="send", now=0))
    for operation, given in (("import-events", {"body": EVENTS}), ("create-warehouse-pipeline", {"params": PIPELINE})):
        answer = relay.client.post(
            f"/api/v1/projects/prod/operations/{operation}",
            data=json.dumps(given | {"force": True}),
            headers={"Authorization": f"Bearer {sender}"},
        )
        assert answer.status_code == 200, answer.text
        assert leaks(relay, answer.text) == []


def leaks(relay: Relay, text: str) -> list[str]:
    return [way for way in sought(relay) if way in text]


def everything(relay: Relay, browser: Browser) -> Iterator[tuple[str, str]]:
    """Where it stands, and what stands there: pages and downloads, the API, the tables."""
    calls = [row["id"] for row in relay.rows("SELECT id FROM delivery")]
    jobs = [f"/send/imports/{row['id']}" for row in relay.rows("SELECT id FROM import_job")]
    paths = {*pages_of(relay), "/audit", "/settings/tokens", "/connections", "/connections/crm"}
    paths |= {path for one in calls for path in (f"/send/history/{one}", f"/send?operation=me&delivery={one}")}
    paths |= {f"{job}{end}" for job in jobs for end in ("", "/failed.csv", "/failed.ndjson")}
    yield from ((path, browser.get(path).text) for path in paths)
    lists = ("/operations", "/projects", "/deliveries", "/openapi.json", "/failures")
    yield from ((path, relay.api(path).text) for path in (*lists, *(f"/deliveries/{one}" for one in calls)))
    for table in models.metadata.sorted_tables:
        for row in relay.rows(f'SELECT * FROM "{table.name}"'):
            yield from ((f"{table.name}.{column}", written(value)) for column, value in row.items())


def written(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def test_no_planted_secret_is_anywhere_in_the_open(
    make_relay: MakeRelay, mixpanel: Mixpanel, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    relay = planted(make_relay, mixpanel)
    for path in PATHS:
        mixpanel.script(f"/api/{path}", parrot)
    browser = relay.sign_in("admin")
    use_every_door(relay, browser, tmp_path)
    heard = "".join(call.body.decode() + str(call.headers) for call in mixpanel.calls)
    for secret in (json.dumps(TOKEN)[1:-1], base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode(), PASSWORD):
        assert secret in heard  # they were really sent
    places_of_leaks = {place for place, text in everything(relay, browser) if leaks(relay, text)}
    assert places_of_leaks == set()
    logged = capfd.readouterr()
    assert logged.err.count('"event":"request"') > len(CALLS)
    assert leaks(relay, logged.err + logged.out) == []
