"""Somebody planted in every place that can hold a person, by the app's own doing wherever it has one; and the search of
every column of every table and every file of the instance folder."""

import csv
import gzip
import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from destinations import destinations, subscriptions, worker
from destinations.destinations import NewDestination
from destinations.subscriptions import NewSubscription
from models.database import db as tables
from outbound import deliveries, send
from outbound.comparison import jobs as comparisons
from outbound.comparison import runner as comparison_runner
from outbound.delivery_check import event as sought_event
from outbound.delivery_check import jobs as delivery_checks
from outbound.downloads import progress as downloads
from outbound.downloads.folder import folder_of
from outbound.imports import files, jobs, runner
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.saved import requests, runs
from outbound.saved.requests import SavedDraft
from outbound.saved.runs import RunResult
from security.audit import note
from tests.mixpanel import Answer, stand_in
from tests.outbound.conftest import project_of, runtime_of
from tests.relay import MINUTE, Relay, member

PROJECT, ID = "2891273", "planted-id-7c1"
EMAIL, PHONE, FIRST, LAST = "Planted.Person@example.org", "+49 151 2345678", "Plantagenet", "Plantation"
WORDS = (ID, EMAIL.lower(), PHONE, FIRST.lower(), LAST.lower())
OTHER = "bob-beside"  # long enough to stand in no ciphertext by chance
PLANTED = member(ID, email=EMAIL, first_name=FIRST, last_name=LAST, phone_number=PHONE, plan=f"plan of {ID}")
NOW = 1_750_000_000


def plant(relay: Relay, instance: Path) -> None:
    """The person and, beside them, Bob; both everywhere."""
    _in_cohorts(relay)
    _in_calls(relay)
    _in_saved_requests(relay)
    _in_refused_requests(relay)
    _in_imports(relay, instance)
    _in_a_comparison(relay, instance)
    _in_destinations(relay)
    relay.database.write(partial(_in_words_of_ours, now=relay.clock()))


def _in_cohorts(relay: Relay) -> None:
    """In two cohorts now, out of a third, and on a page as a rejected member: without an id, with the e-mail."""
    for cohort in ("7", "8"):
        relay.refresh(
            [PLANTED, member(OTHER, email="bob@example.org")], session=f"in {cohort}", cohort=cohort, project=PROJECT
        )
    relay.add([ID], session="came", cohort="9", project=PROJECT)
    relay.remove([ID, OTHER], session="went", cohort="9", project=PROJECT)
    relay.add([ID, OTHER], session="came again", cohort="9", project=PROJECT)
    relay.remove([ID], session="went again", cohort="9", project=PROJECT)
    nameless = {"email": EMAIL, "first_name": FIRST}
    relay.add([nameless, {"email": "bob@example.org"}], session="nameless", cohort="7", project=PROJECT)


def _in_calls(relay: Relay) -> None:
    runtime, project = runtime_of(relay), project_of(relay)
    for one in (ID, OTHER):
        event = {"event": "Signed up", "properties": {"time": NOW, "distinct_id": one}}
        call = send.ready(runtime, project, registry.OPERATIONS["import-events"], CallInput(body=[event]))
        delivery, _ = send.send(runtime, call, "tests", "dashboard")
        runtime.database.write(partial(_look_out, delivery=delivery, now=runtime.clock()))
    _download(relay, ID)
    _download(relay, OTHER)
    _call(relay, "profile-set", {"$distinct_id": "somebody", "$set": {"referrer": EMAIL}})


