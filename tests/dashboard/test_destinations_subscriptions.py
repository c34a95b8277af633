"""Subscriptions in the dashboard: seen before they start, watched, tested, sent again, paused and removed."""

import re

import pytest

from destinations import registry, subscriptions
from destinations.subscriptions import STATES
from tests.dashboard import relayed
from tests.dashboard.test_destinations import POLLS, plain
from tests.destinations import sets_and_streams
from tests.relay import MINUTE, Browser, Relay, member

PEOPLE = [member("ada-12345678", email="ada@example.org"), member("bob-12345678"), member("cy-12345678", email="no")]


def operator_of_three(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """An operator, a cohort of three, and a destination `hook` whose far end is in memory."""
    for kind in sets_and_streams.TYPES:
        monkeypatch.setitem(registry.TYPES, kind.name, kind)
    monkeypatch.setattr(sets_and_streams, "FAR_ENDS", {})
    relay.refresh(PEOPLE)
    relayed.connect(relay.app, "hook", "hook")
    return relay.sign_in("operator")


@pytest.fixture
def browser(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return operator_of_three(relay, monkeypatch)


def form_of(browser: Browser, **more: str) -> dict[str, str]:
    cohort = browser.relay.cohort()["id"]
    given = {"cohort": str(cohort), "identity": "email", "kinds": "both", "reentry": "each", "start": "present"}
    return given | {"cooloff": "7", "unit": "days", "fields": "email\nplan = tier"} | more


def address(browser: Browser) -> str:
    return f"/destinations/{browser.relay.rows('SELECT id FROM destination')[0]['id']}"


def started(browser: Browser, **more: str) -> int:
    """Subscribe by the form and the preview's button; return the subscription's id."""
    seen = browser.post(f"{address(browser)}/subscribe", form_of(browser, **more))
    assert seen.status_code == 303, plain(seen.text)
    draft = seen.location.partition("draft=")[2]
    answer = browser.post(f"{address(browser)}/start", {"draft": draft})
    assert answer.status_code == 303
    return int(answer.location.rpartition("/")[2])


def noted(relay: Relay) -> list[tuple[str, str]]:
    found = relay.rows("SELECT action, subject FROM audit_entry WHERE action LIKE 'subscription.%' ORDER BY id")
    return [(row["action"], row["subject"]) for row in found]


# --- before anything starts


def test_a_preview_shows_what_would_go_out_and_starts_nothing(browser: Browser) -> None:
    answer = browser.submit(f"{address(browser)}/subscribe", form_of(browser))
    page = plain(answer.text)
    for said in ("3 in the cohort now", "1 of them without e-mail", "2 calls at the start", "Start, and tell 2 people"):
        assert said in page
    assert "ada@example.org" not in page
    assert "ada-12345678" not in page
    assert "plan from tier" in page
    assert browser.relay.rows("SELECT id FROM subscription") == []
    assert sets_and_streams.far_end("hook").bodies == []


def test_what_the_preview_showed_is_what_starts(browser: Browser) -> None:
    number = started(browser, reentry="cooloff", cooloff="2", unit="hours", identity="property", named="tier")
    known = browser.relay.database.read(lambda db: subscriptions.by_id(db, number))
    assert known is not None
    assert (known.reentry, known.identity, known.start) == ("cooloff:7200", "property:tier", "present")
    assert known.fields == {"email": "email", "plan": "tier"}
    assert noted(browser.relay) == [("subscription.add", "hook")]
    page = plain(browser.page(f"/destinations/subscriptions/{number}"))
    assert "Not again within 2 hours" in page
    assert "The property tier" in page


def test_going_back_from_the_preview_keeps_what_was_typed(browser: Browser) -> None:
    seen = browser.post(f"{address(browser)}/subscribe", form_of(browser, report="Told CRM"))
    back = re.search(r'href="([^"]*/subscribe\?draft=[^"]+)"', browser.page(seen.location))
    assert back is not None
    page = browser.page(back.group(1))
    assert 'value="Told CRM"' in page
    assert "plan = tier" in page


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"cohort": ""}, "Choose a cohort."),
        ({"identity": "property", "named": ""}, "Name the property"),
        ({"identity": "property", "named": 'a"b'}, "quotation mark"),
        ({"identity": "property", "named": "a\0b"}, "Name the property"),
        ({"reentry": "cooloff", "cooloff": "soon"}, "Say how long"),
        ({"fields": "= x"}, "A line is a property"),
        ({"fields": "a\na"}, "a is there twice."),
        ({"identity": "phone", "country": "Germany"}, "two capital letters"),
    ],
)
def test_a_form_that_is_refused_says_why_and_keeps_everything(browser: Browser, more, said) -> None:
    answer = browser.post(f"{address(browser)}/subscribe", form_of(browser, report="Told CRM") | more)
    assert answer.status_code == 422
    assert said in plain(answer.text)
    assert 'value="Told CRM"' in answer.text


