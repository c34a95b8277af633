"""A cohort compared with Mixpanel's own (F13): by count, by ids, by Mixpanel's CSV, within the query budget."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from outbound.comparison import jobs, runner
from outbound.comparison.id_sort import SortedIds, difference, line
from outbound.comparison.jobs import Comparison
from outbound.transport import budget
from runtime import Runtime
from tests.mixpanel import Answer, Call, Mixpanel
from tests.relay import Relay

HOUR = 3_600_000


@pytest.fixture
def cohort(relay: Relay) -> int:
    relay.refresh([f"m{n}" for n in range(5)], project="2891273", cohort="42")
    found: int = relay.database.read(lambda db: db.execute(text("SELECT id FROM cohort")).scalar_one())
    return found


def ask(runtime: Runtime, cohort: int, way: str, summary: dict[str, Any] | None = None) -> int:
    return runtime.database.write(lambda db: jobs.ask(db, cohort, "prod", "test", way, runtime.clock(), summary or {}))


def done(runtime: Runtime, comparison: int) -> Comparison:
    runner.work_once(runtime)
    found = runtime.database.read(lambda db: jobs.by_id(db, comparison))
    assert found is not None
    return found


def pages(*ids: str, size: int = 1000) -> Any:
    """Mixpanel's profiles of a cohort, page by page."""

    def answer(call: Call) -> Answer:
        page = int(call.form.get("page") or 0)
        here = ids[page * size : (page + 1) * size]
        results = [{"$distinct_id": one, "$properties": {}} for one in here]
        told = {"page": page, "page_size": size, "session_id": "s-1", "status": "ok", "total": len(ids)}
        return Answer(body=told | {"results": results})

    return answer


def test_counts_that_are_equal(runtime: Runtime, cohort: int, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/cohorts/list", Answer(body=[{"id": 42, "name": "Paying", "count": 5}]))
    found = done(runtime, ask(runtime, cohort, "count"))
    assert (found.state, found.summary["here"], found.summary["there"]) == ("done", 5, 5)
    assert found.summary["causes"] == []


def test_counts_that_differ_come_with_causes_and_steps(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/query/cohorts/list", Answer(body=[{"id": 42, "name": "Paying", "count": 9}]))
    relay.clock.forward(2 * HOUR)
    found = done(runtime, ask(runtime, cohort, "count"))
    assert found.summary["there"] == 9
    assert "the sync may be paused" in found.summary["causes"][0]
    assert found.summary["steps"]


def test_a_cohort_that_mixpanel_does_not_have_is_told(runtime: Runtime, cohort: int, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/cohorts/list", Answer(body=[]))
    found = done(runtime, ask(runtime, cohort, "count"))
    assert (found.state, "lists no cohort 42" in found.summary["message"]) == ("failed", True)


def test_ids_are_fetched_page_by_page_and_compared(runtime: Runtime, cohort: int, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/engage", pages("m0", "m1", "m2", "m3", "new-1", size=2))
    comparison = ask(runtime, cohort, "ids")
    found = done(runtime, comparison)
    assert found.state == "done"
    assert {name: found.summary[name] for name in ("equal", "missing", "extra")} == {
        "equal": 4,
        "missing": 1,
        "extra": 1,
    }
    assert runtime.database.read(lambda db: jobs.ids(db, comparison)) == (["new-1"], ["m4"])
    forms = [call.form for call in mixpanel.to("/query/engage")]
    assert [(one.get("page"), one.get("session_id")) for one in forms] == [(None, None), ("1", "s-1"), ("2", "s-1")]
    assert json.loads(forms[0]["filter_by_cohort"]) == {"id": 42}


def test_a_spent_budget_puts_it_off_and_it_goes_on_where_it_was(
    relay: Relay, runtime: Runtime, cohort: int, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/query/engage", pages("m0", "m1", "m2", "m3", "m4", size=2))
    for _ in range(58):
        budget.give_back(runtime, budget.take(runtime, "2891273", "query"))
    comparison = ask(runtime, cohort, "ids")
    waits = done(runtime, comparison)
    assert (waits.state, waits.summary["pages"], len(mixpanel.to("/query/engage"))) == ("waiting", 2, 2)
    assert waits.resumes_at == relay.clock() + HOUR
    assert runner.work_once(runtime) is False
    relay.clock.forward(HOUR)
    found = done(runtime, comparison)
    assert (found.state, found.summary["equal"], len(mixpanel.to("/query/engage"))) == ("done", 5, 3)


@pytest.mark.parametrize(
    "table",
    [
        "distinct_id,partner_id,operation\nm0,x,add\nm1,x,no-op\nm9,x,add\nm2,x,remove\n",
        "m0\nm1\nm9\n",
        "\ufeffDistinct ID;name\nm0;a\nm1;b\nm9;c\n",
    ],
)
def test_mixpanels_csv_needs_no_query(
    runtime: Runtime, cohort: int, mixpanel: Mixpanel, tmp_path: Path, table: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(table)
    found = done(runtime, ask(runtime, cohort, "csv", {"file": str(path)}))
    assert (found.state, found.summary["equal"], found.summary["missing"], found.summary["extra"]) == ("done", 2, 1, 3)
    assert (mixpanel.calls, path.exists()) == ([], False)


@given(st.lists(st.text(max_size=4)), st.lists(st.text(max_size=4)), st.integers(1, 5))
def test_piles_compare_as_sets_do_whatever_is_spilled(here: list[str], there: list[str], run: int) -> None:
    with SortedIds(run) as left, SortedIds(run) as right:
        left.add(map(line, here))
        right.add(map(line, there))
        found = difference(left, right)
    ours, theirs = set(here), set(there)
    assert (found.equal, found.missing, found.extra) == (len(ours & theirs), len(theirs - ours), len(ours - theirs))
    assert (set(found.missing_ids), set(found.extra_ids)) == (theirs - ours, ours - theirs)
