"""An instant far end: takes every call, and remembers how many changes came, and how late.

`python -m benchmarks.destinations.far_end` prints its address. GET answers `changes` and `p99` of their seconds from
the commit of a page to here (where a change has a timestamp), and forgets both. GET of `/live-N` answers whether
somebody of this id has come in a list.
"""

import json
import re
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

_CHANGE = re.compile(rb'"type":"cohort\.member\.[a-z]+","timestamp":"([^"]+)"')
LISTED = re.compile(rb'"ids":\[([^\]]*)\]')
LIVE = re.compile(rb'"(live-[0-9]+)"')


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    delays: list[float] = []  # noqa: RUF012 - of the process, as is the class
    others = 0
    live: set[str] = set()  # noqa: RUF012

    def do_POST(self) -> None:
        body, now = self.rfile.read(int(self.headers["Content-Length"])), time()
        if found := _CHANGE.findall(body):
            self.delays.extend(now - datetime.fromisoformat(moment.decode()).timestamp() for moment in found)
        elif listed := LISTED.search(body):
            type(self).others += listed[1].count(b",") + 1
            self.live.update(one.decode() for one in LIVE.findall(listed[1]))
        self._answer({})

    def do_GET(self) -> None:
        if self.path != "/":
            self._answer({"there": self.path.removeprefix("/") in self.live})
            return
        ordered = sorted(self.delays)
        late = ordered[len(ordered) * 99 // 100] if ordered else None
        self._answer({"changes": len(ordered) + self.others, "p99": late})
        self.delays.clear()
        type(self).others = 0

    def _answer(self, found: dict[str, Any]) -> None:
        written = json.dumps(found).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(written)}\r\n\r\n"
        self.wfile.write(head.encode() + written)

    def log_message(self, *_arguments: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def main() -> None:
    server = _Server(("127.0.0.1", 0), _Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
