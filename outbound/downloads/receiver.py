"""Takes an answer piece by piece: credentials out, looked at, counted, handed to where it goes; its head is kept."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from outbound.downloads.completeness import Anything, Document, Lines, Masked, Scan
from outbound.downloads.errors import BrokenOff, Cancelled, Refused
from outbound.downloads.targets import SMALL, Target
from outbound.operations.types import Operation
from outbound.request.masking import Mask

LARGEST_HEAD = 16 * 1024 * 1024  # bytes of a document that are kept in memory to be judged
EVERY = 0.5  # seconds between two notes of how far it is


@dataclass(frozen=True)
class Received:
    """What came of an answer: all its `size` bytes, of which `records` where it has any, and why it is not whole.
    `file` is the kept one's name."""

    size: int
    records: int | None
    broken: str = ""
    refused: bool = False
    cancelled: bool = False
    file: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.broken


Told = Callable[[int, int | None], bool]  # bytes and records so far; whether it is to be stopped


def nobody_is_told(_size: int, _records: int | None) -> bool:
    """Tell nobody how far an answer is."""
    return False


class Receiver:
    """One answer after another of a call: its last try counts. `lasting` answers are not asked for again once something
    of them has come."""

    def __init__(self, operation: Operation, mask: Mask, target: Target, told: Told, *, lasting: bool) -> None:
        self.target, self.lasting = target, lasting
        self._kind, self._mask, self._told = operation.answer, mask, told
        self._most = SMALL if operation.answer in {"ndjson", "binary"} else LARGEST_HEAD
        self._begin()

    def _begin(self, content_type: str = "") -> None:
        self.head, self.size, self.received = bytearray(), 0, Received(0, None)
        table = content_type.startswith(("text/csv", "application/csv"))
        self._scan: Scan = Anything() if table else _SCANS.get(self._kind, Anything)()
        self._masked, self._noted_at, self._added = Masked(self._mask), time.monotonic(), 0

    @property
    def is_cut(self) -> bool:
        """Whether `head` is not all of it."""
        return self.size > len(self.head)

    def receive(self, pieces: Iterable[bytes], broken: type[Exception], content_type: str = "") -> None:
        """Take all of it; `received` says how that went. Raises `broken` as `pieces` do, where it may be asked
        again."""
        if self.size and not self.target.again():
            raise broken("the answer broke off, and what came of it cannot be taken back")
        self._begin(content_type)
        try:
            for piece in pieces:
                self._take(self._masked.take(piece))
            self._take(self._masked.end())
            self._put(self._scan.end())
            self._end("")
        except BrokenOff as error:
            self._broke(error)
        except broken as error:
            if not self.lasting or not (self.size or self.target.name):
                raise
            self._put_rest(lambda: self._scan.take(self._masked.end()))
            self._end(str(error))

    def add(self, lines: list[bytes]) -> None:
        """Records that were taken out of an answer. Raises BrokenOff."""
        self._added += len(lines)
        self._put(b"".join(lines))

    def end(self, broken: str = "", *, cancelled: bool = False) -> None:
        """What was added is all, or all that comes."""
        self._end(broken, cancelled=cancelled)

    def _take(self, piece: bytes) -> None:
        self._put(self._scan.take(piece))

    def _put(self, good: bytes) -> None:
        if good:
            self.target.put(good)
            self.size += len(good)
            if len(self.head) < self._most:
                self.head += good[: self._most - len(self.head)]
        self._note()

    def _note(self) -> None:
        now = time.monotonic()
        if now - self._noted_at >= EVERY:
            self._noted_at = now
            if self._told(self.size, self.records):
                raise Cancelled("it was cancelled")

    @property
    def records(self) -> int | None:
        return self._added if self._scan.records is None and self._added else self._scan.records

    def _broke(self, error: BrokenOff) -> None:
        self._put_rest(lambda: self._scan.rest)
        self._end(str(error), refused=isinstance(error, Refused), cancelled=isinstance(error, Cancelled))

    def _put_rest(self, rest: Callable[[], bytes]) -> None:
        """The good records in front of what is broken, as far as there is a place for them."""
        try:
            found = rest()
        except BrokenOff:
            found = self._scan.rest
        self._scan.rest = b""
        try:
            if found:
                self.target.put(found)
                self.size += len(found)
                self.head += found[: max(0, self._most - len(self.head))]
        except BrokenOff:
            return

    def _end(self, broken: str, *, refused: bool = False, cancelled: bool = False) -> None:
        try:
            self.target.end(whole=not broken)
        except BrokenOff as error:
            broken = broken or str(error)
        self.received = Received(self.size, self.records, broken, refused, cancelled, self.target.name)


_SCANS: dict[str, type[Scan]] = {"ndjson": Lines, "json": Document, "pipeline": Document, "lookup": Document}
