"""Lines of bytes, numbered from 1, none longer in memory than any record may be."""

from collections.abc import Iterator
from typing import IO

LONGEST = 4 * 1024 * 1024  # bytes; a longer line is no record, and comes in pieces
LF, CR = b"\n", b"\r"


def lines(file: IO[bytes], end: bytes = LF, longest: int | None = None) -> Iterator[bytes]:
    """Yield every line with its end; one that is longer than `longest` comes in pieces, of which the last has the
    end."""
    most = longest or LONGEST
    if end == LF:
        while line := file.readline(most):
            yield line
        return
    yield from _ended_by(file, end, most)


def _ended_by(file: IO[bytes], end: bytes, most: int) -> Iterator[bytes]:
    held = b""
    while piece := file.read(64 * 1024):
        *whole, held = (held + piece).split(end)
        yield from (line + end for line in whole)
        if len(held) >= most:
            yield held
            held = b""
    if held:
        yield held


def without_end(line: bytes) -> bytes:
    """Return the line without what ends it."""
    return line[:-2] if line.endswith(b"\r\n") else line[:-1] if line.endswith((LF, CR)) else line


def no_utf8(line: bytes, number: int) -> str:
    """Why a line is no text: where in it the first byte that is not UTF-8 stands."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return (
            f"Line {number} is not encoded as UTF-8: byte {error.start + 1} of it is 0x{line[error.start]:02X}. "
            "Save the file as UTF-8."
        )
    return f"Line {number} holds half a character."
