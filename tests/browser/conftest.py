"""A real browser on a real server. Without Chromium these tests skip with their reason; in CI that is a failure."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import servers
from tests.browser import chromium, demo
from tests.failing.server import Server


@pytest.fixture(scope="session")
def running() -> Iterator[Browser]:
    found = chromium.path()
    if found is None:
        servers.missing("Chromium")
        return
    with chromium.browser(found) as browser:
        yield browser


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo's six weeks on a real server, with one operator a role."""
    with demo.served(tmp_path_factory.mktemp("shown")) as server:
        yield server


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Server]:
    """A relay that nobody has used yet, with its worker."""
    with demo.untouched(tmp_path) as server:
        yield server
