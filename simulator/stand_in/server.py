"""The stand-in's HTTP: reads a call as Mixpanel would, and writes the answer."""

import base64
import binascii
import gzip
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from simulator.stand_in.answers import Call, Mixpanel
from simulator.stand_in.receiver import PATH, Receiver

Told = Callable[[str], None]


class Server(ThreadingHTTPServer):
    """Serves `mixpanel`, and a receiver for destinations where one is given; `told` hears one line a call: method, path
    and status, never what was in it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], mixpanel: Mixpanel, told: Told, receiver: Receiver | None = None
    ) -> None:
        super().__init__(address, Handler)
        self.receiver = receiver
        self.mixpanel = mixpanel
        self.told = told


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_call(self) -> None:
        call = self._read()
        try:
            status, answer = self._answered(call)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            status, answer = 400, {"error": f"cannot be read ({type(error).__name__})", "status": "error"}
        self.server.told(f"{call.method} {call.path} {status}")
        body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        page = isinstance(answer, str) and answer.startswith("<!doctype html>")
        kind = "text/html" if page else "text/plain" if isinstance(answer, str) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if call.method != "HEAD":
            self.wfile.write(body)

    def _answered(self, call: Call) -> tuple[int, Any]:
        receiver = self.server.receiver
        if receiver is not None and call.path.startswith(PATH):
            headers = {name.lower(): value for name, value in self.headers.items()}
            return receiver.answer(call.method, call.path, headers, call.text)
        return self.server.mixpanel.answer(call)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_call  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Nothing: `told` has heard of it."""

    def _read(self) -> Call:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        parts = urlsplit(self.path)
        kind = self.headers.get("Content-Type", "")
        text = body.decode("utf-8", "replace")
        form = dict(parse_qsl(text, keep_blank_values=True)) if kind.startswith("application/x-www-form") else {}
        records = _records(text, kind, form)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Call(self.command, parts.path, query, form, records, text, self._user())

    def _user(self) -> str:
        """Return who signs in, empty where nobody does."""
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[0] if scheme == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            return ""


def _records(text: str, kind: str, form: dict[str, str]) -> Any:
    """Return the body as JSON; None where it is none."""
    try:
        if kind.startswith("application/x-ndjson"):
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return json.loads(form.get("data", text))
    except ValueError:
        return None
