"""Files of records: NDJSON, JSON arrays and CSV, each also as gzip, whole or damaged, read with flat memory."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbound.imports import files
from outbound.imports.columns import Columns, guessed
from outbound.readers import arrays
from outbound.readers.errors import UnreadableFile
from outbound.readers.objects import ReadRecord

RECORDS = [{"event": "é 1", "properties": {"n": 1}}, {"event": "two", "properties": {"list": [1, "]", {"a": "}"}]}}]
LINES = "\n".join(json.dumps(one) for one in RECORDS)


def read(tmp_path: Path, content: str | bytes, columns: Columns | None = None) -> list[ReadRecord]:
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(files.reads(path, columns))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES + "\n",
        "\ufeff" + LINES,
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "  " + json.dumps(RECORDS),
    ],
    ids=["lines", "last line ended", "with a mark", "array", "array with blanks", "blanks before"],
)
def test_records_are_read_in_order(tmp_path: Path, content: str, packed: bool) -> None:
    written = content.encode()
    found = read(tmp_path, gzip.compress(written) if packed else written)
    assert [(one.place, one.record) for one in found] == list(enumerate(RECORDS, 1))


def test_a_line_that_is_no_record_keeps_its_place_and_the_next_ones_theirs(tmp_path: Path) -> None:
    found = read(tmp_path, '{"a": 1}\n\n{oops\n[1]\n{"b": 2}')
    assert [(one.place, one.record) for one in found] == [(1, {"a": 1}), (3, None), (4, None), (5, {"b": 2})]
    assert "No JSON object" in found[1].wrong
    assert found[1].text == "{oops"


def test_an_array_that_breaks_off_says_from_where(tmp_path: Path) -> None:
    found = read(tmp_path, '[{"a": 1}, {"b": ')
    assert [(one.place, one.record) for one in found] == [(1, {"a": 1}), (2, None)]


@pytest.mark.parametrize("content", [b"", b"   \n", b"\x00\x01\x02PK"], ids=["empty", "blank", "binary"])
def test_what_is_no_file_of_records_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read(tmp_path, content)


def test_gzip_that_breaks_off_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="breaks off"):
        read(tmp_path, gzip.compress(LINES.encode() * 1000)[:-20])


def test_a_csv_becomes_events_by_its_columns(tmp_path: Path) -> None:
    columns = Columns("events", guessed("events", ["Event Name", "User ID", "timestamp", "plan", "seats"]))
    rows = ['Signed up,u1,2026-11-01T10:00:00Z,"pro, yearly",3', "X,u2,1763971200,,007"]
    table = "\n".join(["Event Name,User ID,timestamp,plan,seats", *rows])
    found = [one.record for one in read(tmp_path, table, columns)]
    assert found == [
        {
            "event": "Signed up",
            "properties": {"plan": "pro, yearly", "seats": 3, "distinct_id": "u1", "time": "2026-11-01T10:00:00Z"},
        },
        {"event": "X", "properties": {"seats": "007", "distinct_id": "u2", "time": "1763971200"}},
    ]


def test_a_csv_becomes_profile_updates(tmp_path: Path) -> None:
    columns = Columns("groups", guessed("groups", ["group_id", "plan"]), {"$group_key": "company"}, "$set_once")
    found = [one.record for one in read(tmp_path, "group_id,plan\nacme,pro\n", columns)]
    assert found == [{"$group_key": "company", "$group_id": "acme", "$set_once": {"plan": "pro"}}]


def test_no_two_columns_mean_the_same_and_the_surest_name_wins() -> None:
    assert guessed("events", ["id", "user_id", "event", "name"]) == {
        "id": "property",
        "user_id": "distinct_id",
        "event": "event",
        "name": "property",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.text(max_size=8), json_values, max_size=4), min_size=1, max_size=20),
    chunk=st.integers(1, 40),
)
def test_an_array_is_read_alike_wherever_its_pieces_end(
    tmp_path_factory: pytest.TempPathFactory, records: list[Any], chunk: int
) -> None:
    path = tmp_path_factory.mktemp("array") / "file"
    path.write_text(json.dumps(records))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "CHUNK", chunk)
        assert [one.record for one in files.reads(path)] == records


@pytest.mark.parametrize("form", ["lines", "array"])
def test_memory_stays_flat(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file"
    one = json.dumps({"event": "e", "properties": {"text": "x" * 1000}})
    many = 20_000
    path.write_text("\n".join([one] * many) if form == "lines" else "[" + ",".join([one] * many) + "]")
    tracemalloc.start()
    assert sum(1 for _ in files.reads(path)) == many
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
