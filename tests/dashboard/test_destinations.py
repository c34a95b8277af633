"""Destinations in the dashboard: connected, seen, changed, checked, paused and removed."""

import html
import json
import re

import pytest

from destinations import destinations, registry
from tests.dashboard import relayed
from tests.destinations import sets_and_streams
from tests.relay import MINUTE, Browser, Relay

GIVEN = {"type": "webhook", "name": "crm-hook", "set.url": "https://hooks.example.com/in", "set.batch": "20"}
POLLS = 'hx-trigger="every 2s"'


def plain(page: str) -> str:
    """A page's text as it is read."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def secret_in(page: str) -> str:
    found = re.search(r"data-secret>.*?<code>([^<]+)</code>", page, re.DOTALL)
    assert found is not None
    return found.group(1)


def connected(browser: Browser, **more: str) -> tuple[int, str]:
    """Connect a webhook by its form; return its id and the page that follows."""
    answer = browser.submit("/destinations/new", GIVEN | more)
    assert answer.status_code == 200
    name = (GIVEN | more)["name"]
    known = browser.relay.database.read(lambda db: destinations.by_name(db, name))
    assert known is not None
    return known.id, answer.text


def noted(relay: Relay) -> list[tuple[str, str, str]]:
    found = relay.rows("SELECT who, action, subject FROM audit_entry WHERE action LIKE 'destination.%' ORDER BY id")
    return [(row["who"], row["action"], row["subject"]) for row in found]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in sets_and_streams.TYPES:
        monkeypatch.setitem(registry.TYPES, kind.name, kind)


# --- the list


def test_without_a_destination_the_list_leads_to_a_new_one(relay: Relay) -> None:
    assert 'href="/destinations/new"' in relay.sign_in("operator").page("/destinations")
    assert "/destinations/new" not in relay.sign_in("viewer").page("/destinations")


def test_the_list_says_how_each_stands_in_a_sentence(relay: Relay) -> None:
    relay.refresh(["ada"])
    relayed.connect(relay.app)
    paused = relayed.connect(relay.app, "later")
    relayed.change(relay.app, "destination", paused, status="paused", cause="hand", reason="moving", paused_at=1)
    relayed.message(relay.app, relayed.subscribe(relay.app), "ada", "waiting")
    page = plain(relay.sign_in("viewer").page("/destinations"))
    assert "1 message is on the way." in page
    assert "moving" in page
    assert "Paused" in page


@pytest.mark.parametrize(
    ("columns", "word", "says"),
    [
        (
            {"status": "paused", "cause": "credentials", "reason": "401"},
            "Stopped",
            "take our credentials: 401",
        ),
        ({"status": "paused", "cause": "gone", "reason": "410"}, "Stopped", "is gone: 410"),
        ({"failing_since": 1, "failures": 3}, "Having trouble", "3 calls in a row have failed"),
        ({"wait_until": 2**52}, "Asked to wait", "It asked us to wait"),
        ({"status": "draining"}, "Being removed", "then it goes"),
        ({"type": "gone-type"}, "Unknown type", "knows no type gone-type"),
        ({}, "Nothing goes there yet", "Choose a cohort"),
    ],
)
def test_a_destination_says_what_is_wrong_and_what_happens_next(relay: Relay, columns, word, says) -> None:
    number = relayed.connect(relay.app)
    if columns:
        relayed.change(relay.app, "destination", number, **columns)
    page = plain(relay.sign_in("admin").page(f"/destinations/{number}"))
    assert word in page
    assert says in page


def test_what_could_have_gone_long_ago_is_said_to_be_behind(relay: Relay) -> None:
    relay.refresh(["ada"])
    number = relayed.connect(relay.app)
    relayed.message(relay.app, relayed.subscribe(relay.app), "ada", "waiting")
    browser = relay.sign_in("viewer")
    assert "Behind" not in browser.page(f"/destinations/{number}")
    relay.clock.forward(11 * MINUTE)
    assert "Behind" in browser.page(f"/destinations/{number}")


# --- a new one


def test_the_form_is_made_from_the_types_description(relay: Relay, types: None) -> None:
    browser = relay.sign_in("operator")
    assert "?type=webhook" in browser.page("/destinations/new")
    page = browser.page("/destinations/new?type=webhook")
    for name in ("set.url", "set.batch", "set.rate", "set.retry_seconds"):
        assert f'name="{name}"' in page
    assert 'name="set.secret"' not in page, "we make it"
    assert "5, 300, 1800" in page
    assert 'name="set.KEY"' in browser.page("/destinations/new?type=set")


def test_a_new_webhook_shows_its_secret_once(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    number, page = connected(browser)
    secret = secret_in(page)
    assert secret.startswith("whsec_")
    for path in (f"/destinations/{number}", f"/destinations/{number}/change", "/destinations", "/audit"):
        assert secret not in browser.page(path)
    assert noted(relay) == [("operator@example.org", "destination.add", "crm-hook")]


def test_a_form_that_is_refused_says_why_at_the_fields_and_keeps_what_was_typed(relay: Relay, types: None) -> None:
    browser = relay.sign_in("operator")
    answer = browser.post("/destinations/new", GIVEN | {"name": "Not A Name", "set.batch": "5000", "set.rate": "fast"})
    assert answer.status_code == 422
    page = answer.text
    assert page.count('aria-invalid="true"') == 3
    for kept in ("Not A Name", "https://hooks.example.com/in", "5000", "fast"):
        assert f'value="{kept}"' in page
    assert '<details class="more-settings" open>' in page
    refused = {"type": "set", "name": "Not A Name", "set.url": "https://a.example", "set.KEY": "planted-key"}
    answer = browser.post("/destinations/new", refused)
    assert "planted-key" not in answer.text
    assert "Type the secrets once more" in answer.text


def test_a_name_that_is_taken_is_said_so(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    connected(browser)
    answer = browser.post("/destinations/new", GIVEN)
    assert answer.status_code == 422
    assert "There already is a destination crm-hook." in answer.text


def test_no_type_of_that_name_leads_back_to_the_choice(relay: Relay) -> None:
    answer = relay.sign_in("operator").submit("/destinations/new", GIVEN | {"type": "fax"})
    assert "?type=webhook" in answer.text


# --- what is done to it


def test_a_change_keeps_what_was_not_typed(relay: Relay, types: None) -> None:
    browser = relay.sign_in("operator")
    number, _page = connected(browser, type="set", **{"set.url": "https://a.example", "set.KEY": "kept-key"})
    page = browser.page(f"/destinations/{number}/change")
    assert "One is kept" in page
    assert "kept-key" not in page
    answer = browser.submit(f"/destinations/{number}/change", {"set.url": "https://b.example", "set.batch": "7"})
    assert "https://b.example" in answer.text
    known = relay.database.read(lambda db: destinations.by_id(db, number))
    assert known is not None
    cipher = relay.app.extensions["runtime"].cipher
    assert known.live_secrets(cipher, relay.clock())["KEY"] == ["kept-key"]
    assert browser.post(f"/destinations/{number}/change", {"set.batch": "none"}).status_code == 422
    (said,) = relay.rows("SELECT after FROM audit_entry WHERE action = 'destination.change'")
    after = json.loads(said["after"]) if isinstance(said["after"], str) else said["after"]
    assert {name: after.get(name) for name in ("url", "batch")} == {"url": "https://b.example", "batch": "7"}
    assert "kept-key" not in str(after)


def test_a_check_tells_what_it_found_and_changes_nothing(relay: Relay, types: None) -> None:
    browser = relay.sign_in("operator")
    number, _page = connected(browser, type="hook", **{"set.url": "https://a.example", "set.batch": ""})
    assert "It answers." in browser.submit(f"/destinations/{number}/check").text
    sets_and_streams.far_end("crm-hook").checked = False
    try:
        failed = browser.submit(f"/destinations/{number}/check").text
        assert "The check failed. It does not let us in." in failed
        assert 'class="note needs-you" role="status"' in failed
        fragment = browser.post(f"/destinations/{number}/check", headers={"HX-Request": "true"}).text
        assert fragment.lstrip().startswith('<div id="checked"')
    finally:
        sets_and_streams.FAR_ENDS.clear()


def test_a_rotated_secret_is_shown_once_and_the_old_one_stays_for_a_time(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    number, page = connected(browser)
    rotated = browser.post(f"/destinations/{number}/rotate")
    shown = browser.page(rotated.location)
    assert secret_in(shown) != secret_in(page)
    assert "stays live for 1 d" in plain(shown)
    again = browser.client.get(rotated.location, follow_redirects=True)
    assert "A secret is shown once" in again.text
    assert secret_in(shown) not in again.text


def test_a_pause_keeps_its_reason_and_a_resume_goes_on(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    number, _page = connected(browser)
    page = browser.submit(f"/destinations/{number}/pause", {"reason": "they move house"}).text
    assert "they move house" in page
    assert "Resume" in page
    assert "Nothing goes there yet" in browser.submit(f"/destinations/{number}/resume").text
    actions = [action for _who, action, _subject in noted(relay)]
    assert actions == ["destination.add", "destination.pause", "destination.resume"]


def test_removing_says_what_is_lost_and_asks_what_becomes_of_the_rest(relay: Relay, types: None) -> None:
    relay.refresh(["ada", "bob"])
    number = relayed.connect(relay.app, "crm-set", "set")
    subscription = relayed.subscribe(relay.app, "crm-set")
    relayed.message(relay.app, subscription, "ada", "applied")
    relayed.held_there(relay.app, subscription, "ada")
    browser = relay.sign_in("operator")
    page = plain(browser.page(f"/destinations/{number}/remove"))
    assert "the history of 1 message" in page
    assert "Paying users" in page
    assert "Take out all 1." in page
    browser.submit(f"/destinations/{number}/remove", {"way": "drain"})
    assert relay.rows("SELECT status FROM subscription") == [{"status": "draining"}]
    assert "Being removed" in browser.page(f"/destinations/{number}")


def test_viewers_look_and_change_nothing(relay: Relay) -> None:
    number = relayed.connect(relay.app)
    browser = relay.sign_in("viewer")
    page = browser.page(f"/destinations/{number}")
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    for act in ("pause", "resume", "remove", "check", "rotate", "change"):
        assert browser.post(f"/destinations/{number}/{act}").status_code == 403


def test_the_part_that_refreshes_asks_again_only_while_something_is_under_way(relay: Relay) -> None:
    relay.refresh(["ada"])
    number = relayed.connect(relay.app)
    subscription = relayed.subscribe(relay.app)
    browser = relay.sign_in("viewer")
    assert POLLS not in browser.page(f"/destinations/{number}/now")
    relayed.message(relay.app, subscription, "ada", "waiting")
    assert POLLS in browser.page(f"/destinations/{number}/now")
    assert "<html" not in browser.page(f"/destinations/{number}/now")
    relayed.change(relay.app, "destination", number, status="paused", cause="hand")
    assert POLLS not in browser.page(f"/destinations/{number}/now"), "it waits for a person"
    relayed.change(relay.app, "destination", number, cause="failing", probe_at=relay.clock() + MINUTE)
    assert POLLS in browser.page(f"/destinations/{number}/now")
    assert POLLS in browser.page(f"/destinations/subscriptions/{subscription}/now")


def test_the_latest_calls_stand_with_their_answers_and_the_budget(relay: Relay) -> None:
    relay.refresh(["ada"])
    number = relayed.connect(relay.app)
    subscription = relayed.subscribe(relay.app)
    call = relayed.attempt(relay.app, subscription, [relayed.message(relay.app, subscription, "ada")], answer="thanks")
    relayed.attempt(relay.app, subscription, [], "unavailable", status=503, answer="down")
    page = relay.sign_in("viewer").page(f"/destinations/{number}")
    assert f"/destinations/subscriptions/{subscription}/attempts/{call}" in page
    for said in ("thanks", "down", "503", "2 calls in the last minute, 2,998 left of its 3,000"):
        assert said in plain(page)
