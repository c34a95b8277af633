"""Answers that come packed, unpacked with flat memory; one that ends before its packing does is not whole.

The library that we call with unpacks as well, and takes a cut gzip for a whole one.
"""

import zlib
from collections.abc import Iterable, Iterator

CHUNK = 64 * 1024
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class Damaged(ValueError):
    """It cannot be unpacked, or has no end; the message says which."""


def unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the bytes as they were before Content-Encoding `encoding`. Raises Damaged, also midway."""
    kind = encoding.strip().lower()
    if kind in {"", "identity"}:
        yield from pieces
    elif kind in _WBITS:
        yield from _inflated(pieces, _WBITS[kind])
    else:
        raise Damaged("it came packed in a way that was not asked for")


def _inflated(pieces: Iterable[bytes], wbits: int) -> Iterator[bytes]:
    inflater, begun = zlib.decompressobj(wbits), False
    for piece in pieces:
        left = piece
        while left:
            if inflater.eof:
                inflater = zlib.decompressobj(wbits)  # one gzip behind another is one answer
            try:
                found = inflater.decompress(left, CHUNK)
            except zlib.error:
                raise Damaged("its packing is damaged") from None
            begun, left = True, inflater.unconsumed_tail or inflater.unused_data
            if found:
                yield found
            elif not inflater.eof and not inflater.unconsumed_tail:
                break
    if begun and not inflater.eof:
        raise Damaged("its packing has no end")
