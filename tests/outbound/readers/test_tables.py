"""Tables: whatever was written is read back the same, or refused with its place; nothing is left out in silence."""

import csv
import gzip
import io
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from outbound.readers import encoded, lines, rows
from outbound.readers.encoded import opened
from outbound.readers.errors import UnreadableFile
from outbound.readers.table import MOST_COLUMNS, SEPARATORS, Cells, table

MARKS = {"utf-8": b"", "utf-8-sig": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
HEADS = ["distinct_id", "event", "näme", "note"]


def read(content: bytes) -> list[Cells]:
    with table(io.BytesIO(content)) as found:
        return list(found.cells())


def texts(content: bytes) -> list[list[str]]:
    found = read(content)
    assert not [one.wrong for one in found if one.wrong]
    return [list(one.cells.values()) for one in found]


cells = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)
whole_rows = st.lists(cells, min_size=len(HEADS), max_size=len(HEADS)).filter(lambda row: any(map(str.strip, row)))
tables = st.lists(whole_rows, min_size=1, max_size=6)


def written(body: list[list[str]], encoding: str, separator: str, quoting: Any, end: str, *, packed: bool) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows([HEADS, *body])
    content = MARKS[encoding] + text.getvalue().encode(encoding)
    return gzip.compress(content) if packed else content


@settings(max_examples=250, deadline=None)
@given(
    body=tables,
    encoding=st.sampled_from(sorted(MARKS)),
    separator=st.sampled_from(SEPARATORS),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    packed=st.booleans(),
)
def test_a_table_is_read_back_as_it_was_written(
    body: list[list[str]], encoding: str, separator: str, quoting: Any, end: str, packed: bool
) -> None:
    # Python's writer leaves a line end of another kind than its own without quotes.
    other = {"\n": "\r", "\r": "\n"}.get(end, "\0")
    assume(quoting == csv.QUOTE_ALL or not any(other in one for row in body for one in row))
    assert texts(written(body, encoding, separator, quoting, end, packed=packed)) == body


PLAIN = b'distinct_id,event,note\nu1,Seen,"a ""b""\n, c"\nu2,Seen,fine\nu3,"Seen",x\nu4,Seen,y\n'


@settings(max_examples=400, deadline=None)
@given(at=st.integers(PLAIN.index(b"u1"), len(PLAIN) - 1), byte=st.integers(0, 255), packed=st.booleans())
@example(at=50, byte=0xF6, packed=False)
def test_a_changed_byte_changes_a_cell_or_is_refused_with_its_place_and_loses_no_row(
    at: int, byte: int, packed: bool
) -> None:
    changed = bytearray(PLAIN)
    changed[at] = byte
    try:
        found = read(gzip.compress(bytes(changed)) if packed else bytes(changed))
    except UnreadableFile:
        return
    told = "".join(one.wrong for one in found)
    kept = "".join("".join(one.cells.values()) for one in found)
    if not told:
        for person in ("u1", "u2", "u3", "u4"):
            assert person in kept or at in range(PLAIN.index(person.encode()), PLAIN.index(person.encode()) + 2)


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, len(gzip.compress(PLAIN, mtime=0)) - 1))
def test_a_packed_file_that_is_cut_anywhere_is_never_taken_for_whole(cut: int) -> None:
    with pytest.raises(UnreadableFile):
        read(gzip.compress(PLAIN, mtime=0)[:cut] or b"")


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(gzip.compress(PLAIN, mtime=0)) - 1), byte=st.integers(0, 255))
def test_a_damaged_packed_file_is_read_the_same_or_refused_by_the_reader(at: int, byte: int) -> None:
    packed = bytearray(gzip.compress(PLAIN, mtime=0))
    packed[at] = byte
    try:
        found = read(bytes(packed))
    except UnreadableFile:
        return
    assert [one.cells for one in found] == [one.cells for one in read(PLAIN)] or at < 2


def test_members_of_a_packed_file_are_read_one_behind_the_other_and_anything_else_behind_them_is_refused() -> None:
    twice = gzip.compress(PLAIN[:40]) + gzip.compress(PLAIN[40:])
    assert read(twice) == read(PLAIN)
    assert read(twice + b"\0" * 512) == read(PLAIN)
    with pytest.raises(UnreadableFile, match="something else"):
        read(twice + b"more")


