"""Rows of a table: cells between separators, strictly quoted (RFC 4180).

A row that cannot be read says why and in which line, and the row behind it is read. A quote that never closes takes all
that stands behind it, which its row says.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from outbound.readers.lines import no_utf8, without_end

LONGEST_CELL = 128 * 1024  # characters
LONGEST_ROW = 1024 * 1024  # characters: Mixpanel takes no larger record
SHOWN = 200  # characters of a row that a refusal keeps
QUOTE = '"'
_ENDS = (b"\n", b"\r")


@dataclass
class Row:
    """`cells`, or `wrong` says why there are none; `line` is where it begins, `text` how. `is_ended` says that a line
    end stands behind it. An empty line has no cells."""

    line: int
    cells: list[str] = field(default_factory=list)
    wrong: str = ""
    text: str = ""
    is_ended: bool = True


def rows(lines: Iterable[bytes], separator: str, first: int = 1) -> Iterator[Row]:
    """Yield all rows; the first line has the number `first`."""
    number, row = first, None
    for line in lines:
        if row is None and line.endswith(_ENDS) and b'"' not in line:
            yield _plain(line, separator, number)
            number += 1
            continue
        row = row or _Row(number, separator)
        if not row.is_skipped or b'"' in line:
            row.take(line, number)
        number += line.endswith(_ENDS)
        if row.is_over:
            yield row.made()
            row = None
    if row is not None:
        yield row.at_the_end()


def _plain(line: bytes, separator: str, number: int) -> Row:
    """Split a line in which no quote stands."""
    try:
        text = without_end(line).decode()
    except UnicodeDecodeError:
        return Row(number, [], no_utf8(line, number), line[:SHOWN].decode("utf-8", "replace").rstrip("\r\n"))
    cells = text.split(separator) if text else []
    wrong = _too_long(number, len(text)) or _mixed(text, number)
    if not wrong and len(text) > LONGEST_CELL:
        wrong = next(filter(None, (_cell_too_long(number, len(cell)) for cell in cells)), "")
    return Row(number, [] if wrong else cells, wrong, text[:SHOWN])


class _Row:
    """A row that is read line by line, or piece by piece of a long line; `mode` says where in a cell it is."""

    def __init__(self, line: int, separator: str) -> None:
        self.line, self.separator = line, separator
        self.cells: list[str] = []
        self.pieces: list[str] = []  # of the cell
        self.wrong = self.text = ""
        self.size = self.cell_size = 0
        self.number = self.opened = line  # the line that is read, and that in which the newest quote opened
        self.is_over = self.is_ended = False
        self.mode: Callable[[str, int], int] = self._start

    def take(self, line: bytes, number: int) -> None:
        """Read on, in a line or in a piece of one."""
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self._refuse(no_utf8(line, number))
            text = line.decode("utf-8", "replace")
        self.text = self.text or text[:SHOWN].rstrip("\r\n")
        self.number, self.is_ended = number, text.endswith(("\n", "\r"))
        place = 0
        while place < len(text) and not self.is_over:
            place = self.mode(text, place)

    @property
    def is_skipped(self) -> bool:
        """Whether only the end of a quoted cell is looked for."""
        return bool(self.wrong) and self.mode == self._quoted

    def made(self) -> Row:
        cells = [] if self.wrong or self.cells == [""] else self.cells
        return Row(self.line, cells, self.wrong, self.text, self.is_ended)

    def at_the_end(self) -> Row:
        """Return what is left at the end of the file."""
        if self.mode == self._quoted:
            self.wrong = (
                f"The quote that opens in line {self.opened} is never closed: from line {self.line} on nothing can "
                "be read."
            )
        elif self.mode != self._broken:
            self._add()
        return self.made()

    # --- where in a cell it is; each reads on from a place, and returns the next

    def _start(self, text: str, place: int) -> int:
        if text[place] != QUOTE:
            self.mode = self._unquoted
            return place
        self.mode, self.opened = self._quoted, self.number
        return place + 1

    def _unquoted(self, text: str, place: int) -> int:
        found = text.find(self.separator, place)
        self._keep(text[place:found] if found >= 0 else text[place:].rstrip("\r\n"))
        if found >= 0 or self.is_ended:
            self._refuse(self._careless("".join(self.pieces)))
            self._add()
        self.is_over = found < 0 and self.is_ended
        return found + 1 if found >= 0 else len(text)

    def _quoted(self, text: str, place: int) -> int:
        found = text.find(QUOTE, place)
        self._keep(text[place:found] if found >= 0 else text[place:])
        if found < 0:
            return len(text)
        self.mode = self._closed
        return found + 1

    def _closed(self, text: str, place: int) -> int:
        """Behind a quote: a second one, the next cell, the end of the row, or what must not stand there."""
        if text[place] == QUOTE:
            self._keep(QUOTE)
            self.mode = self._quoted
            return place + 1
        self._add()
        if text[place] == self.separator:
            return place + 1
        if text[place:] in {"\n", "\r\n", "\r"}:
            self.is_over = True
            return len(text)
        closes = "" if self.opened == self.number else f" and closes in line {self.number}"
        self._refuse(f"More text stands behind the quote that opens in line {self.opened}{closes}.")
        self.mode = self._broken
        return place

    def _broken(self, text: str, _place: int) -> int:
        """Return the rest of a line behind a mistake."""
        self.is_over = self.is_ended
        return len(text)

    # ---

    def _careless(self, cell: str) -> str:
        """Why a cell without quotes cannot be what its writer meant."""
        if cell.startswith((" ", "\t")) and cell.lstrip(" \t").startswith(QUOTE):
            return f"In line {self.number} a blank stands before a quote, so that nobody knows where its cell ends."
        return _mixed(cell, self.number)

    def _keep(self, piece: str) -> None:
        self.size += len(piece)
        self.cell_size += len(piece)
        self._refuse(_too_long(self.line, self.size) or _cell_too_long(self.opened, self.cell_size))
        if not self.wrong:
            self.pieces.append(piece)

    def _add(self) -> None:
        self.cells.append("".join(self.pieces))
        self._refuse(_nul(self.cells[-1], self.number))
        self.pieces, self.cell_size, self.mode = [], 0, self._start

    def _refuse(self, wrong: str) -> None:
        """The first reason counts; nothing further is kept."""
        if wrong and not self.wrong:
            self.wrong, self.cells, self.pieces = wrong, [], []


def _too_long(line: int, size: int) -> str:
    if size <= LONGEST_ROW:
        return ""
    return f"The row in line {line} is longer than any record may be ({LONGEST_ROW:,} characters)."


def _cell_too_long(line: int, size: int) -> str:
    return f"A cell in line {line} has more than {LONGEST_CELL:,} characters." if size > LONGEST_CELL else ""


def _mixed(text: str, line: int) -> str:
    if "\r" in text or "\n" in text:
        return f"In line {line} stands a line end of another kind, outside of quotes."
    return _nul(text, line)


def _nul(text: str, line: int) -> str:
    return f"In line {line} stands a NUL, which no text may hold." if "\0" in text else ""
