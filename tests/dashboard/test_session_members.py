"""Who is behind each number of a session."""

import re

import pytest
from sqlalchemy import text

from tests.relay import Browser, Relay
from tests.sync.statements import watched

KINDS = ("received", "entered", "left", "unchanged", "rejected")


def read(browser: Browser, session_id: int, kind: str) -> list[str]:
    """The distinct ids (or reasons) of a whole list, through all its pages."""
    found, path = [], f"/sessions/{session_id}/members/{kind}"
    while path:
        html = browser.page(path)
        found += re.findall(r'data-copy="([^"]+)"', html)
        found += re.findall(r'<th scope="row">([^<]+)</th>', html)
        following = re.search(r'href="([^"]+)" rel="next"', html)
        path = following[1].replace("&amp;", "&") if following else ""
    return found


def lists(relay: Relay, number: int | None = None, browser: Browser | None = None) -> dict[str, list[str]]:
    browser = browser or relay.sign_in("viewer")
    return {kind: sorted(read(browser, relay.session(number)["id"], kind)) for kind in KINDS}


def test_s14_the_lists_of_a_refresh_are_its_sets(relay: Relay) -> None:
    relay.refresh(["A", "B", "C"], session="before")
    relay.refresh(["A", "D"], 1, 2, session="s")
    relay.refresh(["B", "E", None, "null"], 2, 2, session="s")
    assert lists(relay) == {
        "received": ["A", "B", "D", "E"],
        "entered": ["D", "E"],
        "left": ["C"],
        "unchanged": ["A", "B"],
        "rejected": ["The id is one that mixpanel throws away", "There is no id"],
    }


def test_s14_the_lists_of_a_diff_are_its_sets(relay: Relay) -> None:
    relay.refresh(["A", "B"])
    relay.add(["A", "C"], session="add")
    relay.remove(["A", "X"], session="remove")
    relay.add(["A"], session="later")
    browser = relay.sign_in("viewer")
    added, removed = lists(relay, 2, browser), lists(relay, 3, browser)
    assert (added["received"], added["entered"], added["left"], added["unchanged"]) == (["A", "C"], ["C"], [], ["A"])
    assert (removed["received"], removed["left"], removed["unchanged"]) == (["A", "X"], ["A"], ["X"])


def test_every_list_is_as_long_as_its_number_through_all_its_pages(relay: Relay) -> None:
    everyone = [f"m{number:04}" for number in range(1200)]
    relay.refresh(everyone[:700], session="before")
    for page in range(6):
        relay.refresh([*everyone[300 + page * 150 : 450 + page * 150], *[None] * 25], page + 1, 6, session="s")
    session, found = relay.session(), lists(relay)
    assert session["rejected"] == len(found["rejected"]) == 150
    assert session["entered"] == len(found["entered"]) == 500
    assert session["left_count"] == len(found["left"]) == 300
    assert session["unchanged"] == len(found["unchanged"]) == 400
    assert session["received"] == len(found["received"]) + session["rejected"]
    assert found["received"] == everyone[300:]
    assert found["unchanged"] == everyone[300:700]
    assert found["left"] == everyone[:300]


@pytest.mark.slow
def test_a_list_of_many_small_and_empty_pages_goes_on(relay: Relay) -> None:
    for page in range(1, 251):
        relay.refresh([f"m{page}"] if page % 2 else [], page, 250)
    assert len(lists(relay)["received"]) == 125


def test_pages_without_a_number_are_read_as_well(relay: Relay) -> None:
    relay.refresh(["A"], page=None)
    relay.refresh(["B"], page=None)
    relay.settle()
    assert lists(relay)["received"] == ["A", "B"]


def test_pruned_pages_are_said_to_be_gone_and_the_log_stays(relay: Relay) -> None:
    relay.refresh(["A"])
    relay.database.write(lambda db: db.execute(text("DELETE FROM sync_page")))
    browser = relay.sign_in("viewer")
    path = f"/sessions/{relay.session()['id']}/members"
    assert "Not kept any more" in browser.page(f"{path}/received")
    assert read(browser, relay.session()["id"], "entered") == ["A"]


def test_an_empty_list_says_nobody(relay: Relay) -> None:
    relay.refresh(["A"])
    html = relay.sign_in("viewer").page(f"/sessions/{relay.session()['id']}/members/left")
    assert "Nobody left by this session." in html


def test_whatever_stands_in_the_url_is_answered(relay: Relay) -> None:
    relay.refresh(["A", None])
    browser, path = relay.sign_in("viewer"), f"/sessions/{relay.session()['id']}/members"
    for kind in KINDS:
        for place in ("after=x_y", f"after={9 * 10**17}_{9 * 10**17}&seen=-5", f"after={10**40}"):
            browser.page(f"{path}/{kind}?{place}")
    assert browser.get(f"{path}/everybody").status_code == 404


def test_member_data_is_in_no_link(relay: Relay) -> None:
    relay.refresh([{"mixpanel_distinct_id": "ada-1815", "email": "ada@example.org"}])
    html = relay.sign_in("viewer").page(f"/sessions/{relay.session()['id']}/members/received")
    assert "ada@example.org" in html
    assert not [link for link in re.findall(r'href="([^"]+)"', html) if "ada" in link]


def test_every_list_takes_few_statements(relay: Relay) -> None:
    relay.refresh([f"m{number}" for number in range(300)], session="1")
    relay.refresh([*(f"m{number}" for number in range(200)), "new", None], session="2")
    browser = relay.sign_in("viewer")
    for kind in KINDS:
        with watched(relay) as statements:
            browser.page(f"/sessions/{relay.session()['id']}/members/{kind}")
        assert len(statements) <= 12
