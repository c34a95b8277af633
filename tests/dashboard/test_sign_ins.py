"""Browsers that are signed in: each by itself, listed with where it is, ended one by one, all at once or by time."""

import re

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from security import operators, signed_in_browsers
from security.signed_in_browsers import MOST, browser_in_words
from tests.conftest import MakeRelay
from tests.dashboard.test_sign_in import fill, token
from tests.relay import MINUTE, PASSWORD, PASSWORD_HASH, Browser, Relay

HOUR = 60 * MINUTE


def another(relay: Relay, browser: Browser, agent: str = "Mozilla/5.0 (X11; Linux) Firefox/128.0") -> FlaskClient:
    """A second browser in which the same person signs in."""
    client = relay.app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = agent
    assert fill(client, "/sign-in", email=browser.email, password=PASSWORD).status_code == 302
    return client


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("cohort_relay")
    assert found is not None
    return found.value


@pytest.mark.parametrize("way", ["removed", "signed out"])
def test_the_cookie_of_somebody_who_is_gone_is_nobody_elses_however_many_come_after(relay: Relay, way: str) -> None:
    relay.sign_in("admin")
    leaver = relay.sign_in("viewer")
    kept = cookie(leaver.client)
    if way == "removed":
        relay.database.write(lambda db: operators.remove(db, leaver.operator, "tests", relay.clock()))
    else:
        leaver.post("/sign-out")
    for number in range(3):
        email = f"next{number}@example.org"
        relay.database.write(
            lambda db, email=email: operators.add(db, email, PASSWORD_HASH, "admin", "tests", relay.clock())
        )
    leaver.client.set_cookie("cohort_relay", kept)
    assert not is_in(leaver.client)


def test_a_copy_of_the_cookie_ends_with_the_sign_out(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    thief = relay.app.test_client()
    thief.set_cookie("cohort_relay", cookie(browser.client))
    assert is_in(thief)
    browser.post("/sign-out")
    assert not is_in(thief)


def test_the_secret_of_a_sign_in_is_not_in_the_database(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    with browser.client.session_transaction() as session:
        secret = session["sign_in"]
    assert len(secret) >= 43
    assert secret not in str(relay.rows("SELECT * FROM sign_in"))


@pytest.mark.parametrize("forged", [1, None, "", "1", "x" * 43, ["a"], {"id": 1}])
def test_a_cookie_that_holds_anything_else_is_nobodys(relay: Relay, forged: object) -> None:
    browser = relay.sign_in("viewer")
    with browser.client.session_transaction() as session:
        session["sign_in"] = forged
    assert not is_in(browser.client)


# --- ends


def test_a_browser_that_does_not_call_is_signed_out(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_idle_hours=2, sign_in_longest_hours=100)
    browser = relay.sign_in("viewer")
    for _ in range(3):
        relay.clock.forward(2 * HOUR - MINUTE)
        assert is_in(browser.client)
    relay.clock.forward(2 * HOUR)
    assert not is_in(browser.client)


def test_a_browser_that_calls_all_the_time_is_signed_out_in_the_end(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_idle_hours=2, sign_in_longest_hours=5)
    browser = relay.sign_in("viewer")
    for _ in range(4):
        relay.clock.forward(HOUR)
        assert is_in(browser.client)
    relay.clock.forward(HOUR)
    assert not is_in(browser.client)


@pytest.mark.parametrize("change", ["password", "role", "removal"])
def test_every_browser_is_signed_out_when_the_account_changes(relay: Relay, change: str) -> None:
    relay.sign_in("admin")
    browser = relay.sign_in("viewer")
    other, who, now = another(relay, browser), browser.operator, relay.clock()
    changes = {
        "password": lambda db: operators.set_password(db, who, PASSWORD_HASH, "tests", now),
        "role": lambda db: operators.set_role(db, who, "operator", "tests", now),
        "removal": lambda db: operators.remove(db, who, "tests", now),
    }
    relay.database.write(changes[change])
    assert [is_in(browser.client), is_in(other)] == [False, False]
    assert not relay.rows("SELECT id FROM sign_in WHERE operator_id = :id", id=who.id)


# --- the list


def test_the_account_lists_every_browser_with_its_address_and_tells_this_one(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    another(relay, browser)
    page = browser.page("/account")
    assert "Firefox on Linux" in page
    assert page.count("127.0.0.1") == 2
    assert page.count("this one") == 1


def test_one_browser_is_signed_out_and_the_others_stay(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    other = another(relay, browser)
    (path,) = re.findall(r'action="(/account/sign-ins/\d+/end)"', browser.page("/account"))
    assert browser.post(path).status_code == 302
    assert [is_in(browser.client), is_in(other)] == [True, False]
    assert browser.post(path).status_code == 302


def test_nobody_signs_another_persons_browser_out(relay: Relay) -> None:
    browser, victim = relay.sign_in("admin"), relay.sign_in("viewer")
    for row in relay.rows("SELECT id FROM sign_in WHERE operator_id = :id", id=victim.operator.id):
        browser.post(f"/account/sign-ins/{row['id']}/end")
    assert is_in(victim.client)


def test_signing_out_everywhere_ends_every_browser_and_no_other_persons(relay: Relay) -> None:
    browser, bystander = relay.sign_in("viewer"), relay.sign_in("admin")
    other = another(relay, browser)
    assert browser.post("/account/sign-ins/end").location == "/sign-in"
    assert [is_in(browser.client), is_in(other), is_in(bystander.client)] == [False, False, True]


# --- bounds


def test_of_one_operator_only_so_many_browsers_are_kept_and_the_newest_stay(relay: Relay) -> None:
    browser, key = relay.sign_in("viewer"), relay.app.extensions["runtime"].settings.secret_key
    place = signed_in_browsers.SignInOrigin("127.0.0.1", "a test")
    for number in range(MOST + 5):
        now = relay.clock() + number + 1
        relay.database.write(lambda db, now=now: signed_in_browsers.start(db, key, browser.operator, place, now))
    found = relay.rows("SELECT last_seen_at FROM sign_in WHERE operator_id = :id", id=browser.operator.id)
    assert sorted(row["last_seen_at"] - relay.clock() for row in found) == list(range(6, MOST + 6))


def test_what_is_over_is_removed_when_somebody_signs_in(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_idle_hours=1)
    relay.sign_in("admin")
    browser = relay.sign_in("viewer")
    relay.clock.forward(2 * HOUR)
    another(relay, browser)
    assert len(relay.rows("SELECT id FROM sign_in")) == 1


@given(st.text(max_size=200))
def test_whatever_a_browser_calls_itself_a_few_words_of_ours_are_kept(agent: str) -> None:
    assert re.fullmatch(r"[A-Za-z ]{4,40}", browser_in_words(agent))


def test_a_form_before_the_sign_in_is_worth_nothing_after_it(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    client = relay.app.test_client()
    before = token(client, "/sign-in")
    assert fill(client, "/sign-in", email=browser.email, password=PASSWORD).status_code == 302
    assert client.post("/sign-out", data={"csrf_token": before}).status_code == 400
