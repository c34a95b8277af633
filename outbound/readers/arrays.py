"""The elements of a JSON array, and objects that stand one behind the other, read as they come."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO

from outbound.readers import lines
from outbound.readers.objects import ReadRecord, made

CHUNK = 1024 * 1024
SHOWN = 200  # characters of a value that a refusal keeps where it is no record
_SIGN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[{}\[\],]', re.DOTALL)  # a text has its end, or goes on behind
_REST = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)  # what stands within quotes
_BLANKS = {True: re.compile(r"[ \t\r\n,]*+"), False: re.compile(r"[ \t\r\n]*+")}


def of_array(file: IO[bytes]) -> Iterator[ReadRecord]:
    """Yield the elements of an array by place; what stands behind the array is told, and not read."""
    values = _Values(file, is_array=True)
    values.pass_blanks()
    values.go_to(values.at + 1)
    yield from values.each()
    if values.is_at("]"):
        values.go_to(values.at + 1)
        values.is_array = False
        if values.pass_blanks():
            yield values.wrong("Behind the array, in line {}, stands something else. From there on nothing is read.")
    elif not values.is_broken:
        yield values.wrong("The array breaks off in line {}: its end is missing.")


def of_values(file: IO[bytes]) -> Iterator[ReadRecord]:
    """Objects of any number of lines, one behind the other, by place."""
    values = _Values(file, is_array=False)
    yield from values.each()
    if values.pass_blanks():
        yield values.wrong("In line {} stands something else than an object. From there on nothing is read.")


class _Values:
    """Values in a text of which a piece is `held`; `at` is how far it was read. What is no UTF-8 keeps its bytes."""

    def __init__(self, file: IO[bytes], *, is_array: bool) -> None:
        self.file, self.is_array = file, is_array
        self.decoder = json.JSONDecoder()
        self.text = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.held, self.at, self.line, self.place = "", 0, 1, 0
        self.is_over = self.is_broken = False  # the text is; its last value is not whole

    def each(self) -> Iterator[ReadRecord]:
        """Values as long as there are some."""
        while self.pass_blanks() and not self.is_at("]" if self.is_array else ""):
            if not self.is_array and not self.is_at("{"):
                return
            self.place += 1
            yield self._next()

    def wrong(self, words: str) -> ReadRecord:
        """Return what ends the reading, `words` with its line."""
        shown = self.held[self.at : self.at + SHOWN].encode("utf-8", "replace").decode()
        return ReadRecord(self.place + 1, None, words.format(self.line), shown, self.line)

    def is_at(self, sign: str) -> bool:
        return bool(sign) and self.held.startswith(sign, self.at)

    def go_to(self, end: int) -> None:
        """Pass what stands before `end`."""
        self.line += self.held.count("\n", self.at, end)
        self.at = end

    def pass_blanks(self) -> bool:
        """Go to what is no blank; False at the end of the text."""
        while True:
            found = _BLANKS[self.is_array].match(self.held, self.at)
            self.go_to(found.end() if found else self.at)
            if self.at < len(self.held):
                return True
            if not self._more():
                return False

    def _next(self) -> ReadRecord:
        line = self.line
        end = self._end()
        if end is None:
            self._skip()
            return ReadRecord(
                self.place, None, f"What begins in line {line} is longer than any record may be.", line=line
            )
        written = self.held[self.at : end]
        shown = written[:SHOWN].encode("utf-8", "replace").decode()
        self.go_to(end)
        if self.is_broken:
            return ReadRecord(
                self.place, None, f"What begins in line {line} breaks off: its end is missing.", shown, line
            )
        if written.startswith("{"):
            return made(self.place, written.encode("utf-8", "surrogateescape"), line)
        return ReadRecord(self.place, None, "No JSON object.", shown, line)

    def _end(self) -> int | None:
        """Return where the value ends; None where it is longer than any record may be."""
        while True:
            try:
                end = self.decoder.raw_decode(self.held, self.at)[1]
            except (ValueError, RecursionError):
                end = _Extent().end(self.held, self.at)
            if 0 <= end < len(self.held) or (self.is_over and end >= 0):
                return end
            if len(self.held) - self.at > lines.LONGEST:
                return None
            if not self._more() and end < 0:
                self.is_broken = True
                return len(self.held)

    def _skip(self) -> None:
        """Go behind a value that is too long to be held."""
        extent = _Extent()
        while (end := extent.end(self.held, self.at)) < 0:
            self.go_to(len(self.held))
            if not self._more():
                return
        self.go_to(end)

    def _more(self) -> bool:
        """Hold some more of the text; False where there is none."""
        if self.is_over:
            return False
        piece = self.file.read(CHUNK)
        self.is_over = not piece
        text = self.text.decode(piece, self.is_over)
        self.held, self.at = self.held[self.at :] + text, 0
        return bool(piece or text)


class _Extent:
    """Where a value ends by its brackets and quotes alone, over any number of pieces of it."""

    def __init__(self) -> None:
        self.depth = 0
        self.is_quoted = self.is_escaped = False

    def end(self, text: str, at: int) -> int:
        """Return the place behind the value; -1 where it goes on behind `text`."""
        while True:
            if self.is_quoted:
                at = self._behind_quotes(text, at)
            found = None if self.is_quoted else _SIGN.search(text, at)
            if found is None:
                return -1
            if found[1] == "":
                self.is_quoted, at = True, found.start() + 1
                continue
            at = found.end()
            if self._is_last(found[0]):
                return at if found[0] in "}]" and self.depth == 0 else found.start()

    def _is_last(self, sign: str) -> bool:
        if sign in "{[":
            self.depth += 1
        elif sign in ",]" and not self.depth:
            self.depth = -1
            return True
        elif sign in "}]":
            self.depth -= 1
            self.depth = max(self.depth, 0)
            return not self.depth
        return False

    def _behind_quotes(self, text: str, at: int) -> int:
        """Return the place behind a text that an earlier piece began."""
        found = _REST.match(text, min(at + self.is_escaped, len(text)))
        at = found.end() if found else at
        self.is_escaped = text.startswith("\\", at) and at + 1 == len(text)
        self.is_quoted = not text.startswith('"', at)
        return at if self.is_quoted else at + 1
