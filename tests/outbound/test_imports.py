"""Imports: nothing is lost, nothing counts twice, whatever happens in the middle."""

import hashlib
import json
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from outbound import cleanup, deliveries, projects
from outbound.imports import failures, files, jobs, members, runner
from outbound.imports.jobs import Import, NewImport
from outbound.imports.kinds import KINDS
from outbound.projects import Project
from runtime import Runtime
from security.encryption import Cipher
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import DRAFT
from tests.relay import Relay

NOW = 1_750_000_000


def event(number: int) -> dict[str, Any]:
    return {"event": "e", "properties": {"time": NOW, "distinct_id": f"u{number}", "number": number}}


def begin(
    runtime: Runtime, path: Path, records: list[Any], kind: str = "events", options: dict[str, Any] | None = None
) -> int:
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in records))
    operation, total = KINDS[kind].operation_id, files.survey(path).total
    print_of = files.fingerprint(path, runtime.cipher.digest)
    settings = {"options": options or {}}
    how = {"total": total, "state": "waiting", "settings": settings}
    draft = NewImport("prod", kind, operation, "file", "file", "tests", str(path), print_of, **how)
    return runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))


def work(runtime: Runtime, import_id: int) -> Import:
    runner.run(runtime, import_id, threading.Event())
    return look(runtime, import_id)


def look(runtime: Runtime, import_id: int) -> Import:
    found = runtime.database.read(lambda db: jobs.by_id(db, import_id))
    assert found is not None
    return found


def counts(job: Import) -> tuple[str, int, int, int, int]:
    return job.state, job.read, job.accepted, job.refused, job.uncertain


def failed(runtime: Runtime, import_id: int) -> list[tuple[int, str]]:
    return [(one.place, one.verdict) for one in failures.every(runtime.database, import_id)]


def numbers(mixpanel: Mixpanel) -> list[int]:
    return sorted(one["properties"]["number"] for call in mixpanel.calls for one in call.records)


def test_all_records_arrive_once_in_batches_of_two_thousand(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    job = work(runtime, begin(runtime, tmp_path / "f", [event(n) for n in range(4500)]))
    assert counts(job) == ("done", 4500, 4500, 0, 0)
    assert numbers(mixpanel) == list(range(4500))
    assert sorted(len(call.records) for call in mixpanel.calls) == [500, 2000, 2000]
    assert all(call.headers["Content-Encoding"] == "gzip" for call in mixpanel.calls)


def test_events_without_an_insert_id_get_the_same_one_at_every_try(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        work(runtime, begin(runtime, tmp_path / name, [event(1)]))
    first, second = (call.records[0]["properties"]["$insert_id"] for call in mixpanel.calls)
    assert first == second


def test_what_our_checks_and_what_mixpanel_refuse_is_kept_with_its_reason(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    row = {"index": 1, "insert_id": "x", "field": "properties.time", "message": "too old"}
    mixpanel.script("/api/import", Answer(400, {"code": 400, "failed_records": [row], "num_records_imported": 1}))
    illegal = {"event": "e", "properties": {"time": NOW, "distinct_id": "null"}}
    import_id = begin(runtime, tmp_path / "f", [event(0), illegal, "oops", event(1)], options={"strict": True})
    assert counts(work(runtime, import_id)) == ("done", 4, 1, 3, 0)
    found = list(failures.every(runtime.database, import_id))
    assert [(one.place, one.verdict) for one in found] == [(2, "refused"), (3, "refused"), (4, "rejected")]
    assert found[2].reason == "too old"
    assert json.loads(found[2].record)["properties"]["number"] == 1


def test_a_failed_batch_stops_the_import_and_is_sent_again_when_it_goes_on(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    mixpanel.script("/api/import", Answer(503, ""))
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(10)])
    job = work(runtime.with_settings(send_attempts=2), import_id)
    assert (job.state, job.read) == ("failed", 0)
    assert "trouble of its own (503)" in str(job.message)
    mixpanel.forget()
    mixpanel.calls.clear()
    assert runtime.database.write(lambda db: jobs.go(db, import_id))
    assert counts(work(runtime, import_id)) == ("done", 10, 10, 0, 0)
    assert numbers(mixpanel) == list(range(10))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_credentials_stop_it_at_once_and_blame_no_record(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path, status: int
) -> None:
    mixpanel.script("/api/import", Answer(status, {"error": "no"}))
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(6000)])
    job = work(runtime, import_id)
    assert (job.state, job.read, job.refused) == ("failed", 0, 0)
    assert failed(runtime, import_id) == []