def _in_saved_requests(relay: Relay) -> None:
    """One that names them in what it sends, one in a variable, and a run whose answer named them."""
    runtime = runtime_of(relay)
    for who in (ID, OTHER):
        for name, sent, values in (("sent", who, {}), ("variable", "{{who}}", {"who": {"": who}}), ("run", "u1", {})):
            given = CallInput({"event": "Signed up", "distinct_id": sent})
            draft = SavedDraft(f"{name} of {len(who)}", "Tests", "track-event", "prod", given, values)
            number = runtime.database.write(partial(requests.add, draft=draft, who="tests", now=runtime.clock()))
            saved = runtime.database.read(partial(requests.by_id, number=number))
            assert saved is not None
            result = RunResult(passed=False, reason=f"answer.id is {who if name == 'run' else 'another'}, not 1.")
            runtime.database.write(
                partial(runs.note, saved=saved, result=result, who="tests", source="terminal", now=runtime.clock())
            )


def _in_refused_requests(relay: Relay) -> None:
    """A page with an impossible number, of each, and one that is not JSON."""
    for who in (PLANTED, member(OTHER, email="bob@example.org")):
        relay.clock.forward(2 * MINUTE)
        relay.post("members", [who], 0, 10, cohort="7", project=PROJECT)
    relay.post_raw(f'{{"members": ["{ID}"')


def _download(relay: Relay, who: str) -> None:
    """A long answer that names somebody far behind its beginning."""
    runtime = runtime_of(relay)
    lines = "".join(json.dumps({"event": "E", "properties": {"distinct_id": f"other-{n}"}}) + "\n" for n in range(9000))
    named = json.dumps({"event": "E", "properties": {"distinct_id": who}})
    with stand_in() as mixpanel:
        mixpanel.script("/export/export", Answer(body=lines + named))
        runtime = runtime.with_settings(mixpanel_base_url=mixpanel.url)
        given = CallInput({"from_date": "2026-01-01", "to_date": "2026-01-01"})
        call = send.ready(runtime, project_of(relay), registry.OPERATIONS["raw-event-export"], given)
        delivery, _ = send.send(runtime, call, "tests", "dashboard")
    found = runtime.database.read(lambda db: downloads.of(db, delivery))
    assert found is not None
    assert folder_of(runtime).file(found.file or "") is not None


def _look_out(db: Connection, delivery: int, now: int) -> None:
    found = deliveries.by_id(db, delivery)
    assert found is not None
    delivery_checks.ask(db, delivery, sought_event.sought(found), found.at, now)


def _call(relay: Relay, operation: str, record: dict[str, Any]) -> None:
    runtime = runtime_of(relay)
    params = {"$distinct_id": record["$distinct_id"]}
    call = send.ready(runtime, project_of(relay), registry.OPERATIONS[operation], CallInput(params, record["$set"]))
    send.send(runtime, call, "tests", "dashboard")


def _in_imports(relay: Relay, instance: Path) -> None:
    """Two that are through, one packed: their uploads lie in the instance folder until their time."""
    runtime = runtime_of(relay)
    folder = instance / "imports"
    folder.mkdir(exist_ok=True)
    for name, who in (("plain", ID), ("packed", ID), ("of bob", OTHER)):
        path = folder / name
        bad = {"event": "e", "properties": {"time": "never", "distinct_id": who}}
        content = json.dumps(bad).encode() + b"\n"
        path.write_bytes(gzip.compress(content) if name == "packed" else content)
        draft = jobs.NewImport(
            "prod",
            "events",
            "import-events",
            "upload",
            f"{who}.json",
            "tests",
            str(path),
            files.fingerprint(path, runtime.cipher.digest),
            settings={"mapping": {}, "always": {"distinct_id": who}},
            total=1,
            state="waiting",
        )
        job = runtime.database.write(partial(jobs.add, draft=draft, now=runtime.clock()))
        runner.run(runtime, job, threading.Event())
    (folder / "nobody's").write_text(f"name;id\nx;{ID}\n")


