"""The page for a privacy officer: every kind of data, with what the settings and the connections say of it now."""

import html

import pytest

from erasure.personal_data import MEMBERS, OPERATORS
from tests.conftest import MakeRelay
from tests.relay import Relay, member
from tests.sync.test_minimising import choose

PATH = "/settings/people"


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_everybody_who_is_signed_in_reads_all_of_it(relay: Relay, role: str) -> None:
    page = html.unescape(relay.sign_in(role).page(PATH))
    for one in (*MEMBERS, *OPERATORS):
        assert one.title[1:] in page
        assert one.why[1:] in page
        assert ", ".join(one.columns) in page
    assert "Nowhere: no destination is connected." in page


def test_a_stranger_reads_nothing(relay: Relay) -> None:
    assert relay.client.get(PATH).status_code == 302


def test_it_says_what_holds_now(make_relay: MakeRelay) -> None:
    relay = make_relay(retain_pages_days=12, retain_failures_days=0, retain_log_days=1)
    relay.refresh([member("ada", email="ada@example.org", plan="pro", seats=3), member("bob")])
    relay.refresh(["ada"], cohort="8")
    browser = relay.sign_in("viewer")
    page = browser.page(PATH)
    assert "12 days after the last page" in page
    assert "1 day after their end" in page
    assert "All fields are kept" in page
    assert "2 cohorts with 3 memberships" in page
    assert "plan, seats" in page
    assert "ada" not in page.replace("data", "")
    choose(relay, email="hash", keep=["email"])
    assert "Kept are email alone; e-mail is hashed" in browser.page(PATH)


def test_it_is_found_from_the_settings_and_by_the_search(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    assert f'href="{PATH}"' in browser.page("/settings")
    assert f'href="{PATH}"' in browser.submit("/search", {"q": "privacy"}).text
