"""The terminal of an app under test, and a real server for those commands that talk HTTP."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from config.settings import load
from tests.failing.server import Server
from tests.relay import Relay

Terminal = Callable[..., Result]


def terminal_of(app: Flask) -> Terminal:
    """What an operator types after `flask`: ``terminal("connections", "add", "crm")``."""

    def run(*words: Any) -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(args=[str(word) for word in words])

    return run


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server on SQLite, running."""
    one = Server(tmp_path_factory.mktemp("server"), "")
    one.prepare()
    one.start()
    one.wait_ready()
    yield one
    one.close()


@pytest.fixture
def beside(server: Server) -> Iterator[Flask]:
    """The app that the terminal beside the running server has: the same settings, the same database."""
    app = create_app(load(server.environment))
    yield app
    app.extensions["runtime"].database.dispose()


@pytest.fixture
def signals() -> Iterator[None]:
    """Puts the signal handlers back that a command has set."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
