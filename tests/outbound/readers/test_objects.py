"""JSON records: an array, lines, or objects one behind the other; each is read the same, or refused with its place."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbound.readers import arrays, lines, objects
from outbound.readers.objects import ReadRecord

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(blacklist_categories=("Cs",)), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab:" é\\', max_size=4), inner, max_size=3),
    max_leaves=6,
)
records = st.lists(st.dictionaries(st.text('ab:" é', max_size=4), json_values, max_size=4), min_size=1, max_size=5)
WAYS = {
    "array": (arrays.of_array, lambda found: json.dumps(found, ensure_ascii=False)),
    "steps": (arrays.of_array, lambda found: json.dumps(found, indent=1)),
    "lines": (objects.of_lines, lambda found: "\n".join(map(json.dumps, found))),
    "behind": (arrays.of_values, lambda found: "".join(json.dumps(one, ensure_ascii=False) for one in found)),
    "objects": (arrays.of_values, lambda found: "\n".join(json.dumps(one, indent=2) for one in found)),
}


def read(way: str, content: bytes) -> list[ReadRecord]:
    return list(WAYS[way][0](io.BytesIO(content)))


@settings(max_examples=200, deadline=None)
@given(found=records, way=st.sampled_from(sorted(WAYS)), chunk=st.integers(1, 40))
def test_records_are_read_back_as_they_were_written(found: list[Any], way: str, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "CHUNK", chunk)
        assert [one.record for one in read(way, WAYS[way][1](found).encode())] == found


@settings(max_examples=200, deadline=None)
@given(found=records, way=st.sampled_from(sorted(WAYS)), share=st.floats(0, 1, exclude_max=True))
def test_records_that_break_off_anywhere_keep_those_before_and_tell_the_rest(
    found: list[Any], way: str, share: float
) -> None:
    content = WAYS[way][1](found).encode()
    got = read(way, content[: max(1, round(len(content) * share))])
    good = [one.record for one in got if one.record is not None]
    assert good == found[: len(good)]
    assert len(got) > len(good) or good == found or way in {"lines", "behind", "objects"}


@pytest.mark.parametrize("way", ["array", "lines"])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"p": {"a": 1, "b": [{"c": 1, "c" : 2}]}}', "stands twice"),
        (b'{"a": NaN}', "No JSON object"),
        (b'{"a": Infinity}', "No JSON object"),
        (b'{"a": 1e400}', "out of range"),
        (b'{"a": "caf\xe9"}', "not encoded as UTF-8"),
        (b'{"a": "\\ud800"}', "No JSON object"),
        (b'{"a": oops}', "No JSON object"),
        (b"5", "No JSON object"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "deeper"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "deeper"),
    ],
)
def test_a_record_that_is_none_is_told_and_the_next_one_is_read(way: str, wrong: bytes, says: str) -> None:
    parts = [b'{"x": "a:b \\": 1"}', wrong, b'{"y": 2}']
    found = read(way, b"[" + b",\n".join(parts) + b"]" if way == "array" else b"\n".join(parts))
    assert [one.record for one in found] == [{"x": 'a:b ": 1'}, None, {"y": 2}]
    assert says in found[1].wrong
    assert found[1].line == 2


@pytest.mark.parametrize("behind", [b'[{"b": 1}]', b'{"b": 1}', b"x", b"]"])
def test_what_stands_behind_an_array_is_told_with_its_line_and_not_sent(behind: bytes) -> None:
    good, rest = read("array", b'[{"a": 1}]\n' + behind)
    assert (good.record, rest.record) == ({"a": 1}, None)
    assert "Behind the array, in line 2" in rest.wrong


@pytest.mark.parametrize("way", ["array", "lines"])
def test_a_record_that_is_too_long_to_be_held_is_told_and_the_next_one_is_read(way: str) -> None:
    parts = [b'{"a": 1}', b'{"a": "' + b'x\\"' * lines.LONGEST + b'"}', b'{"b": 2}']
    found = read(way, b"[" + b",".join(parts) + b"]" if way == "array" else b"\n".join(parts))
    assert [one.record for one in found] == [{"a": 1}, None, {"b": 2}]
    assert "longer than any record" in found[1].wrong


@pytest.mark.parametrize(
    ("start", "is_lines"),
    [
        (b'{"a": 1}\n{"b": 2}', True),
        (b'\n  {"a": 1}', True),
        (b'{oops\n{"b": 2}', True),
        (b'{"a": 1\n{"b": 2}', True),
        (b'{\n  "a": 1\n}', False),
        (b'{"a": 1}{"b": 2}', False),
    ],
)
def test_objects_on_lines_are_told_from_objects_in_steps(start: bytes, is_lines: bool) -> None:
    assert objects.is_lines(start) is is_lines
