"""Tables: CSV whose separator is told by its heads, or by a first line such as `sep=;`, and its rows by their names."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO

from config.counts import counted
from outbound.readers.encoded import opened
from outbound.readers.errors import UnreadableFile
from outbound.readers.lines import CR, LF, lines
from outbound.readers.rows import Row, rows

SEPARATORS = (",", ";", "\t", "|")
SHOWN = 8  # columns that a message names
LONGEST_NAME = 60  # characters of a name that a message shows
MOST_COLUMNS = 4000
_SAID = re.compile(r'"?sep=([^\r\n])"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Cells:
    """A row below the heads, by their names; `place` counts from 1. `wrong` says why there are none."""

    place: int
    line: int
    cells: dict[str, str] = field(default_factory=dict)
    wrong: str = ""
    text: str = ""


@dataclass(frozen=True)
class Table:
    """`names` are the heads without blanks around them; that of a column without a name is empty."""

    names: list[str]
    rows: Iterator[Row]

    def cells(self) -> Iterator[Cells]:
        """Yield every row that is not empty."""
        for place, row in enumerate(self.rows, 1):
            if row.wrong or any(map(str.strip, row.cells)):
                yield self._named(place, row)

    def _named(self, place: int, row: Row) -> Cells:
        wrong = row.wrong or self._wrong(row)
        if wrong:
            return Cells(place, row.line, {}, wrong, row.text)
        pairs = zip(self.names, row.cells, strict=False)
        return Cells(place, row.line, {name: cell for name, cell in pairs if name}, "", row.text)

    def _wrong(self, row: Row) -> str:
        """Why its cells do not go with the heads."""
        many, heads = len(row.cells), len(self.names)
        if many > heads:
            return f"Line {row.line} has {counted(many, 'cell')}, and there are {heads} columns."
        if many < heads and not row.is_ended:
            return f"The file breaks off in line {row.line}: {counted(many, 'cell')}, and there are {heads} columns."
        nameless = (cell for name, cell in zip(self.names, row.cells, strict=False) if not name)
        return f"In line {row.line} a cell stands below no name." if any(map(str.strip, nameless)) else ""


@contextmanager
def table(source: Path | IO[bytes]) -> Iterator[Table]:
    """Yield a table, read as it is asked for. Raises UnreadableFile, also midway, and OSError."""
    with opened(source) as (start, file):
        yield read(start, file)


def read(start: bytes, file: IO[bytes], separators: Sequence[str] = SEPARATORS) -> Table:
    """Return the table of a text that begins with `start`, of which one of `separators` is its own. Raises
    UnreadableFile."""
    end = line_end(start)
    found, first, said = _first_line(lines(file, end))
    separator = said or _separator(start, first, separators)
    below = rows(found, separator, first)
    head = next(below, None)
    if head is None:
        raise UnreadableFile("The file is empty.")
    if head.wrong:
        raise UnreadableFile(f"The heads cannot be read. {head.wrong}")
    return Table(_names(head), below)


def line_end(start: bytes) -> bytes:
    """Return what ends a line: the first line end that stands outside of quotes says so."""
    is_quoted = False
    for found in re.finditer(rb'["\r\n]', start):
        if found[0] == b'"':
            is_quoted = not is_quoted
        elif not is_quoted:
            return CR if found[0] == b"\r" and start[found.end() : found.end() + 1] != b"\n" else LF
    return LF


def _first_line(found: Iterator[bytes]) -> tuple[Iterator[bytes], int, str]:
    """Return the lines from the heads on, the number of the first, and the separator that a line before them says."""
    said = ""
    for number, line in enumerate(found, 1):
        mark = _SAID.fullmatch(line.decode("utf-8", "replace").lstrip()) if not said else None
        if mark:
            said = mark[1]
        elif line.strip():
            return chain([line], found), number, said
    raise UnreadableFile("The file is empty.")


def _separator(start: bytes, first: int, separators: Sequence[str]) -> str:
    """Return what stands most often between the heads; of two, the one by which the next row has as many cells."""
    text = start[: start.rfind(b"\n") + 1] or start
    below = text.splitlines(keepends=True)[first - 1 :]

    def counted(separator: str) -> tuple[int, bool]:
        head, *more = [len(row.cells) for row in islice(rows(below, separator), 2)] or [0]
        return head, more == [head]

    return max(separators, key=counted)


def _names(head: Row) -> list[str]:
    names = [cell.strip() for cell in head.cells]
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(f"The file has {len(names):,} columns; at most {MOST_COLUMNS:,} can be read.")
    if not any(names):
        raise UnreadableFile(f"No column has a name in line {head.line}.")
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        if name and name in seen:
            shown = name[:LONGEST_NAME]
            raise UnreadableFile(
                f"Line {head.line}: columns {seen[name]} and {place} have one name, {shown}. Rename one."
            )
        seen[name] = place
    return names


def shown(names: list[str]) -> str:
    """Return the heads, for a message."""
    found = [name[:LONGEST_NAME] or "(no name)" for name in names[:SHOWN]]
    return ", ".join(found) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