def kill(runtime: Runtime, import_id: int, first: int, last: int, kind: str) -> None:
    """What a process leaves that is killed with a batch under way: its open row, and a claim that runs out."""
    operation = KINDS[kind].operation_id

    def leave(db: Any) -> None:
        batch = deliveries.ImportBatch(import_id, "prod", operation, "tests", last - first + 1, first, last)
        deliveries.open_batch(db, batch, runtime.clock())
        values = {"id": import_id, "until": runtime.clock() - 1}
        db.execute(
            text("UPDATE import_job SET state='running', claimed_by='x', claimed_until=:until WHERE id=:id"), values
        )

    runtime.database.write(leave)


def test_events_whose_answer_nobody_heard_are_sent_again(runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(5)])
    kill(runtime, import_id, 2, 3, "events")
    assert counts(work(runtime, import_id)) == ("done", 5, 5, 0, 0)
    assert numbers(mixpanel) == list(range(5))


def test_additions_whose_answer_nobody_heard_are_uncertain_and_not_sent_again(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    updates = [{"$distinct_id": f"u{n}", "$add": {"logins": 1}} for n in range(5)]
    import_id = begin(runtime, tmp_path / "f", updates, "people")
    kill(runtime, import_id, 2, 3, "people")
    assert counts(work(runtime, import_id)) == ("done", 5, 3, 0, 2)
    assert failed(runtime, import_id) == [(2, "uncertain"), (3, "uncertain")]
    assert sorted(one["$distinct_id"] for call in mixpanel.calls for one in call.records) == ["u0", "u3", "u4"]


def test_a_batch_of_additions_with_an_unknown_outcome_goes_on_behind_it(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    mixpanel.script("/api/engage", Answer(503, ""))
    updates = [{"$distinct_id": f"u{n}", "$add": {"logins": 1}} for n in range(3)]
    import_id = begin(runtime, tmp_path / "f", updates, "people")
    assert counts(work(runtime, import_id)) == ("done", 3, 0, 0, 3)
    assert len(mixpanel.calls) == 1


def test_failed_records_can_be_imported_as_they_are_kept(runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path) -> None:
    mixpanel.script("/api/engage", Answer(200, {"status": 0, "error": "no"}))
    import_id = begin(runtime, tmp_path / "f", [{"$distinct_id": "u1", "$set": {"a": 1}}], "people")
    work(runtime, import_id)
    kept = [json.loads(one.record) for one in failures.every(runtime.database, import_id)]
    moment = runtime.clock() // 1000  # stays, so that what is imported again overtakes no newer update
    assert kept == [{"$time": moment, "$distinct_id": "u1", "$set": {"a": 1}}]


def test_a_stretch_that_is_complete_is_never_sent_again(runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(6)])
    stop = threading.Event()
    stop.set()

    def hold(call: Call) -> Answer:
        return Answer(200, {"code": 200, "num_records_imported": len(call.records), "status": "OK"})

    mixpanel.script("/api/import", hold)
    work(runtime, import_id)
    runtime.database.write(lambda db: db.execute(text("UPDATE import_job SET state = 'waiting', claimed_until = NULL")))
    assert counts(work(runtime, import_id)) == ("done", 6, 6, 0, 0)
    assert numbers(mixpanel) == list(range(6))


@pytest.mark.slow
def test_pausing_lets_it_go_on_later_and_cancelling_ends_it(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(60_000)])
    reached = threading.Event()

    def slow(call: Call) -> Answer:
        reached.set()
        body = {"code": 200, "num_records_imported": len(call.records), "status": "OK"}
        return Answer(200, body, after=0.7)

    mixpanel.script("/api/import", slow)
    worker = threading.Thread(target=work, args=(runtime, import_id))
    worker.start()
    assert reached.wait(10)
    assert runtime.database.write(lambda db: jobs.pause(db, import_id))
    worker.join(20)
    paused = look(runtime, import_id)
    assert (paused.state, paused.claimed_by) == ("paused", None)
    assert 0 < paused.read < 60_000
    mixpanel.forget()
    assert runtime.database.write(lambda db: jobs.go(db, import_id))
    assert counts(work(runtime, import_id)) == ("done", 60_000, 60_000, 0, 0)
    assert sorted(set(numbers(mixpanel))) == list(range(60_000))
    assert len(numbers(mixpanel)) == 60_000
    other = begin(runtime, tmp_path / "g", [event(1)])
    assert runtime.database.write(lambda db: jobs.cancel(db, other, 1))
    assert not runtime.database.write(lambda db: jobs.go(db, other))
    assert runner.run(runtime, other, threading.Event()) is False


def test_a_worker_that_slept_until_another_took_over_sends_and_counts_nothing_more(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(n) for n in range(30_000)])

    def taken_over(call: Call) -> Answer:
        later = runtime.clock() + jobs.LEASE + 1
        runtime.database.write(lambda db: jobs.claim(db, import_id, "another", later))
        return Answer(200, {"code": 200, "num_records_imported": len(call.records), "status": "OK"})

    mixpanel.script("/api/import", taken_over)
    work(runtime, import_id)
    job = look(runtime, import_id)
    assert (job.state, job.claimed_by, job.read, job.accepted) == ("running", "another", 0, 0)
    assert len(mixpanel.calls) <= runner.AT_ONCE
    assert runtime.database.read(lambda db: jobs.left_open(db, import_id))


