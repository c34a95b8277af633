"""Where calls do not go to Mixpanel, every page of sending says so; the questions before something is destroyed too."""

import pytest

from tests.browser import places
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.conftest import add_project
from tests.outbound.test_import_pages import EVENTS, lines, upload
from tests.relay import Browser, Relay

WARNING = "Nothing here reaches Mixpanel."
DELETE = {"operation": "delete-profile", "project": "prod", "p.$distinct_id": "u1"}
ADD = {"operation": "profile-numerical-add", "project": "prod", "p.$distinct_id": "u1", "k.$add": "n", "v.$add": "1"}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    """An admin; there is one of everything that has a page of its own."""
    one = relay.sign_in("admin")
    relay.refresh(["m1"], project="2891273", cohort="42")
    upload(one, lines(*EVENTS))
    one.post("/send", ADD)
    one.post("/send/comparisons", {"cohort": "1", "project": "prod", "way": "count"})
    return one


def pages_of(relay: Relay) -> list[str]:
    """Every page of sending, with real ids."""
    found = relay.database.read(places.samples)
    known = [rule for rule in places.rules(relay.app, "GET") if rule.endpoint.startswith("outbound.")]
    paths = [*(path for rule in known for path in places.filled(rule, found)), *places.COMPOSERS]
    none = (
        *places.FRAGMENTS,
        *places.DOWNLOADS,
        *places.FOR_PROXIES,
        "/sure",
        "/saved/new",
    )  # the last leads away without a request to save
    return [path for path in paths if not path.endswith(none)]


def test_every_page_warns(relay: Relay, browser: Browser) -> None:
    paths = pages_of(relay)
    assert len(paths) >= 18
    assert [path for path in paths if WARNING not in browser.get(path).text] == []


def test_every_question_warns(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    mixpanel.script("/api/engage", Answer(503, ""))
    uncertain = browser.post("/send", ADD).location
    for question in (browser.submit("/send", DELETE), browser.submit(f"{uncertain}/again")):
        assert WARNING in question.text
        assert 'name="sure"' in question.text


def test_in_earnest_no_page_warns_and_the_composer_says_that_it_is_real(make_relay) -> None:
    relay = make_relay()
    add_project(relay)
    browser = relay.sign_in("operator")
    page = browser.get("/send?operation=track-event").text
    assert "what it sends stays in the real project prod" in page
    assert WARNING not in page
