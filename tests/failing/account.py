"""What the dashboard says afterwards, in words."""

from app import create_app
from config.clock import now
from config.settings import load
from tests.failing.server import Server
from tests.relay import Relay, TestClock


class Account:
    """The pages of an operator who looks at the database of `server`, beside it."""

    def __init__(self, server: Server) -> None:
        self._relay = Relay(create_app(load(server.environment)), TestClock(now()), name="beside")
        self._viewer = self._relay.sign_in("viewer")

    def page(self, path: str) -> str:
        """The words of a page, without its tags' spaces."""
        return " ".join(self._viewer.page(path).split())

    def close(self) -> None:
        self._relay.database.dispose()


def assert_tells_of_the_outage(server: Server, refused: int) -> None:
    """The overview says that all is well again; the failures, what was refused, why, and what Mixpanel does."""
    account = Account(server)
    overview, failures = account.page("/"), account.page("/failures")
    account.close()
    assert "needs you" not in overview
    assert "Over: Mixpanel's next call came through" in overview
    assert f'<strong class="needs-you">{refused}</strong> refused' in overview
    assert "The database did not answer" in failures
    assert "Over: Mixpanel's next call came through" in failures
