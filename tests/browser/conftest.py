"""A real browser on a real server. Without Chromium these tests skip with their reason; in CI that is a failure."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.browser import chromium, demo
from tests.browser.watch import Watched
from tests.conftest import made_once
from tests.failing.server import ROOT, Server
from tests.mixpanel import Mixpanel, stand_in


@pytest.fixture(scope="session", autouse=True)
def set_up() -> None:
    """What pages load from static/vendor has been installed: after a change of the packages set-up is run again."""
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "css").rglob("*.css")]
    named = {name for path in sources for name in re.findall(r"vendor/([\w.-]+\w)", path.read_text())}
    lacking = sorted(name for name in named if not (ROOT / "static" / "vendor" / name).exists())
    assert not lacking, f"static/vendor lacks {', '.join(lacking)}: run make setup"


@pytest.fixture(scope="session")
def running() -> Iterator[Watched]:
    found = chromium.path()
    if found is None:
        servers.missing("Chromium")
        return
    with chromium.browser(found) as browser:
        yield Watched(browser)


@pytest.fixture(autouse=True)
def silence(running: Watched) -> Iterator[None]:
    """Fails any test in whose browser something went wrong that it has not declared by `expects`."""
    running.begin()
    yield
    wrong = running.unexpected()
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def expects(running: Watched) -> Callable[[str], None]:
    return running.expects


@pytest.fixture(scope="session")
def shown(played_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo's six weeks on a real server, with one operator a role."""

    def fill(folder: Path) -> None:
        shutil.copytree(played_demo, folder, dirs_exist_ok=True)
        demo.fill(folder)

    filled = made_once(tmp_path_factory, "shown", fill)
    with demo.served(filled, tmp_path_factory.mktemp("shown")) as server:
        yield server


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Server]:
    """A relay that nobody has used yet, with its worker."""
    with demo.untouched(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def mixpanel() -> Iterator[Mixpanel]:
    with stand_in() as found:
        yield found


@pytest.fixture(scope="module")
def sending(mixpanel: Mixpanel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A relay whose only project is `practice`, and an operator of each role."""
    more = {"MIXPANEL_BASE_URL": mixpanel.url, "SEND_PAUSE_SECONDS": "0"}
    with demo.untouched(tmp_path_factory.mktemp("sending"), more) as server:
        app = demo.app_of(server)
        demo.add_operators(app)
        demo.add_practice(app)
        app.extensions["runtime"].database.dispose()
        yield server


@pytest.fixture(scope="module")
def signed_in(running, sending: Server):
    """Sign in once, and keep the cookie for all tests."""
    context = chromium.context_of(running)
    chromium.sign_in(context, sending.url, demo.email_of("operator"), demo.PASSWORD)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def admin_page(request: pytest.FixtureRequest, running, sending: Server):
    """A page of an admin's of `sending`; `live` says whether scripts run."""
    context = chromium.context_of(running, java_script_enabled=request.param)
    chromium.sign_in(context, sending.url, demo.email_of("admin"), demo.PASSWORD)
    one = context.new_page()
    one.live = request.param
    yield one
    context.close()
