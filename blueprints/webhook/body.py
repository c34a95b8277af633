"""Reading the body: never more than the cap, also while gunzipping (P32)."""

import zlib

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from blueprints import unread_body
from sync.contract.page import Refused

CHUNK = 256 * 1024
GZIP = 16 + zlib.MAX_WBITS


def read(request: Request, cap: int) -> bytes:
    """The body, gunzipped if it says so.

    Raises Refused where it is over `cap` bytes or cannot be unpacked, RequestTimeout where the connection was cut
    before all of it was here: Mixpanel did not hear us, and sends the page again.
    """
    if (request.content_length or 0) > cap:
        unread_body.discard(request, cap)
        raise _too_large(cap)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"identity", ""}:
        return _plain(request, cap)
    if encoding in {"gzip", "x-gzip"}:
        return _gunzipped(request, cap)
    raise Refused("unknown_encoding", "Content-Encoding must be gzip, or absent.")


def _plain(request: Request, cap: int) -> bytes:
    if request.content_length is not None:
        body = _chunk(request, request.content_length)
        if len(body) == request.content_length:
            return body
        parts = [body]
    else:
        parts = []
    size = sum(map(len, parts))
    while chunk := _chunk(request, CHUNK):
        size += len(chunk)
        if size > cap:
            raise _too_large(cap)
        parts.append(chunk)
    if size < (request.content_length or 0):
        raise RequestTimeout
    return b"".join(parts)


def _gunzipped(request: Request, cap: int) -> bytes:
    unpacker = zlib.decompressobj(GZIP)
    parts: list[bytes] = []
    size = packed = 0
    try:
        while chunk := _chunk(request, CHUNK):
            packed += len(chunk)
            while chunk:
                if unpacker.eof:  # a gzip file may have several parts
                    unpacker = zlib.decompressobj(GZIP)
                parts.append(unpacker.decompress(chunk, cap + 1 - size))
                size += len(parts[-1])
                if size > cap or packed > cap:
                    raise _too_large(cap)
                chunk = unpacker.unused_data or unpacker.unconsumed_tail
    except zlib.error:
        raise Refused("not_gzip", "Content-Encoding says gzip, but the body cannot be gunzipped.") from None
    if packed < (request.content_length or 0):
        raise RequestTimeout
    if packed and not unpacker.eof:
        raise Refused("not_gzip", "The gzipped body is cut short.")
    return b"".join(parts)


def _chunk(request: Request, size: int) -> bytes:
    try:
        data: bytes = request.stream.read(size)
    except ClientDisconnected:
        return b""
    return data


def _too_large(cap: int) -> Refused:
    return Refused("too_large", f"The body is larger than {cap // (1024 * 1024)} MB; send fewer members a page.")
