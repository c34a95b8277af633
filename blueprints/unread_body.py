"""What a caller has still to send when it is refused. Thrown away instead of left: a proxy that can't hand it on takes
the connection for broken, and answers 502 in the place of our answer."""

from contextlib import suppress

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

CHUNK = 256 * 1024
SLACK = 1024 * 1024  # bytes; proxies let a little more through than we take


def discard(request: Request, most: int) -> None:
    """Read to the end of a body of at most `most` bytes, and a little more; leave a longer one. Only for callers who
    may send it: nobody else's body is waited for."""
    left = request.content_length or 0
    if left > most + SLACK:
        return
    with suppress(ClientDisconnected, RequestEntityTooLarge):
        while left > 0 and (chunk := request.stream.read(min(left, CHUNK))):
            left -= len(chunk)
