"""A server that takes imports as fast as it can, and remembers which `$insert_id` it has seen, and how often.

`python -m benchmarks.import_server` prints its address. GET /seen answers calls, records and how many are different.
"""

import gzip
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_INSERT_ID = re.compile(rb'"\$insert_id":"([^"]+)"')


class Seen:
    """What came; `keep` says whether the ids are remembered, which costs time."""

    def __init__(self, *, keep: bool) -> None:
        self.keep = keep
        self.ids: set[bytes] = set()
        self.calls = self.records = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: Seen

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        found = _INSERT_ID.findall(body) if self.seen.keep else []
        many = len(found) if self.seen.keep else body.count(b'"$insert_id":')
        self.seen.calls += 1
        self.seen.records += many
        self.seen.ids.update(found)
        self._answer({"code": 200, "num_records_imported": many, "status": "OK"})

    def do_GET(self) -> None:
        self._answer({"calls": self.seen.calls, "records": self.seen.records, "different": len(self.seen.ids)})

    def _answer(self, found: dict[str, Any]) -> None:
        written = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_arguments: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed in the middle of a call: that is what is measured."""


def main() -> None:
    _Handler.seen = Seen(keep="--keep" in sys.argv)
    server = _Server(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
