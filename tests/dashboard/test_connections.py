"""Connections in the dashboard: made, watched, rotated, retired, switched off and on."""

import json
import re

import pytest
from sqlalchemy import event

from security import connections, simulation_jobs
from tests.conftest import MakeRelay
from tests.relay import SECOND, Browser, Relay, basic, body

PAGE = json.dumps(body("members", ["A"]))
POLLS = 'hx-trigger="every 2s"'


def password_in(page: str) -> str:
    """The secret that a page shows."""
    found = re.search(r"data-password>.*?<code>([^<]+)</code>", page, re.DOTALL)
    assert found is not None
    return found.group(1)


def made(browser: Browser, name: str = "billing") -> str:
    """A connection made in the browser; returns its password."""
    response = browser.submit("/connections/new", {"name": name})
    assert response.status_code == 200
    return password_in(response.text)


def knock(relay: Relay, name: str, password: str, data: str = PAGE) -> int:
    return relay.post_raw(data, basic(name, password), f"/webhooks/mixpanel/{name}").status_code


def noted(relay: Relay) -> list[tuple[str, str, str]]:
    found = relay.rows("SELECT who, action, subject FROM audit_entry WHERE action LIKE 'connection%' ORDER BY id")
    return [(row["who"], row["action"], row["subject"]) for row in found]


# --- the list


def test_without_a_connection_the_list_leads_to_a_new_one(relay: Relay) -> None:
    relay.database.write(lambda db: db.exec_driver_sql("DELETE FROM connection_password"))
    relay.database.write(lambda db: db.exec_driver_sql("DELETE FROM connection"))
    assert 'href="/connections/new"' in relay.sign_in("operator").page("/connections")
    assert "/connections/new" not in relay.sign_in("viewer").page("/connections")


def test_the_list_says_how_each_stands_and_what_it_carries(relay: Relay) -> None:
    relay.refresh(["A"], name="Paying users")
    page = relay.sign_in("viewer").page("/connections")
    for word in ("crm", "In step", "Paying users", "just now"):
        assert word in page


def test_a_connection_that_nobody_called_says_so(relay: Relay) -> None:
    assert "Never called" in relay.sign_in("viewer").page("/connections")


# --- a new one


