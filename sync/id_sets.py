"""Sets of person ids. The people that a page named are one small column: sorted ids, their differences, deflated.

Some 2.5 KB for 1,000 people. Kept on the page row, never as a mark on membership rows: marking costs 15-20 ms a page
and megabytes of write-ahead log to save seconds in the sweep.
"""

import zlib
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from operator import sub
from typing import Any

WINDOW = 64 * 1024 * 1024  # ids that one pass of a sweep holds, at a byte each


def encode(person_ids: Iterable[int]) -> bytes:
    """Return the ids of one page as a column keeps them."""
    ids = sorted(person_ids)
    return zlib.compress(array("Q", map(sub, ids, [0, *ids])).tobytes(), 1)


def decode(blob: bytes) -> Iterator[int]:
    """Yield the ids of one page, ascending."""
    differences = array("Q")
    differences.frombytes(zlib.decompress(blob))
    return accumulate(differences)


class IdSet:
    """A set of ids from `start` to before `end`: a byte an id, because Python sets bytes faster than bits."""

    def __init__(self, start: int, length: int) -> None:
        self.start = start
        self._is_in = bytearray(length)

    def add(self, blobs: Iterable[bytes]) -> None:
        """Add the ids of these pages, as `encode` has written them; those of other ranges are left out."""
        is_in, start, length = self._is_in, self.start, len(self._is_in)
        for blob in filter(None, blobs):
            for person_id in decode(blob):
                if 0 <= person_id - start < length:
                    is_in[person_id - start] = 1

    @property
    def end(self) -> int:
        return self.start + len(self._is_in)

    def __contains__(self, person_id: Any) -> bool:
        return bool(self._is_in[person_id - self.start])

    def count(self) -> int:
        return self._is_in.count(1)
