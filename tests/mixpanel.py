"""Mixpanel's stand-in: a real HTTP server that remembers every call and answers what a test scripted, else as Mixpanel
would answer a call in order. Its address goes into MIXPANEL_BASE_URL."""

import gzip
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Call:
    """A request as it came; `body` is already gunzipped, `address` that of who called."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes
    address: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def family(self) -> str:
        return self.path.split("/")[1]

    @property
    def records(self) -> list[Any]:
        """The records of an ingestion call, whichever way they were written."""
        if self.headers.get("Content-Type", "").startswith("application/x-ndjson"):
            return [json.loads(line) for line in self.body.splitlines() if line.strip()]
        found = self.json
        return found if isinstance(found, list) else [found]


@dataclass(frozen=True)
class Answer:
    """What to answer. `after` seconds pass first; `drop` closes the socket instead of answering. `pieces` are sent in
    chunks as they come, instead of a body; a `cut` answer ends before its end."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0
    drop: bool = False
    pieces: Callable[[], Iterator[bytes]] | None = None
    cut: bool = False

    @property
    def bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Reply = Answer | Callable[[Call], Answer]


class Mixpanel:
    """`url` is the address, `calls` what came, `script(path, …)` what the next calls to a path are answered; the last
    scripted answer stays."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.calls: list[Call] = []
        self._scripts: dict[str, list[Reply]] = defaultdict(list)
        self._lock = threading.Lock()
        self._server = _Server((address, 0), _Handler)
        self._server.mixpanel = self
        self.url = f"http://{address}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def script(self, path: str, *replies: Reply) -> None:
        """`path` as it stands in the address: `/api/import`, `/query/engage`."""
        self._scripts[path] = list(replies)

    def forget(self) -> None:
        """Answer as Mixpanel would again."""
        self._scripts.clear()

    def to(self, path: str) -> list[Call]:
        """The calls that came to a path."""
        return [call for call in self.calls if call.path == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            script = self._scripts.get(call.path)
            reply = None if not script else script.pop(0) if len(script) > 1 else script[0]
        if reply is None:
            return in_order(call)
        return reply if isinstance(reply, Answer) else reply(call)


def in_order(call: Call) -> Answer:
    """What Mixpanel answers to a call that it likes."""
    end = call.path.partition("/")[2].partition("/")[2]
    if end == "import":
        return Answer(body={"code": 200, "num_records_imported": len(call.records), "status": "OK"})
    if end in {"track", "engage", "groups"} and call.family == "api":
        verbose = dict(call.query).get("verbose", "0") != "0"
        return Answer(body={"status": 1, "error": None} if verbose else "1")
    if end.startswith("lookup-tables"):
        return Answer(body={"code": 200, "status": "OK"} | ({"results": []} if call.method == "GET" else {}))
    if end == "export":
        return Answer(body="")
    if end == "engage":
        return Answer(body={"page": 0, "page_size": 1000, "results": [], "session_id": "s", "status": "ok", "total": 0})
    return Answer(body=[] if end in {"cohorts/list", "funnels/list", "events/names"} else {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    mixpanel: Mixpanel

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # whoever asked may have been killed
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body waits 40 ms until its headers have been acknowledged
    server: _Server

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # whoever called was killed amid it
            self.close_connection = True
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        parts = urlsplit(self.path)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        address = self.client_address[0]
        call = Call(self.command, parts.path, query, dict(self.headers.items()), body, address)
        answer = self.server.mixpanel.take(call)
        time.sleep(answer.after)
        if answer.drop:
            self.close_connection = True
            return
        self.send_response(answer.status)
        kind = "application/json" if not isinstance(answer.body, str | bytes) else "text/plain"
        for name, value in ({"Content-Type": kind} | answer.headers).items():
            self.send_header(name, value)
        with suppress(ConnectionError):  # whoever asked may have gone
            self._write_chunks(answer.pieces(), cut=answer.cut) if answer.pieces else self._write_body(answer)

    def _write_body(self, answer: Answer) -> None:
        content = answer.bytes
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) * 2 // 3] if answer.cut else content)
        self.close_connection = self.close_connection or answer.cut

    def _write_chunks(self, pieces: Iterator[bytes], *, cut: bool) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    do_HEAD = do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 - http.server's names

    def log_message(self, *_arguments: Any) -> None:
        return


@contextmanager
def stand_in(address: str = "127.0.0.1") -> Iterator[Mixpanel]:
    mixpanel = Mixpanel(address)
    try:
        yield mixpanel
    finally:
        mixpanel.close()
