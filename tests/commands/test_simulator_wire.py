"""How the simulator reaches a relay."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from simulator import run, wire


class Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_values: object) -> None:
        pass


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_this_machine_is_reached_without_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with HTTPServer(("127.0.0.1", 0), Fine) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            run.await_server(f"http://127.0.0.1:{server.server_port}", 0)
        finally:
            server.shutdown()
            thread.join()


def test_another_machine_is_reached_as_the_environment_says() -> None:
    assert wire.session("https://relay.example").trust_env
    assert not any(wire.session(url).trust_env for url in ("http://localhost:8000", "http://[::1]:8000"))
