"""Renames, drops, tags, filters and offsets of an import: what was asked for alone, and the same after a kill."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbound.imports import columns, files, jobs, runner, source
from outbound.imports.changes import CannotChange, Changes, WrongChange
from outbound.imports.columns import Columns, proposed
from outbound.imports.conditions import Condition, RecordFilter, WrongCondition
from outbound.imports.jobs import NewImport
from outbound.imports.kinds import KINDS
from outbound.imports.options import Options
from outbound.readers import cells
from runtime import Runtime
from tests.mixpanel import Mixpanel
from tests.outbound.test_imports import counts, kill, look, work

NAMES = ["plan", "seats", "note", "E-mail", "city", "a b"]
names = st.sampled_from(NAMES)
values = st.one_of(st.text("ab1 ,\"'ö;=", max_size=6), st.integers(-50, 50).map(str), st.just(""))
rows = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, values)), min_size=1, max_size=12)
renames = st.dictionaries(names, st.sampled_from(["x", "y", "plan", "seats", "$email"]), max_size=3)
tags = st.dictionaries(
    st.sampled_from(["batch", "plan", "source"]), st.sampled_from(["1", "2026-11", "007"]), max_size=2
)


def table(path: Path, found: list[dict[str, str]]) -> Path:
    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    lines = [",".join(map(cell, ["who", *NAMES]))]
    lines += [",".join(map(cell, [f"u{n}", *(row[name] for name in NAMES)])) for n, row in enumerate(found)]
    path.write_text("\n".join(lines) + "\n")
    return path


@settings(max_examples=40, deadline=None)
@given(found=rows, renamed=renames, dropped=st.sets(names, max_size=3), wanted=values)
def test_rows_of_a_table_lose_and_change_nothing_but_what_was_asked(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[dict[str, str]],
    renamed: dict[str, str],
    dropped: set[str],
    wanted: str,
) -> None:
    path = table(tmp_path_factory.mktemp("table") / "t.csv", found)
    mapping = {"who": "$distinct_id"} | {name: "skip" if name in dropped else "property" for name in NAMES}
    read = Columns("people", mapping, {}, "$set", renamed)
    called = [renamed.get(name, name) for name in NAMES if name not in dropped]
    if len(set(called)) < len(called):
        with pytest.raises(columns.WrongColumns):
            read.check()
        return
    read.check()
    passing = RecordFilter([Condition("plan", "!=", wanted)])
    records = [one.record for one in files.reads(path, read, passing)]
    kept = [(n, row) for n, row in enumerate(found) if row["plan"].strip() != wanted.strip()]
    assert passing.left_out == len(found) - len(kept)
    assert records == [
        {
            "$distinct_id": f"u{n}",
            "$set": {
                renamed.get(name, name): cells.value(text)
                for name, text in ((name, row[name]) for name in NAMES)
                if name not in dropped and text.strip()
            },
        }
        for n, row in kept
    ]


@settings(max_examples=100, deadline=None)
@given(
    properties=st.dictionaries(st.sampled_from([*NAMES, "x", "time"]), st.integers(0, 9) | st.text("ab", max_size=2)),
    renamed=renames,
    dropped=st.sets(names, max_size=3),
    tagged=tags,
    kind=st.sampled_from(["events", "people"]),
)
def test_a_record_loses_and_changes_nothing_but_what_was_asked(
    properties: dict[str, Any], renamed: dict[str, str], dropped: set[str], tagged: dict[str, str], kind: str
) -> None:
    inner, head = ("properties", {"event": "e"}) if kind == "events" else ("$set", {"$distinct_id": "u"})
    before = json.dumps(head | {inner: properties})
    changes = Changes(renamed, tuple(sorted(dropped)), tagged)
    kept = [(renamed.get(name, name), value) for name, value in properties.items() if name not in dropped]
    record = json.loads(before)
    if len(dict(kept)) < len(kept):
        with pytest.raises(CannotChange, match="would be lost"):
            changes.applied(kind, record)
    else:
        expected = dict(kept) | {name: cells.value(value) for name, value in tagged.items()}
        assert changes.applied(kind, record) == head | {inner: expected}
    assert json.dumps(record) == before  # the one that was read is what a refusal tells


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (Changes(rename={"a": "x", "b": "x"}), "Two properties would be called x"),
        (Changes(rename={"a": "x"}, drop=("a",)), "both renamed and dropped"),
        (Changes(rename={"a": " "}), "1 to 255"),
        (Changes(tag={"distinct_id": "u"}), "cannot be distinct_id"),
        (Changes(tag={"plan": "pro"}), "replace the column"),
        (Changes(tag={"batch": ""}), "value of the tag batch"),
    ],
)
def test_changes_that_would_lose_something_are_refused_before_anything_is_read(changes: Changes, says: str) -> None:
    with pytest.raises(WrongChange, match=says):
        changes.check("events", frozenset({"plan"}))


def test_an_update_that_can_bear_no_tag_is_refused_and_not_sent_without() -> None:
    with pytest.raises(CannotChange, match=r"\$set or \$set_once"):
        Changes(tag={"batch": "1"}).applied("people", {"$distinct_id": "u", "$add": {"n": 1}})
    assert Changes({"a": "b"}, ("c",)).applied("people", {"$unset": ["a", "c", "d"]}) == {"$unset": ["b", "d"]}


@pytest.mark.parametrize(
    ("condition", "passing"),
    [
        ("plan=pro", [0]),
        ("plan!=pro", [1, 2, 3]),
        ("plan=", [3]),
        ("plan!=", [0, 1, 2]),
        ("plan~ro", [0]),
        ("plan!~ro", [1, 2, 3]),
        ("seats>=3", [0, 2]),
        ("seats<3", [1]),
        ("time>=2026-05-02", [1]),
        ("time<2026-05-02", [0, 2]),
        ("event=E", [0, 1, 2, 3]),
    ],
)
def test_a_condition_lets_those_pass_for_which_it_holds(condition: str, passing: list[int]) -> None:
    records = [
        {"event": "E", "properties": {"plan": "pro", "seats": 3, "time": 1777593600}},
        {"event": "E", "properties": {"plan": "team", "seats": "2.5", "time": "2026-05-03T10:00:00Z"}},
        {"event": "E", "properties": {"plan": "007", "seats": 1000, "time": 1777593600000}},
        {"event": "E", "properties": {"plan": None, "seats": "many"}},
    ]
    found = RecordFilter([Condition.written(condition)])
    assert [n for n, record in enumerate(records) if found.passes(record)] == passing
    assert found.left_out == len(records) - len(passing)


@pytest.mark.parametrize("written", ["plan", "=3", "seats>=many", ""])
def test_what_is_no_condition_is_refused(written: str) -> None:
    with pytest.raises(WrongCondition):
        Condition.written(written).check()


@pytest.mark.parametrize("head", ["E-mail", "email", "mail", "Email Address"])
def test_mixpanels_own_names_are_proposed_once_and_never_beside_a_column_that_has_them(head: str) -> None:
    read = proposed("people", ["id", head, "Phone", "First name", "seats"])
    assert read.names == {head: "$email", "Phone": "$phone", "First name": "$first_name"}
    assert read.record({"id": "u", head: "ada@example.com", "Phone": "41", "seats": "3"})["$set"] == {
        "$email": "ada@example.com",
        "$phone": "41",
        "seats": 3,
    }
    assert proposed("people", ["id", head, "$email"]).names == {}
    assert len(proposed("people", ["id", "mail", "email", "E-mail"]).names) == 1
    assert proposed("people", ["id", head], {head: "property"}).names == {}
    assert proposed("events", ["event", head]).names == {}


def begin(runtime: Runtime, path: Path, settings: dict[str, Any], kind: str = "events") -> int:
    seen, mark = files.survey(path), files.fingerprint(path, runtime.cipher.digest)
    how = {"total": seen.total, "state": "waiting", "settings": settings}
    draft = NewImport("prod", kind, KINDS[kind].operation_id, "file", "file", "tests", str(path), mark, **how)  # type: ignore[arg-type]
    return runtime.database.write(lambda db: jobs.add(db, draft, runtime.clock()))


def test_after_a_kill_it_goes_on_with_the_same_mapping_filter_tags_and_offset(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    plans = ["pro", "free", "pro", "team"]
    lines = [f"u{n},E,2026-05-01T10:00:00Z,{plans[n % 4]},{n}" for n in range(5000)]
    path.write_text("\n".join(["who,event,time,plan,number", *lines, 'u,E,2026-05-01,"b" c,1']))
    read = proposed("events", ["who", "event", "time", "plan", "number"], {"who": "distinct_id"})
    how = {"mapping": read.mapping, "always": {}, "operator": "$set", "names": {"number": "n", "plan": "tariff"}}
    how |= {
        "changes": {"tag": {"batch": "7"}},
        "filter": [["plan", "!=", "free"]],
        "options": Options(time_offset=2).given,
    }
    import_id = begin(runtime, path, how)
    kill(runtime, import_id, 1, 2600, "events")  # its answer was never heard
    job = work(runtime, import_id)
    assert counts(job) == ("done", 3751, 3750, 1, 0)  # a row that cannot be read passes, and is told
    assert (job.left_out, job.total) == (1250, 3751)
    sent = [one for call in mixpanel.calls for one in call.records]
    assert Counter(one["properties"]["n"] for one in sent) == Counter(n for n in range(5000) if n % 4 != 1)
    for one in sent:
        own = {name: one["properties"][name] for name in ("tariff", "batch", "time", "distinct_id")}
        assert own == {
            "tariff": plans[one["properties"]["n"] % 4],
            "batch": 7,
            "time": (1777629600 - 7200) * 1000,
            "distinct_id": f"u{one['properties']['n']}",
        }


def test_what_was_stopped_midway_is_counted_once_by_the_filter(
    runtime: Runtime, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    event = {"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": "u"}}
    path.write_text("\n".join(json.dumps(event | {"n": n % 2}) for n in range(10)))
    import_id = begin(runtime, path, {"filter": [["n", "=", "1"]]})
    stop = threading.Event()
    mixpanel.script("/api/import", 503)
    runner.run(runtime.with_settings(send_attempts=1), import_id, stop)
    assert look(runtime, import_id).left_out is None
    assert runtime.database.read(lambda db: jobs.reached(db, look(runtime, import_id))) == 10
    assert look(runtime, import_id).left_ms is None
    mixpanel.forget()
    runtime.database.write(lambda db: jobs.go(db, import_id))
    job = work(runtime, import_id)
    assert (*counts(job), job.left_out) == ("done", 5, 5, 0, 0, 5)


def test_an_import_from_before_there_were_changes_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("who,mail\nu1,ada@example.com\n")
    old = {"mapping": {"who": "$distinct_id", "mail": "property"}, "always": {}, "operator": "$set"}
    found = [one.record for one in files.reads(path, source.columns_of("people", old))]
    assert found == [{"$distinct_id": "u1", "$set": {"mail": "ada@example.com"}}]