def test_a_file_that_unpacks_to_hundreds_of_times_its_size_is_refused() -> None:
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 30_000_000)
    with opened(io.BytesIO(bomb)) as (_start, file), pytest.raises(UnreadableFile, match="200 times"):
        sum(map(len, iter(partial(file.read, 2**20), b"")))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        ("id,a\nu,1\n".encode("utf-16-le"), "without its mark"),
        (b"PK\x03\x04rest", "ZIP"),
        (gzip.compress(gzip.compress(b"id\nu\n", mtime=0), mtime=0), "twice"),
        (b"", "empty"),
        (b"\n\r\n  \n", "empty"),
        (b"\x1f\x8b", "cut short"),
        ("n\xe4me,b\nu,1\n".encode("latin-1"), "line 1.*UTF-8|Line 1.*UTF-8"),
        (b'"a,b\nu,1\n', "line 1 is never closed"),
        (b"a,b,a\nu,1,2\n", "columns 1 and 3 have one name, a"),
        (b"a, a \nu,1\n", "one name, a"),
        (b",,\n1,2,3\n", "No column has a name"),
    ],
)
def test_a_file_of_which_nothing_can_be_used_is_refused_with_the_reason(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(content)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (b"u2,caf\xe9", "Line 3 is not encoded as UTF-8: byte 7 of it is 0xE9"),
        (b"u2,b,c", "Line 3 has 3 cells, and there are 2 columns"),
        (b'u2,"a" b', "behind the quote that opens in line 3"),
        (b'u2, "a"', "a blank stands before a quote"),
        (b"u2," + b"x" * 140_000, "A cell in line 3 has more than 131,072 characters"),
        (b'u2,"' + b"x" * 140_000 + b'"', "A cell in line 3 has more than"),
        (b'u2,"' + b"x\n" * 600_000 + b'"', "more than"),
        (b"u2," + b"x" * 9_000_000, "longer than any record"),
        (b"u2,a\rb", "a line end of another kind"),
        (b"u2,a\0", "NUL"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_its_line_and_the_next_one_is_read(row: bytes, says: str) -> None:
    found = read(b"id,note\nu1,x\n" + row + b"\nu3,y\n")
    assert [one.cells.get("id") for one in found] == ["u1", None, "u3"]
    assert [one.place for one in found] == [1, 2, 3]
    assert says in found[1].wrong


def test_a_quote_that_never_closes_names_the_line_where_it_opened() -> None:
    *before, last = read(b'id,note\nu1,x\nu2,"27 inch\nu3,y\nu4,z\n')
    assert [one.cells["id"] for one in before] == ["u1"]
    assert "opens in line 3 is never closed" in last.wrong


def test_a_row_that_breaks_off_is_told_and_one_that_ends_early_lacks_its_last_cells() -> None:
    assert "breaks off in line 3" in read(b"id,a,b\nu1,1\nu2,1")[1].wrong
    assert read(b"id,a,b\nu1,1\nu2,1,2")[0].cells == {"id": "u1", "a": "1"}


def test_a_line_may_say_the_separator_and_blank_lines_may_stand_before_the_heads() -> None:
    assert texts(b"\n \r\nsep=|\r\nid,x|b\r\nu|1,5\r\n") == [["u", "1,5"]]
    assert texts(b"\xef\xbb\xbf\n\nid;b\nu;1\n") == [["u", "1"]]


def test_a_column_without_a_name_may_be_empty_and_nothing_else() -> None:
    assert texts(b"id,b,\nu,1,\n") == [["u", "1"]]
    assert "below no name" in read(b"id,b,\nu,1,2\n")[0].wrong


@pytest.mark.parametrize("longest", [1, 2, 3, 5, 8])
def test_a_line_that_comes_in_pieces_is_the_same_row(monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    pieces = lines.lines(io.BytesIO(PLAIN.replace(b", c", b", \xc3")), longest=longest)
    assert len(list(rows.rows(pieces, ","))) == 5
    plain = PLAIN.decode().encode()
    assert [one.cells for one in rows.rows(lines.lines(io.BytesIO(plain), longest=longest), ",")] == [
        one.cells for one in rows.rows(lines.lines(io.BytesIO(plain)), ",")
    ]


def test_memory_stays_flat_where_a_quote_takes_all_that_follows(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(b'id,note\nu1,"')
        for _ in range(20):
            file.write((b"u2," + b"x" * 500 + b"\n") * 2_000)
    tracemalloc.start()
    with table(path) as found:
        assert "never closed" in next(found.cells()).wrong
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("columns", [MOST_COLUMNS, MOST_COLUMNS + 1])
def test_a_table_has_so_many_columns_and_no_more(columns: int) -> None:
    assert MOST_COLUMNS == 4000
    content = ",".join(f"c{number}" for number in range(columns)).encode() + b"\n" + b"1," * (columns - 1) + b"1\n"
    if columns <= MOST_COLUMNS:
        assert len(read(content)) == 1
        return
    with pytest.raises(UnreadableFile, match="4,001 columns; at most 4,000"):
        read(content)


def test_a_text_that_is_read_whole_has_so_many_bytes_and_no_more() -> None:
    """Counted as it unpacks, so that a small file is not a large text."""
    assert encoded.MOST_WHOLE == 128 * 1024 * 1024
    most = 1024 * 1024
    assert len(encoded.whole(io.BytesIO(b"a" * most), most)) == most
    for large in (b"a" * (most + 1), gzip.compress(b"a,b\n" * most)):
        with pytest.raises(UnreadableFile, match="larger than 1 MB"):
            encoded.whole(io.BytesIO(large), most)
