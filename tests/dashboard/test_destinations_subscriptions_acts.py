"""What is done to a subscription: tested, sent again, decided, paused, removed, compared."""

import pytest

from tests.dashboard import relayed
from tests.dashboard.test_destinations import plain
from tests.dashboard.test_destinations_subscriptions import address, noted, operator_of_three, started
from tests.destinations import sets_and_streams
from tests.relay import Browser, Relay


@pytest.fixture
def browser(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return operator_of_three(relay, monkeypatch)


def test_a_test_is_a_real_call_with_one_chosen_person(browser: Browser) -> None:
    number = started(browser, start="now")
    path = f"/destinations/subscriptions/{number}/test"
    assert "This is a real call." in browser.page(path)
    page = plain(browser.submit(path, {"distinct_id": "ada-12345678"}).text)
    assert "Applied" in page
    assert "one chosen person, as a test" in page
    assert [heard[1] for heard in sets_and_streams.far_end("hook").heard] == ["ada@example.org"]
    assert noted(browser.relay)[-1] == ("subscription.test", "hook: 1/7")
    for nobody, said in (("", "Say who"), ("zoe", "Nobody has this distinct id"), ("bob-12345678", "no identity")):
        answer = browser.post(path, {"distinct_id": nobody})
        assert answer.status_code == 422
        assert said in answer.text


def test_what_was_rejected_is_grouped_by_reason_and_sent_again_after_its_number_was_said(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    for entry in (1, 2, 3):
        relayed.message(app, number, "ada-12345678", "rejected", reason="http_422", entry_number=entry)
    relayed.message(app, number, "bob-12345678", "rejected", reason="invalid_email", identity=None)
    page = browser.page(f"/destinations/subscriptions/{number}")
    assert "It answered 422" in page
    assert "3 sent" in plain(page), "whom we rejected ourselves was never sent"
    path = f"/destinations/subscriptions/{number}/replay"
    asked = browser.page(f"{path}?state=rejected&reason=http_422")
    assert "Send 3 messages again?" in asked
    assert "Send 4 messages again?" in browser.page(f"{path}?state=rejected")
    counts = "SELECT rejected, waiting FROM subscription_counts"
    assert browser.relay.rows(counts) == [{"rejected": 4, "waiting": 0}]
    assert "3 messages are sent once more." in browser.submit(path, {"state": "rejected", "reason": "http_422"}).text
    assert browser.relay.rows(counts) == [{"rejected": 1, "waiting": 3}]
    assert "Nothing to send again" in browser.page(f"{path}?state=rejected&reason=http_422")
    assert "Messages are sent again from" in browser.client.get(f"{path}?state=applied", follow_redirects=True).text


@pytest.mark.parametrize(("way", "state"), [("keep", "suppressed"), ("approve", "waiting")])
def test_removals_that_the_guard_holds_wait_for_a_decision(browser: Browser, way: str, state: str) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    held = {"kind": "left", "next_at": None, "reason": "held_by_guard"}
    relayed.message(app, number, "ada-12345678", "waiting", **held)
    relayed.change(app, "subscription", number, held=1, held_at=browser.relay.clock())
    path = f"/destinations/subscriptions/{number}"
    page = plain(browser.page(path))
    assert "1 removal waits for a decision" in page
    assert "Remove 1 person there" in page
    assert "Decide" not in browser.relay.sign_in("viewer").page(path)
    assert "1 thing needs you" in plain(browser.page("/"))
    assert "waits for a decision" not in browser.submit(f"{path}/removals", {"way": way}).text
    assert browser.relay.rows("SELECT state FROM message") == [{"state": state}]


def test_a_pause_says_why_and_a_resume_goes_on(browser: Browser) -> None:
    number = started(browser, start="now")
    path = f"/destinations/subscriptions/{number}"
    assert "they count stock" in browser.submit(f"{path}/pause", {"reason": "they count stock"}).text
    assert "Active" in browser.submit(f"{path}/resume").text
    assert [action for action, _subject in noted(browser.relay)][1:] == ["subscription.pause", "subscription.resume"]


def test_a_start_that_is_under_way_can_be_stopped(browser: Browser) -> None:
    number = started(browser)
    path = f"/destinations/subscriptions/{number}"
    assert "Stop the start" in browser.page(path)
    assert "Stop the start" not in browser.submit(f"{path}/cancel-backfill").text


def test_removing_names_what_is_lost_and_leaves_or_sends_what_waits(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    relayed.message(app, number, "ada-12345678", "waiting")
    path = f"/destinations/subscriptions/{number}"
    page = plain(browser.page(f"{path}/remove"))
    assert "the history of 1 message" in page
    assert "1 message is never sent." in page
    browser.submit(f"{path}/remove", {"way": "leave"})
    assert browser.relay.rows("SELECT status FROM subscription") == [{"status": "leaving"}]
    page = browser.page(path)
    assert "Being removed" in page
    assert "Remove the subscription" not in page


def test_a_set_is_compared_with_the_cohort_and_repaired_when_asked(browser: Browser) -> None:
    relay = browser.relay
    relayed.connect(relay.app, "crm", "set")
    number = relayed.subscribe(relay.app, "crm", start="now")
    for name in ("ada", "bob"):
        relayed.held_there(relay.app, number, f"{name}-12345678")
    sets_and_streams.far_end("crm").members = {"ada-12345678", "a stranger"}
    path = f"/destinations/subscriptions/{number}/reconcile"
    assert f'href="{path}"' in browser.page(f"/destinations/subscriptions/{number}")
    assert "changes nothing" in browser.page(path)
    page = plain(browser.submit(path).text)
    for said in ("They differ", "2 should be there", "1 are missing", "1 are there, not by us", "Repair 1 difference"):
        assert said in page
    assert "bob-12345678" not in page
    assert relay.rows("SELECT id FROM message") == []
    assert "1 message is on the way to repair it." in browser.submit(path, {"way": "repair"}).text
    assert [row["kind"] for row in relay.rows("SELECT kind FROM message")] == ["entered"]
    assert [subject for action, subject in noted(relay) if action == "subscription.reconcile"] == ["crm: 1/7"] * 2


def test_what_cannot_be_read_is_said_instead_of_compared(browser: Browser) -> None:
    number = started(browser, start="now")
    assert "Compare" not in browser.page(f"/destinations/subscriptions/{number}")
    answer = browser.submit(f"/destinations/subscriptions/{number}/reconcile")
    assert "cannot be read" in answer.text


def test_what_is_done_already_is_not_noted_again(browser: Browser) -> None:
    number = started(browser, start="now")
    path, before = f"/destinations/subscriptions/{number}", noted(browser.relay)
    assert "Nothing has changed" in browser.submit(f"{path}/resume").text
    assert "Nothing has changed" in browser.submit(f"{path}/cancel-backfill").text
    assert noted(browser.relay) == before


def test_a_type_that_this_version_does_not_know_is_said_and_breaks_no_page(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    relayed.message(app, number, "ada-12345678", "rejected")
    path = f"/destinations/subscriptions/{number}"
    relayed.change(app, "destination", int(address(browser).rpartition("/")[2]), type="of tomorrow")
    for end in ("", "/now", "/messages", "/test", "/replay?state=rejected", "/remove", "/reconcile"):
        assert browser.get(f"{path}{end}").status_code == 200, end
    for end in ("", "/now", "/subscribe", "/change", "/pause", "/remove"):
        assert browser.get(f"{address(browser)}{end}").status_code in {200, 302, 303}, end
    assert browser.get(f"{path}/ask").status_code == 303
    for end in ("/test", "/replay", "/reconcile", "/ask"):
        given = {"distinct_id": "ada-12345678", "state": "rejected"}
        assert browser.post(f"{path}{end}", given).status_code < 500, end
    for end in ("/check", "/rotate", "/subscribe"):
        assert browser.post(f"{address(browser)}{end}").status_code < 500, end
    assert "no type of tomorrow" in plain(browser.page(address(browser)))


def test_viewers_look_and_change_nothing(browser: Browser) -> None:
    number = started(browser, start="now")
    viewer = browser.relay.sign_in("viewer")
    page = viewer.page(f"/destinations/subscriptions/{number}")
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    for act in ("test", "replay", "pause", "resume", "remove", "cancel-backfill"):
        assert viewer.post(f"/destinations/subscriptions/{number}/{act}").status_code == 403
    for path in ("subscribe", "preview", "start"):
        assert viewer.post(f"{address(browser)}/{path}").status_code in {403, 405}
