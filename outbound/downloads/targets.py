"""Where a whole answer goes: into the folder of kept answers, a file of whoever asked, or on to a reader."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from outbound.downloads.errors import BrokenOff
from outbound.downloads.folder import Folder

BROKEN = b'{"error": "This answer broke off and is not complete.'  # a last line that no reader takes for a record
SMALL = 256 * 1024  # bytes of an answer that is kept in the history as a whole, without a file
ROOM = 8 * 1024 * 1024  # bytes for which room is made at once


def size_of(count: int) -> str:
    """Write a number of bytes for people."""
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:,} bytes"


class Target(Protocol):
    """`put` takes the next good bytes, `again` says whether it can begin anew, `end` is told how it went. `name` is the
    kept file, empty where there is none. Each raises BrokenOff where it can take no more."""

    name: str

    def put(self, piece: bytes) -> None: ...
    def again(self) -> bool: ...
    def end(self, *, whole: bool) -> None: ...


class KeptFile:
    """A file of the folder, from the first byte on where `always`, else once the answer is long."""

    def __init__(self, folder: Folder, *, always: bool = False) -> None:
        self.name = ""
        self._folder, self._always = folder, always
        self._file: IO[bytes] | None = None
        self._first, self._room = bytearray(), 0

    def put(self, piece: bytes) -> None:
        if self._file is None:
            self._first += piece
            if len(self._first) <= SMALL and not self._always:
                return
            piece = bytes(self._first)
            self.name, self._file = self._folder.new()
        self._make_room(len(piece))
        _write(self._file, piece)

    def _make_room(self, size: int) -> None:
        if self._room < size:
            self._room = max(size, min(ROOM, self._folder.most // 8))
            self._folder.make_room(self._room)
        self._room -= size

    def again(self) -> bool:
        self._first.clear()
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
        return True

    def end(self, *, whole: bool) -> None:  # noqa: ARG002 - the row says whether it is
        if self._file is not None:
            self._file.close()


class OutputFile:
    """A file of whoever asked: under its own name once it is whole, else with `.broken-off` behind it."""

    name = ""

    def __init__(self, path: Path) -> None:
        self.path, self.left = path, path.with_name(f"{path.name}.broken-off")
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: IO[bytes] = os.fdopen(handle, "wb")

    def put(self, piece: bytes) -> None:
        _write(self._file, piece)

    def again(self) -> bool:
        self._file.seek(0)
        self._file.truncate()
        return True

    def end(self, *, whole: bool) -> None:  # noqa: ARG002 - it gets its name once it is judged
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise BrokenOff(_reason(error)) from None

    def settle(self, *, whole: bool) -> Path:
        """Rename the file to its own name, and return that. Raises OSError."""
        return self._part.replace(self.path if whole else self.left)

    def drop(self) -> None:
        """Leave nothing: there is no answer."""
        self._file.close()
        self._part.unlink(missing_ok=True)


class StreamTarget:
    """A reader who takes it as it comes: what was handed on cannot be taken back."""

    name = ""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take, self.begun = take, False

    def put(self, piece: bytes) -> None:
        self.begun = True
        self._take(piece)

    def again(self) -> bool:
        return not self.begun

    def end(self, *, whole: bool) -> None:
        """Do nothing: the reader is told by whoever passes the answer on."""


def _write(file: IO[bytes], piece: bytes) -> None:
    try:
        file.write(piece)
    except OSError as error:
        raise BrokenOff(_reason(error)) from None


def _reason(error: OSError) -> str:
    return f"the file cannot be written: {error.strerror}"