def test_a_cohort_that_goes_there_already_is_not_offered_and_not_taken(browser: Browser) -> None:
    seen = browser.post(f"{address(browser)}/subscribe", form_of(browser))
    started(browser)
    assert "No cohort to choose" in browser.page(f"{address(browser)}/subscribe")
    answer = browser.post(f"{address(browser)}/start", {"draft": seen.location.partition("draft=")[2]})
    assert answer.status_code == 422


def test_a_draft_that_nobody_left_is_asked_for_once_more(browser: Browser) -> None:
    answer = browser.submit(f"{address(browser)}/start", {"draft": "none"})
    assert "That was too long ago" in answer.text


# --- how it stands


def test_every_state_is_counted_and_leads_to_its_messages(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    for entry, state in enumerate(STATES, 1):
        relayed.message(app, number, "ada-12345678", state, entry_number=entry)
    page = browser.page(f"/destinations/subscriptions/{number}")
    for state in STATES:
        path = f"/destinations/subscriptions/{number}/messages?state={state}"
        assert path in page
        assert browser.page(path).count('<th scope="row"') == 1
    assert "10 planned" in plain(page)
    assert "2 applied or accepted" in plain(page)
    assert browser.page(f"/destinations/subscriptions/{number}/messages").count('<th scope="row"') == 10


def test_what_waits_is_told_with_its_moment(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    later = browser.relay.clock() + 30 * MINUTE
    relayed.message(app, number, "ada-12345678", "waiting")
    relayed.message(app, number, "bob-12345678", "waiting", next_at=later, reason="http_503")
    relayed.message(app, number, "cy-12345678", "parked", reason="no_email")
    page = plain(browser.page(f"/destinations/subscriptions/{number}"))
    assert "1 message until the budget lets them go" in page
    assert "1 message It answered 503 next try in 30 min" in page
    assert "1 message No e-mail is known; until Mixpanel exports one" in page
    assert POLLS in browser.page(f"/destinations/subscriptions/{number}/now")


def test_the_part_that_refreshes_stops_once_all_is_sent(browser: Browser) -> None:
    number = started(browser, start="now")
    relayed.message(browser.relay.app, number, "ada-12345678", "applied")
    page = browser.page(f"/destinations/subscriptions/{number}/now")
    assert POLLS not in page
    assert "Everything that could be sent is sent." in plain(page)


def test_a_stopped_destination_is_said_on_its_subscriptions(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    relayed.message(app, number, "ada-12345678", "waiting")
    known = browser.relay.rows("SELECT id FROM destination")[0]["id"]
    relayed.change(app, "destination", known, status="paused", cause="credentials", reason="401")
    page = plain(browser.page(f"/destinations/subscriptions/{number}"))
    assert "It does not take our credentials: 401." in page
    assert "1 message until hook is resumed" in page


def test_messages_of_a_person_are_found_without_their_id_in_an_address(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    for name in ("ada-12345678", "bob-12345678"):
        relayed.message(app, number, name)
    path = f"/destinations/subscriptions/{number}/messages"
    answer = browser.post(path, {"distinct_id": "ada-12345678", "state": "applied"})
    assert "ada-12345678" not in answer.location
    page = browser.page(answer.location)
    assert page.count('<th scope="row"') == 1
    assert "ada@example.org" in page
    assert "Nobody has this distinct id" in browser.submit(path, {"distinct_id": "zoe"}).text


def test_a_call_is_shown_with_what_it_carried_and_its_answer(browser: Browser) -> None:
    number, app = started(browser, start="now"), browser.relay.app
    carried = [relayed.message(app, number, name) for name in ("ada-12345678", "bob-12345678")]
    call = relayed.attempt(app, number, carried, answer="thank you")
    assert f"/attempts/{call}" in browser.page(f"/destinations/subscriptions/{number}/attempts")
    page = browser.page(f"/destinations/subscriptions/{number}/attempts/{call}")
    assert "thank you" in page
    assert page.count('<th scope="row"') == 2
    assert browser.get(f"/destinations/subscriptions/{number}/attempts/{call + 1}").status_code == 404
