"""The pages at a company's size: how many statements they make, how large they are, and that the ends of long lists
are as near as their beginnings. `make bench-pages` measures the same at a million members."""

import pytest

from benchmarks import company
from benchmarks.company import Company
from erasure.pii_columns import PII_COLUMNS
from tests.browser import places
from tests.relay import Browser, Relay
from tests.sync.statements import watched

pytestmark = pytest.mark.slow

MOST_STATEMENTS = 12
MOST_BYTES = 200_000
# Where there is nothing to decide on, or to show.
LEAD_ON = (
    "/held",
    "/rotated",
    "/tokens/made",
    "/operators/link",
    "/second-factor/codes",
    "/second-factor/remove",
    "/passkeys/begun",
    "/passkeys/new",
    "/sure",
    "/saved/new",
)
SMALL = Company(people=3_000, cohorts=40, small=100, failures=2_000)


@pytest.fixture
def browser(relay: Relay) -> Browser:
    url = relay.database.writer.url.render_as_string(hide_password=False).replace("+psycopg", "")
    company.fill(url, relay.clock(), SMALL)
    return relay.sign_in("admin")


def statements(relay: Relay, browser: Browser, path: str) -> list[str]:
    with watched(relay) as seen:
        assert browser.get(path).status_code == (302 if path.endswith(LEAD_ON) else 200), path
    return seen


def most_statements(path: str) -> int:
    """The question before an erasure looks into every place that may mention somebody, with a statement each, one for
    refused requests, one for what destinations were told, and one for which of them delete people."""
    return MOST_STATEMENTS + (len(PII_COLUMNS) + 3 if path.endswith("/erase") else 0)


def test_every_page_makes_at_most_twelve_statements(relay: Relay, browser: Browser) -> None:
    made = {path: statements(relay, browser, path) for path in places.pages(relay.app)}
    assert {path: found for path, found in made.items() if len(found) > most_statements(path)} == {}
    assert sum(map(len, made.values())) > len(made)


def test_no_page_is_larger_than_200_kb(relay: Relay, browser: Browser) -> None:
    sizes = {path: len(browser.get(path).data) for path in places.pages(relay.app)}
    assert {path: size for path, size in sizes.items() if size > MOST_BYTES} == {}


def test_f4_the_strip_of_ten_thousand_pages_is_under_100_kb(browser: Browser) -> None:
    page = browser.page("/sessions/1000000")
    assert len(page) < 100_000
    assert "31, 36, 10000" in page
