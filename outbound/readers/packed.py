"""Files as gzip, told by their first two bytes: one member or several, whole, and no bomb."""

import io
import os
import zlib
from typing import IO, Any

from outbound.readers.errors import UnreadableFile

MAGIC = b"\x1f\x8b"
PIECE = 64 * 1024  # bytes that are read at once
MOST_TIMES = 200  # so many times its packed size a file may unpack to
ALWAYS_ALLOWED = 64 * 1024 * 1024  # bytes that any file may unpack to
_GZIP = 16 + zlib.MAX_WBITS
_AGAIN = "Make the file anew, or unpack it and use that."


class Unpacked(io.RawIOBase):
    """The bytes within a gzip file. Reading raises Unreadable where it is cut short, damaged, followed by something
    else, or far larger than any table would be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._member: Any = zlib.decompressobj(_GZIP)
        self._begun = False  # whether the member has any bytes
        self._rest = b""  # packed bytes that wait
        self._packed = self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        view = memoryview(into).cast("B")
        found = self._next(len(view))
        view[: len(found)] = found
        return len(found)

    def _next(self, most: int) -> bytes:
        """Up to `most` bytes, empty at the end."""
        while True:
            if self._member.eof and not self._next_member():
                return b""
            packed = self._rest or self._read()
            if not packed:
                return self._at_the_end()
            found = self._unpack(packed, most)
            if found:
                return found

    def _read(self) -> bytes:
        packed = self._file.read(PIECE)
        self._packed += len(packed)
        return packed

    def _unpack(self, packed: bytes, most: int) -> bytes:
        self._begun = True
        try:
            found: bytes = self._member.decompress(packed, most)
        except zlib.error:
            raise UnreadableFile(f"The gzip file is damaged. {_AGAIN}") from None
        self._rest = self._member.unconsumed_tail or self._member.unused_data
        self._given += len(found)
        if self._given > max(ALWAYS_ALLOWED, MOST_TIMES * self._packed):
            raise UnreadableFile(
                f"The gzip file unpacks to more than {MOST_TIMES} times its size. Unpack it and use that."
            )
        return found

    def _next_member(self) -> bool:
        """Begin the member behind the one that ended; False at the end of the file. Zeros may fill it up."""
        while not self._rest.lstrip(b"\0"):
            self._rest = self._read()
            if not self._rest:
                return False
        self._rest = self._rest.lstrip(b"\0")
        if not MAGIC.startswith(self._rest[:2]):
            raise UnreadableFile(f"Behind the end of the gzip file stands something else. {_AGAIN}")
        self._member, self._begun = zlib.decompressobj(_GZIP), False
        return True

    def _at_the_end(self) -> bytes:
        """Return what the last member still holds at the end of the file. Raises UnreadableFile where it is not
        whole."""
        found: bytes = self._member.decompress(b"", PIECE) if self._begun else b""
        if not found and not self._member.eof:
            raise UnreadableFile(f"The gzip file breaks off: it is cut short. {_AGAIN}")
        return found


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """Return the bytes of a file, unpacked where it is gzip. `file` can be sought, and stays its caller's to close."""
    start = file.read(len(MAGIC))
    file.seek(-len(start), os.SEEK_CUR)
    if start != MAGIC:
        return file
    return io.BufferedReader(Unpacked(file), PIECE)