def test_two_workers_never_work_on_the_same_import(runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(1)])
    assert runtime.database.write(lambda db: jobs.claim(db, import_id, "another", runtime.clock())) is not None
    assert runner.run(runtime, import_id, threading.Event()) is False
    assert mixpanel.calls == []


def test_a_file_that_has_changed_meanwhile_is_not_mixed_with_the_old_one(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(1)])
    (tmp_path / "f").write_text(json.dumps(event(2)))
    job = work(runtime, import_id)
    assert (job.state, "not the same" in str(job.message), mixpanel.calls) == ("failed", True, [])


def fingerprint_of(runtime: Runtime, import_id: int) -> str | None:
    return look(runtime, import_id).fingerprint


def test_from_what_is_kept_of_a_file_nobody_can_tell_whom_it_names(runtime: Runtime, tmp_path: Path) -> None:
    """Whoever has the database and guesses the one record of a file would otherwise know."""
    path = tmp_path / "f"
    kept = fingerprint_of(runtime, begin(runtime, path, [event(1)])) or ""
    content = path.read_bytes()
    for guess in (content, content * 2):  # its beginning, and its beginning with its end
        for made in (hashlib.sha256(guess), hashlib.blake2b(guess)):
            assert made.hexdigest()[:32] not in kept


def test_an_import_of_before_files_were_noted_under_a_key_goes_on(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    going_on, over = (begin(runtime, path, [event(1)]) for _ in range(2))
    plain = f"{path.stat().st_size}-{hashlib.sha256(path.read_bytes() * 2).hexdigest()[:32]}"
    runtime.database.write(lambda db: [jobs.note_file(db, one, plain) for one in (going_on, over)])
    assert counts(work(runtime, going_on)) == ("done", 1, 1, 0, 0)
    assert fingerprint_of(runtime, going_on) == files.fingerprint(path, runtime.cipher.digest)
    runtime.database.write(lambda db: jobs.cancel(db, over, 1))
    cleanup.prune(runtime.database, 0, runtime.clock())
    assert fingerprint_of(runtime, over) is None
    assert fingerprint_of(runtime, going_on) is not None


def test_a_file_that_was_noted_under_another_key_is_not_said_to_be_another(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(1)])
    other = replace(runtime, cipher=Cipher("another" * 8))
    runtime.database.write(partial(projects.change, cipher=other.cipher, known=project, draft=DRAFT, now=1))
    assert "SECRET_KEY is another one" in str(work(other, import_id).message)
    assert mixpanel.calls == []


def test_every_member_of_a_cohort_gets_its_record(relay: Relay, runtime: Runtime, mixpanel: Mixpanel) -> None:
    relay.refresh([{"mixpanel_distinct_id": f"m{n}", "email": f"m{n}@example.org", "seats": n} for n in range(3)])
    cohort = relay.database.read(lambda db: db.execute(text("SELECT id FROM cohort")).scalar_one())
    template = {
        "event": "Mailed",
        "properties": {
            "time": "{{now}}",
            "distinct_id": "{{distinct_id}}",
            "to": "<{{email}}>",
            "n": "{{properties.seats}}",
            "x": "{{properties.none}}",
        },
    }
    draft = NewImport(
        "prod",
        "events",
        "import-events",
        "cohort",
        "Paying",
        "tests",
        cohort_id=cohort,
        settings={"template": members.checked(template)},
        state="waiting",
    )
    import_id = runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))
    assert counts(work(runtime, import_id)) == ("done", 3, 3, 0, 0)
    sent = [one["properties"] for one in mixpanel.calls[0].records]
    assert [(one["distinct_id"], one["to"], one["n"], "x" in one) for one in sent] == [
        ("m0", "<m0@example.org>", 0, False),
        ("m1", "<m1@example.org>", 1, False),
        ("m2", "<m2@example.org>", 2, False),
    ]


@pytest.mark.parametrize(
    "template", [[], {"event": "e"}, {"$distinct_id": "{{distinct_id}}", "$set": {"a": "{{nothing}}"}}]
)
def test_a_template_that_cannot_be_filled_in_says_why(template: Any) -> None:
    with pytest.raises(members.WrongTemplate):
        members.checked(template)


def test_a_project_that_is_gone_is_told(runtime: Runtime, tmp_path: Path, project: projects.Project) -> None:
    import_id = begin(runtime, tmp_path / "f", [event(1)])
    runtime.database.write(partial(projects.remove, known=project))
    assert "no project prod any more" in str(work(runtime, import_id).message)
