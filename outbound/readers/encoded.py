"""Texts as UTF-8, whatever their mark says: UTF-8 with or without one, UTF-16 with one."""

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from outbound.readers.errors import UnreadableFile
from outbound.readers.lines import no_utf8
from outbound.readers.packed import MAGIC, PIECE, unpacked

START = 64 * 1024  # bytes that are looked at to tell what a file is
MOST_WHOLE = 128 * 1024 * 1024  # bytes: Mixpanel takes tables of 100 MB
MOST_NULS = 0.01  # of a text; a row with one is refused by itself
NO_UTF8 = b"\xff"  # stands for what UTF-16 broke off
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class FromUtf16(io.RawIOBase):
    """UTF-16 as UTF-8. What is none comes out as no UTF-8 either, so that its line is refused like any other."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._rest = b""
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        view = memoryview(into).cast("B")
        while not self._rest and not self._is_over:
            self._rest = self._next()
        found, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(found)] = found
        return len(found)

    def _next(self) -> bytes:
        piece = self._file.read(PIECE)
        self._is_over = not piece
        try:
            return self._decoder.decode(piece, self._is_over).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # the last character is cut
            self._is_over = True
            return NO_UTF8


class Peeked(io.RawIOBase):
    """What was read of a stream that cannot be sought, and then the rest of it."""

    def __init__(self, start: bytes, file: IO[bytes]) -> None:
        self._start, self._file = start, file

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        view = memoryview(into).cast("B")
        found = self._start[: len(view)] or self._file.read(len(view))
        self._start = self._start[len(view) :]
        view[: len(found)] = found
        return len(found)


@contextmanager
def opened(source: Path | IO[bytes], *, as_it_is: bool = False) -> Iterator[tuple[bytes, IO[bytes]]]:
    """Yield the beginning of a text (without its mark), and all of it as UTF-8, unpacked; `as_it_is` takes what is no
    text too. Raises UnreadableFile, also while it is read, and OSError."""
    if not isinstance(source, Path):
        source.seek(0)
        yield _text(unpacked(source), as_it_is=as_it_is)
        return
    with source.open("rb") as file:
        yield _text(unpacked(file), as_it_is=as_it_is)


def whole(source: Path | IO[bytes], most: int = MOST_WHOLE) -> str:
    """Return all of a text. Raises UnreadableFile, OSError."""
    with opened(source) as (_start, file):
        content = _read(file, most + 1)
    if len(content) > most:
        raise UnreadableFile(f"It is larger than {most // 1024 // 1024} MB.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        start = before.rfind(b"\n") + 1
        raise UnreadableFile(no_utf8(content[start:].split(b"\n", 1)[0], line)) from None


def _text(file: IO[bytes], *, as_it_is: bool) -> tuple[bytes, IO[bytes]]:
    plain = _without_mark(file)
    start = _read(plain, START)
    if not as_it_is:
        _refuse_others(start)
    if plain.seekable():
        plain.seek(-len(start), os.SEEK_CUR)
        return start, plain
    return start, io.BufferedReader(Peeked(start, plain), PIECE)


def _without_mark(file: IO[bytes]) -> IO[bytes]:
    """Return the text behind its mark, as UTF-8."""
    mark = _read(file, 4)
    if mark in _UTF32:
        raise UnreadableFile("The file is encoded as UTF-32. Save it as UTF-8.")
    encoding = _UTF16.get(mark[:2])
    size = 2 if encoding else 3 if mark.startswith(codecs.BOM_UTF8) else 0
    if file.seekable():
        file.seek(size - len(mark), os.SEEK_CUR)
        rest = file
    else:
        rest = io.BufferedReader(Peeked(mark[size:], file), PIECE)
    return io.BufferedReader(FromUtf16(rest, encoding), PIECE) if encoding else rest


def _read(file: IO[bytes], size: int) -> bytes:
    """So many bytes, fewer at the end only."""
    found = b""
    while len(found) < size and (piece := file.read(size - len(found))):
        found += piece
    return found


def _refuse_others(start: bytes) -> None:
    """Refuse what is no text. Raises UnreadableFile."""
    if start.startswith(b"PK\x03\x04"):
        raise UnreadableFile("This is a ZIP file, or an Excel workbook. Unpack it, or save the table as CSV UTF-8.")
    if start.startswith(MAGIC):
        raise UnreadableFile("The file is packed twice. Unpack it once.")
    if b"\0" in start[:4]:
        raise UnreadableFile("This is no text file, or UTF-16 without its mark. Save it as UTF-8.")
    if start.count(b"\0") > 1 + len(start) * MOST_NULS:
        raise UnreadableFile("This is no text file. NDJSON, JSON and CSV can be read, each also as gzip.")