def test_a_new_connection_shows_what_mixpanel_needs_once(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    response = browser.submit("/connections/new", {"name": "billing"})
    password = password_in(response.text)
    assert "http://127.0.0.1:8000/webhooks/mixpanel/billing" in response.text
    assert "no-store" in response.headers["Cache-Control"]
    assert knock(relay, "billing", password) == 200
    assert password not in browser.page("/connections/billing")
    assert noted(relay) == [("operator@example.org", "connection.add", "billing")]


def test_a_name_as_people_write_it_becomes_one_that_can_be(relay: Relay) -> None:
    page = relay.sign_in("operator").submit("/connections/new", {"name": " CRM & Billing (Prod) "}).text
    assert "“CRM &amp; Billing (Prod)” is called crm-billing-prod: the name becomes part of the URL." in page
    assert "/webhooks/mixpanel/crm-billing-prod" in page


@pytest.mark.parametrize(
    ("name", "says"), [("?!", "becomes part of"), ("x" * 64, "63 characters"), ("crm", "already is"), ("new", "kept")]
)
def test_a_name_that_cannot_be_is_refused_and_kept_in_the_form(relay: Relay, name: str, says: str) -> None:
    response = relay.sign_in("operator").post("/connections/new", {"name": name})
    assert response.status_code == 422
    assert says in response.text
    assert f'value="{name}"' in response.text


@pytest.mark.parametrize(("url", "warns"), [("http://relay.example", True), ("https://relay.example", False)])
def test_an_address_without_https_is_warned_of(make_relay: MakeRelay, url: str, warns: bool) -> None:
    page = make_relay(public_url=url).sign_in("operator").submit("/connections/new", {"name": "billing"}).text
    assert f"{url}/webhooks/mixpanel/billing" in page
    assert ("This address is not https" in page) is warns


# --- the light


def test_the_light_waits_and_asks_again(relay: Relay) -> None:
    light = relay.sign_in("viewer").page("/connections/crm/waiting")
    assert "Waiting for the first call" in light
    assert POLLS in light


def test_the_light_turns_green_at_the_first_delivery_and_stops(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    password = made(browser)
    page = body("members", ["A", "B"], 1, 6, name="Paying users")
    assert knock(relay, "billing", password, json.dumps(page)) == 200
    light = browser.page("/connections/billing/waiting")
    assert "Received: Paying users" in light
    assert "2 members, page 1 of 6" in light
    assert POLLS not in light
    (session,) = relay.rows("SELECT id, cohort_id FROM sync_session")
    assert f'href="/sessions/{session["id"]}"' in light
    assert f'href="/cohorts/{session["cohort_id"]}"' in light


def test_the_light_says_that_a_call_was_refused_and_goes_on_waiting(relay: Relay) -> None:
    assert knock(relay, "crm", "wrong") == 401
    light = relay.sign_in("viewer").page("/connections/crm/waiting")
    assert "refused with 401" in light
    assert f'href="/failures/{relay.failures()[0]["id"]}"' in light
    assert POLLS in light


def test_the_light_does_not_take_another_connections_call_for_its_own(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    made(browser)
    relay.refresh(["A"])
    assert "Waiting" in browser.page("/connections/billing/waiting")


@pytest.mark.parametrize("cohorts", [[], ["simulated-crm"], ["7"], ["simulated-crm", "7"], ["7", "simulated-crm"]])
def test_a_connection_waits_for_its_first_call_on_all_pages_or_on_none(relay: Relay, cohorts: list[str]) -> None:
    for cohort in cohorts:
        relay.refresh(["A"], cohort=cohort)
    waits, browser = "7" not in cohorts, relay.sign_in("operator")
    own = browser.page("/connections/crm")
    assert ("Waiting for the first call" in own) == waits
    assert ("Waiting for the first call" in browser.page("/connections/crm/waiting")) == waits
    assert ("aiting for the first call from Mixpanel" in head_of(own)) == waits
    assert ("Never called" in browser.page("/connections")) == waits
    assert ("In step" in own) == (not waits)


def head_of(page: str) -> str:
    """What the head of a connection's page says of it."""
    (says,) = re.findall(r'<div class="titled">(.*?)</div>', page, re.DOTALL)
    return str(says)


def test_our_own_simulated_export_does_not_turn_the_light_green(relay: Relay) -> None:
    relay.refresh(["A"], cohort="simulated-crm")
    assert "Waiting" in relay.sign_in("viewer").page("/connections/crm/waiting")


# --- off and on


def test_switching_off_asks_first_and_says_what_mixpanel_will_experience(relay: Relay) -> None:
    relay.refresh(["A", "B"])
    question = relay.sign_in("operator").page("/connections/crm/disable")
    for words in ("1 cohort", "2 members", "503", "not paused", "catches up", "3 days"):
        assert words in question


def test_off_answers_503_and_on_answers_again(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    browser.post("/connections/crm/disable")
    assert knock(relay, "crm", relay.password) == 503
    assert '#off"/></svg> Off' in browser.page("/connections/crm")
    browser.post("/connections/crm/enable")
    assert knock(relay, "crm", relay.password) == 200
    assert [action for _, action, _ in noted(relay)] == ["connection.disable", "connection.enable"]


# --- a simulated export


def test_a_simulated_export_is_asked_for_and_waits_for_the_worker(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    assert browser.post("/connections/crm/simulate").location == "/connections/crm#simulated"
    (asked,) = relay.rows("SELECT connection, who, state FROM simulated_export")
    assert asked == {"connection": "crm", "who": "operator@example.org", "state": "waiting"}
    fragment = browser.page("/connections/crm/simulated")
    assert POLLS in fragment
    assert "flask work" not in fragment
    relay.clock.forward(11 * SECOND)
    assert "flask work" in browser.page("/connections/crm/simulated")


def test_by_htmx_the_button_is_answered_with_the_fragment(relay: Relay) -> None:
    fragment = relay.sign_in("operator").post("/connections/crm/simulate", headers={"HX-Request": "true"}).text
    assert fragment.count("<div") == 1
    assert POLLS in fragment


@pytest.mark.parametrize(("passed", "word"), [(True, "passed"), (False, "failed")])
def test_a_simulated_export_that_is_over_says_how_it_went(relay: Relay, passed: bool, word: str) -> None:
    def play(db) -> None:
        export = simulation_jobs.ask(db, "crm", "tests", relay.clock())
        claimed = simulation_jobs.claim(db, export, relay.clock())
        assert claimed is not None
        report = {"passed": passed, "sent": [], "found": {}, "sentences": ["250 members came."]}
        simulation_jobs.end(db, export, claimed.until, report, relay.clock())

    relay.database.write(play)
    fragment = relay.sign_in("viewer").page("/connections/crm/simulated")
    assert f"The simulated export {word}" in fragment
    assert "250 members came." in fragment
    assert POLLS not in fragment


# --- everybody


def test_a_viewer_sees_no_buttons_and_changes_nothing(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    page = browser.page("/connections/crm")
    for words in ("Rotate", "Retire", "Switch off", "Send a simulated"):
        assert words not in page
    for verb in ("rotate", "retire", "disable", "enable", "simulate"):
        assert browser.post(f"/connections/crm/{verb}").status_code == 403
    assert browser.post("/connections/new", {"name": "mine"}).status_code == 403


def test_a_connection_shows_its_cohorts_sessions_and_failures(relay: Relay) -> None:
    relay.refresh(["A"], name="Paying users")
    relay.post_raw("not json")
    page = relay.sign_in("viewer").page("/connections/crm")
    (session,) = relay.rows("SELECT id, cohort_id FROM sync_session")
    assert f'href="/cohorts/{session["cohort_id"]}"' in page
    assert f'href="/sessions/{session["id"]}"' in page
    assert f'href="/failures/{relay.failures()[0]["id"]}"' in page
    assert relay.password not in page


def test_what_does_not_exist_is_not_found(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    for name in ("nobody", "%00", "A b"):
        for path in ("", "/waiting", "/retire", "/simulated", "/disable"):
            assert browser.get(f"/connections/{name}{path}").status_code == 404
    assert browser.post("/connections/nobody/rotate").status_code == 404


def test_pages_make_few_statements_however_many_connections_there_are(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    for number in range(20):
        relay.database.write(lambda db, n=number: connections.add(db, "key", f"c{n}", relay.clock()))
    ran: list[str] = []
    event.listen(relay.database.reader, "before_cursor_execute", lambda *given: ran.append(given[2]))
    for path in ("/connections", "/connections/crm", "/connections/crm/disable"):
        ran.clear()
        browser.page(path)
        assert 0 < len(ran) <= 12, path
