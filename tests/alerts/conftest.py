"""Operators' side of the channels: a web server and a mail server of this process, which keep what they are given."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """A webhook's receiver. `status` is what it answers; while `gate` is closed it keeps its callers waiting."""

    url: str = ""
    status: int = 200
    heard: list[Heard] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)  # somebody waits at the gate


@dataclass
class Post:
    """A mail server. `refuse` maps a command to the line that answers it; `said` is all that clients wrote."""

    port: int = 0
    offers: str = "8BITMIME"
    refuse: dict[str, str] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    known = Hook()
    known.gate.set()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.heard.append(Heard(self.path, dict(self.headers), body))
            known.busy.set()
            known.gate.wait(30)
            self.send_response(known.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    known.url = f"http://127.0.0.1:{server.server_port}"
    with _serving(server):
        yield known
        known.gate.set()


@pytest.fixture
def post() -> Iterator[Post]:
    known = Post()

    class Receiver(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def read(self) -> str:
            return self.rfile.readline().decode().rstrip("\r\n")

        def handle(self) -> None:
            self.say("220 post.example ESMTP")
            while (line := self.read()) and not line.upper().startswith("QUIT"):
                known.said.append(line)
                self.answer(line.split(" ", 1)[0].split(":")[0].upper(), line)
            self.say("221 bye")

        def answer(self, word: str, line: str) -> None:
            if word in known.refuse:
                self.say(known.refuse[word])
            elif word == "EHLO":
                self.say(f"250-post.example\r\n250-{known.offers}\r\n250 AUTH PLAIN")
            elif word == "AUTH":
                known.said.append(base64.b64decode(line.rsplit(maxsplit=1)[-1]).decode())
                self.say("235 welcome")
            elif word == "DATA":
                self.say("354 go on")
                known.mails.append("\n".join(iter(self.read, ".")))
                self.say("250 kept")
            else:
                self.say("250 fine")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Receiver) as server:
        known.port = server.server_address[1]
        with _serving(server):
            yield known
