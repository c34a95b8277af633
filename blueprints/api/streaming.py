"""A long answer handed on while it comes: one thread reads Mixpanel, the other writes to whoever asked."""

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event

import structlog
from flask import Response, send_file

from blueprints.api import idempotency
from blueprints.api.idempotency import Begun
from blueprints.api.replies import Problem
from outbound import deliveries, send
from outbound.deliveries import Delivery
from outbound.downloads import progress as downloads
from outbound.downloads.errors import Cancelled
from outbound.downloads.file_names import name_of
from outbound.downloads.folder import folder_of
from outbound.downloads.progress import Download
from outbound.downloads.targets import BROKEN, StreamTarget
from outbound.send import PreparedCall
from outbound.transport.attempts import Outcome
from runtime import current_runtime

log = structlog.get_logger()

AHEAD = 16  # pieces that may wait for the reader
WAIT = 1.0  # seconds after which it is looked whether anybody is still there


class Line:
    """Pieces on their way from the one thread to the other, and the end."""

    def __init__(self) -> None:
        self._pieces: Queue[bytes | None] = Queue(AHEAD)
        self.left = Event()  # the reader has gone
        self.outcome: Outcome | None = None

    def put(self, piece: bytes | None) -> None:
        """Raises Cancelled where nobody reads any more."""
        while not self.left.is_set():
            try:
                return self._pieces.put(piece, timeout=WAIT)
            except Full:
                continue
        raise Cancelled("nobody reads it any more")

    def end(self, outcome: Outcome | None) -> None:
        """Say what came of it."""
        self.outcome = outcome
        try:
            self.put(None)
        except Cancelled:
            log.info("send.reader_left")

    def take(self) -> bytes | None:
        """The next piece; None at the end."""
        return self._pieces.get()


def answer(begun: Begun) -> Response:
    """The reply that hands it on. Raises Problem (502)."""
    line, delivery = Line(), begun.delivery
    begun.finish_behind(StreamTarget(line.put), line.end)
    first = line.take()
    if first is None and (line.outcome is None or line.outcome.verdict != "accepted"):
        words = line.outcome.words if line.outcome else "The call broke off. The log says how."
        raise Problem(502, f"Delivery {delivery}: {words}"[:300])
    response = Response(_pieces(first, line), mimetype=_type_of(begun.call))
    response.call_on_close(line.left.set)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Delivery"] = str(delivery)
    return response


def again(delivery: int) -> Response:
    """What an earlier call of the same name has kept. Raises Problem (410)."""
    runtime = current_runtime()
    call, found = runtime.database.read(lambda db: (deliveries.by_id(db, delivery), downloads.of(db, delivery)))
    if call is not None and call.verdict is None:
        content, status, headers = idempotency.told(delivery)
        return Response(content, status, headers, mimetype="application/json")
    if call is None or found is None or not folder_of(runtime).file(found.file or ""):
        raise Problem(
            410, f"Delivery {delivery} was this call, and its answer is not kept. Give another one a new name."
        )
    response = kept(call, found)
    response.headers["X-Delivery"] = str(delivery)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _type_of(call: PreparedCall) -> str:
    kind = call.composed.operation.answer
    lines = kind == "ndjson" or send.wants_every(call)
    return "application/x-ndjson" if lines else "application/json" if kind == "json" else "application/octet-stream"


def _pieces(first: bytes | None, line: Line) -> Iterator[bytes]:
    piece = first
    while piece is not None:
        yield piece
        piece = line.take()
    if line.outcome is None or line.outcome.verdict != "accepted":
        yield BROKEN


def kept(delivery: Delivery, found: Download | None) -> Response:
    """The file of an answer. Raises Problem (404)."""
    path = folder_of(current_runtime()).file(found.file or "") if found is not None and found.state else None
    if found is None or path is None:
        raise Problem(404, "The whole answer of this call is not at hand (any more).")
    response = send_file(path, "application/octet-stream", True, name_of(delivery, found), etag=False)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Whole"] = "yes" if found.state == "whole" else "no"
    return response
