"""An erasure that is interrupted goes on; one that would not last is not begun."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from erasure import DataSubject, Eraser, InTheWay
from erasure import erase as story_of
from models.database import DatabaseUnavailable
from outbound import deliveries, send
from outbound.comparison import jobs as comparisons
from outbound.imports import files
from outbound.imports import jobs as imports
from outbound.imports.columns import guessed
from outbound.operations import registry
from outbound.operations.types import CallInput
from sync import erasure as sync_erasure
from tests.commands.conftest import Terminal
from tests.erasure.planted import ID, OTHER, PROJECT, in_files, stored
from tests.erasure.test_everywhere import LOST, bearer
from tests.outbound.conftest import project_of, runtime_of
from tests.relay import Relay

WHO = DataSubject(PROJECT, ID)


class Died(Exception):
    """Stands for a process that is killed."""


@pytest.mark.parametrize("step", ["_blank_rows", "_leave", "_prove"])
def test_an_interrupted_erasure_goes_on_and_counts_everything_once(
    planted: Relay, here: Eraser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Dies at each step in turn; what the step has written is rolled back with it, as a killed process leaves it."""

    def die(*_: object, **__: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(story_of if step == "_blank_rows" else Eraser, step, die)
        with pytest.raises(Died):
            here.erase(WHO, "tests")
    (open_one,) = here.erased(WHO)
    assert open_one.erased_at is None
    done = here.erase(WHO, "tests")
    assert (done.id, done.counts) == (open_one.id, LOST)
    assert stored(planted) == {}
    assert in_files(tmp_path) == []


def test_a_death_in_the_middle_of_leaving_leaves_nothing_half_done(
    planted: Relay, here: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = sync_erasure._leave, []

    def leave_one(db: Connection, *rest: object) -> None:
        if left:
            raise Died
        left.append(rest)
        real(db, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sync_erasure, "_leave", leave_one)
        with pytest.raises(Died):
            here.erase(WHO, "tests")
    assert planted.members("7", PROJECT) == planted.members("8", PROJECT) == {ID, OTHER}
    assert here.erase(WHO, "tests").counts == LOST


def test_an_interrupted_erasure_is_told_wherever_one_looks(
    planted: Relay, here: Eraser, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sync_erasure, "erase", lambda *_: (_ for _ in ()).throw(DatabaseUnavailable("gone")))
        result = terminal("people", "erase", PROJECT, ID, "--yes")
        assert (result.exit_code, "goes on where it was" in result.output) == (1, True)
    assert "interrupted" in terminal("people", "erased", PROJECT, ID).output
    page = planted.sign_in("admin").page("/settings/erasures")
    assert "Interrupted" in page


def test_a_call_under_way_that_names_them_is_waited_for(planted: Relay, here: Eraser) -> None:
    runtime = runtime_of(planted)
    given = CallInput({"event": "e", "distinct_id": ID})
    call = send.ready(runtime, project_of(planted), registry.OPERATIONS["track-event"], given)
    delivery = send.prepare(runtime, call, "tests", "dashboard")
    with pytest.raises(InTheWay, match=f"call {delivery}"):
        here.erase(WHO, "tests")
    assert ID in stored(planted)
    planted.clock.forward(3600_000)
    runtime.database.write(partial(deliveries.abandon, now=planted.clock()))
    here.erase(WHO, "tests")
    assert stored(planted) == {}


def test_an_import_that_is_not_over_and_holds_them_is_in_the_way(planted: Relay, here: Eraser, tmp_path: Path) -> None:
    path = tmp_path / "imports" / "later"
    path.write_text(json.dumps({"event": "e", "properties": {"distinct_id": ID}}))
    draft = imports.NewImport("prod", "events", "import-events", "upload", "later", "tests", str(path), state="paused")
    job = planted.database.write(partial(imports.add, draft=draft, now=planted.clock()))
    with pytest.raises(InTheWay, match=f"import {job}"):
        here.erase(WHO, "tests")
    planted.database.write(partial(imports.cancel, import_id=job, now=planted.clock()))
    here.erase(WHO, "tests")
    assert not path.exists()


def test_a_running_import_of_a_cohort_with_them_is_in_the_way(planted: Relay, here: Eraser) -> None:
    cohort = planted.cohort("7", PROJECT)["id"]
    draft = imports.NewImport("prod", "events", "import-events", "cohort", "c", "t", cohort_id=cohort, state="waiting")
    planted.database.write(partial(imports.add, draft=draft, now=planted.clock()))
    with pytest.raises(InTheWay, match="import"):
        here.erase(WHO, "tests")


def test_the_api_says_409_and_the_page_says_what_to_do(planted: Relay) -> None:
    cohort = planted.cohort("7", PROJECT)["id"]
    ask = partial(comparisons.ask, cohort=cohort, project="prod", who="t", way="ids", now=planted.clock(), summary={})
    planted.database.write(ask)
    answer = planted.client.delete(f"/api/v1/people/{PROJECT}/{ID}", headers=bearer(planted, "erase"))
    assert answer.status_code == 409
    assert "comparison 2" in answer.json["error"]["message"]
    browser = planted.sign_in("admin")
    page = browser.post(f"/people/{planted.person(ID, PROJECT)['id']}/erase")
    assert page.status_code == 409
    assert "Under way with this person in it: comparison 2" in page.text


def test_two_erasures_of_one_person_at_once_give_one_proof(planted: Relay, here: Eraser) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda who: here.erase(WHO, who), ["one", "two"]))
    assert {one.id for one in done} == {1}
    assert here.erased(WHO)[0].counts == LOST
    assert len(planted.rows("SELECT id FROM audit_entry WHERE action = 'person.erase'")) == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be with its mark"])
@pytest.mark.parametrize("where", ["near", "far"])
def test_an_upload_that_names_them_goes_however_it_is_encoded(
    relay: Relay, here: Eraser, where: str, encoding: str, packed: bool
) -> None:
    """Far means behind the first pieces that are looked at, and at their seam."""
    runtime = runtime_of(relay)
    runtime.uploads.mkdir(parents=True)
    relay.refresh([ID], project=PROJECT)
    kept = {}
    for who in (ID, OTHER):
        before = "other,0\n" * (1 if where == "near" else (1024 * 1024 - 4) // 8)
        table = f"distinct_id,n\n{before}{who},1\n" + "other,2\n" * 3
        written = "\ufeff" + table if "mark" in encoding else table
        content = written.encode(encoding.split(maxsplit=1)[0])
        kept[who] = path = runtime.uploads / f"of {who}"
        path.write_bytes(gzip.compress(content) if packed else content)
        settings = {"mapping": guessed("people", files.heads(path))}
        draft = imports.NewImport(
            "prod", "people", "profile-batch-update", "upload", "f", "tests", str(path), settings=settings, state="done"
        )
        relay.database.write(partial(imports.add, draft=draft, now=relay.clock()))
    here.erase(WHO, "tests")
    assert [path.exists() for path in kept.values()] == [False, True]
