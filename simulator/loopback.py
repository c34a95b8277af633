"""The app behind a real HTTP server of this process, on a loopback port that nobody else has."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Writes no access log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: whoever plays thousands of pages does not want a line for each."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve, and yield the server's address; the server is gone afterwards."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
