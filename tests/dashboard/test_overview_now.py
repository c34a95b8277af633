"""What the overview says of what is under way, in the part that refreshes itself."""

from blueprints.dashboard.overview import routes
from config.clock import SECOND
from tests.conftest import MakeRelay
from tests.dashboard.test_overview import now, sentence
from tests.dashboard.test_people import words
from tests.relay import Relay


def test_a_live_session_shows_how_far_it_is(relay: Relay) -> None:
    for page_number in (1, 2, 3):
        relay.refresh([f"{page_number} {one}" for one in range(100)], page=page_number, total=10)
        relay.clock.forward(2 * SECOND)
    page = now(relay.sign_in("viewer"))
    assert sentence(page) == ("working", "The one cohort is being received.")
    assert '<progress class="progress" value="3" max="10" aria-label="Pages of Paying users">' in page
    assert "page 3 of 10 · 50 members/s · done in about 14 s" in words(page)
    assert f'href="/sessions/{relay.session()["id"]}"' in page


def test_a_settling_session_says_when_it_is_done(relay: Relay) -> None:
    relay.refresh(["A"], page=None)
    assert "Settling done in 2 min unless another page comes" in words(now(relay.sign_in("viewer")))


def test_a_sweeping_session_says_what_it_does(make_relay: MakeRelay) -> None:
    relay = make_relay(sweep_inline_members=1)
    relay.refresh(["A", "B", "C"], session="all")
    relay.settle()
    relay.refresh(["A", "B"], session="few")
    assert "all pages are here; removing those who left" in words(now(relay.sign_in("viewer")))


def test_it_looks_more_often_while_something_is_live(relay: Relay) -> None:
    relay.refresh(["A"], page=1, total=2)
    browser = relay.sign_in("viewer")
    assert 'hx-get="/overview/now" hx-trigger="every 2s" hx-swap="outerMorph"' in now(browser)
    relay.refresh(["B"], page=2, total=2)
    assert 'hx-trigger="every 15s"' in now(browser)
    assert 'id="now"' in now(browser)


def test_the_fragment_is_the_part_of_the_page(relay: Relay) -> None:
    relay.refresh(["A"], page=1, total=2)
    browser = relay.sign_in("viewer")
    fragment = now(browser)
    assert "<html" not in fragment
    assert words(fragment) in words(browser.page("/"))


def test_many_live_sessions_are_cut_and_the_rest_counted(relay: Relay) -> None:
    for number in range(routes.MOST_LIVE + 2):
        relay.refresh(["A"], page=1, total=10, cohort=str(number))
    page = now(relay.sign_in("viewer"))
    assert page.count("<progress") == routes.MOST_LIVE
    assert "and 2 more sessions" in words(page)