def _in_a_comparison(relay: Relay, instance: Path) -> None:
    runtime, path = runtime_of(relay), instance / "imports" / "destinations.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["distinct_id", "operation"], ["only-there", "add"]])
    cohort = relay.rows("SELECT id FROM cohort WHERE mixpanel_cohort_id = '7'")[0]["id"]
    runtime.database.write(
        lambda db: comparisons.ask(
            db, cohort, "prod", "tests", "csv", runtime.clock(), {"file": str(path), "column": ""}
        )
    )
    comparison_runner.work_once(runtime)


def _in_destinations(relay: Relay) -> None:
    """A stream and a set that know of both, a far end that is away, and a set that wants what nobody has."""
    runtime = runtime_of(relay)
    with stand_in() as there:
        there.script("/hook", lambda call: Answer(body={"calls": PHONE if ID in call.body.decode() else "Bob"}))
        there.script("/users/track", Answer(201, {"message": "success"}))
        for name, kind, settings, secrets in (
            ("hook", "webhook", {"url": f"{there.url}/hook"}, {}),
            ("set", "braze", {"base_url": there.url}, {"api_key": "planted-key"}),
            ("away", "webhook", {"url": "http://127.0.0.1:9/hook"}, {}),
            ("parked", "braze", {"base_url": there.url}, {"api_key": "planted-key"}),
        ):
            draft = NewDestination(name, kind, settings, secrets)
            runtime.database.write(partial(destinations.add, cipher=runtime.cipher, draft=draft, now=runtime.clock()))
            identity = "property:nickname" if name == "parked" else "email"
            wanted = NewSubscription(name, PROJECT, "7", identity, fields={"plan": "plan"}, start="present")
            runtime.database.write(partial(subscriptions.add, draft=wanted, now=runtime.clock()))
        worker.run_once(runtime)


def _in_words_of_ours(db: Connection, now: int) -> None:
    """Where no id should be, and an unlucky word might bring one."""
    for who in (ID, OTHER):
        note(db, now, "tests", "something.done", f"person {who}", before={"id": who})
        db.execute(
            text("""INSERT INTO failure (at, last_at, count, status, cause, message, request_id, action)
                VALUES (:now, :now, 1, 400, 'unknown_action', :words, 'r', :who)"""),
            {"now": now, "words": f"There is no action {who}.", "who": who},
        )
        db.execute(
            text("""INSERT INTO alert (at, subject, kind, title, message, link, channel, state, attempts)
                VALUES (:now, 'cohort 1', 'failing', 'Failing', :words, '', 'slack', 'sent', 1)"""),
            {"now": now, "words": f"It says {who}."},
        )
        db.execute(
            text(
                """INSERT INTO simulated_export (connection, who, state, asked_at)
                VALUES ('crm', 'tests', 'passed', 1)"""
            )
        )


def stored(relay: Relay, words: tuple[str, ...] = WORDS) -> dict[str, list[str]]:
    """Where in the database any of these words stands, in whatever column, by word."""
    dialect = relay.database.dialect
    return relay.database.read(lambda db: {word: found for word in words if (found := _columns(db, dialect, word))})


def _columns(db: Connection, dialect: str, word: str) -> list[str]:
    found = []
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            plain = f'CAST("{table.name}"."{column.name}" AS text)'
            if column.type.python_type is bytes:
                plain = (
                    f'CAST("{column.name}" AS text)' if dialect == "sqlite" else f"encode(\"{column.name}\", 'escape')"
                )
            holds = f"lower({plain}) LIKE :word"
            if db.execute(text(f'SELECT 1 FROM "{table.name}" WHERE {holds} LIMIT 1'), {"word": f"%{word}%"}).first():
                found.append(f"{table.name}.{column.name}")
    return found


def in_files(instance: Path, words: tuple[str, ...] = WORDS) -> list[str]:
    """The files of the instance folder in which any of these words stands, the database and its log among them."""
    found = []
    for path in sorted(path for path in instance.rglob("*") if path.is_file()):
        content = path.read_bytes()
        content = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).lower()
        found += [f"{path.name}: {word}" for word in words if word.encode() in content]
    return found
