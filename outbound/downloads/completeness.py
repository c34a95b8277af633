"""Whether an answer is whole, found while it passes by, with flat memory.

Mixpanel answers 200 before it knows how an export ends: what breaks off says so in its last line, or not at all.
"""

import msgspec

from outbound.downloads.errors import BrokenOff, Refused
from outbound.request.masking import Mask

LONGEST_LINE = 8 * 1024 * 1024  # bytes; an event is smaller than 1 MB, and what Mixpanel adds to it is little
_BEGINS = tuple(bytes([byte]) for byte in b'{["')
_KEPT = b'{}[]"'
_OTHERS = bytes(byte for byte in range(256) if byte not in _KEPT)


class Lines:
    """Raw events, a JSON object a line. `records` counts the good ones that were handed on."""

    records: int | None = 0

    def __init__(self) -> None:
        self._held = b""

    def take(self, piece: bytes) -> bytes:
        """Return the whole lines in what came so far. Raises BrokenOff behind the last good one: `rest` has those
        before."""
        self.rest = b""
        *lines, self._held = (self._held + piece).split(b"\n")
        if len(self._held) > LONGEST_LINE:
            raise BrokenOff("a line is longer than any event")
        return self._good(lines)

    def end(self) -> bytes:
        """Return what is left. Raises BrokenOff where it is no event."""
        self.rest, held, self._held = b"", self._held, b""
        return self._good([held])

    def _good(self, lines: list[bytes]) -> bytes:
        good: list[bytes] = []
        for line in lines:
            if line.strip():
                try:
                    _check(line)
                except BrokenOff:
                    self.rest = b"".join(good)
                    raise
                good.append(line + b"\n")
                self.records = (self.records or 0) + 1
        return b"".join(good)


class _Event(msgspec.Struct):
    event: str


class _Error(msgspec.Struct):
    error: str = ""
    status: object = None


def _check(line: bytes) -> None:
    try:
        msgspec.json.decode(line, type=_Event)
    except RecursionError:
        return  # nested more deeply than is looked at
    except msgspec.ValidationError:
        raise _no_event(line) from None
    except msgspec.DecodeError:
        raise BrokenOff("a line is no JSON, as where Mixpanel ends early") from None


def _no_event(line: bytes) -> BrokenOff:
    try:
        said = msgspec.json.decode(line, type=_Error).error
    except (msgspec.DecodeError, RecursionError):
        said = ""
    return Refused(f'Mixpanel says: "{said[:300]}"') if said else BrokenOff("a line is no event")


class Document:
    """One JSON value: whole where every bracket and text that was opened is closed. What does not begin as JSON is
    not looked at."""

    records: int | None = None

    def __init__(self) -> None:
        self.rest = b""
        self._depth, self._inside, self._tail = 0, False, b""
        self._begun = self._other = False

    def take(self, piece: bytes) -> bytes:
        """Return what came. Raises BrokenOff where more is closed than was opened, or something follows."""
        if not self._begun and piece.strip():
            self._begun, self._other = True, piece.lstrip()[:1] not in _BEGINS
        if self._other:
            return piece
        text = self._tail + piece
        slashes = len(text) - len(text.rstrip(b"\\"))
        self._tail = b"\\" if slashes % 2 else b""
        if self._tail:
            text = text[:-1]
        plain = text.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
        self._follow(plain.split(b'"'))
        return piece

    def _follow(self, parts: list[bytes]) -> None:
        for place, part in enumerate(parts):
            if place:
                self._inside = not self._inside
            if not self._inside:
                opened, closed = part.count(b"{") + part.count(b"["), part.count(b"}") + part.count(b"]")
                self._depth += opened - closed
        if self._depth < 0:
            raise BrokenOff("it is no JSON")

    def end(self) -> bytes:
        """Nothing. Raises BrokenOff where it is not whole."""
        if self._depth or self._inside or self._tail:
            raise BrokenOff("the JSON has no end")
        return b""


class Anything:
    """Bytes of whatever kind: whole where the connection says so."""

    records: int | None = None
    rest = b""

    def take(self, piece: bytes) -> bytes:
        return piece

    def end(self) -> bytes:
        return b""


Scan = Lines | Document | Anything


class Masked:
    """Takes credentials out of what passes by, also where one is cut between two pieces."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._overlap = max(mask.longest - 1, 0)
        self._held = b""

    def take(self, piece: bytes) -> bytes:
        found = self._mask.in_bytes(self._held + piece)
        cut = max(0, len(found) - self._overlap)
        self._held = found[cut:]
        return found[:cut]

    def end(self) -> bytes:
        held, self._held = self._held, b""
        return held
