"""The second factor: set up, asked for, used up, lost, reset, and enforced."""

import re

import pyotp
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from security import second_factor
from security.operators import Operator
from tests.relay import PASSWORD, SECOND, Browser, Relay

STEP = 30 * SECOND
WRONG = "This code is not right"


def code_of(secret: str, relay: Relay, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at((relay.clock() + steps * STEP) // SECOND)


def begin(browser: Browser) -> str:
    """Begin to set it up; the secret that the page shows."""
    page = browser.submit("/account/second-factor/begin", {"password": PASSWORD}).text
    found = re.search(r'data-copy="([A-Z2-7]{32})"', page)
    assert found is not None, page
    return found[1]


def set_up(browser: Browser) -> tuple[str, list[str]]:
    """Set a second factor up; its secret, and the recovery codes."""
    secret = begin(browser)
    page = browser.submit("/account/second-factor/confirm", {"code": code_of(secret, browser.relay)})
    assert page.status_code == 200
    return secret, re.findall(r"<li><code>([A-Z0-9-]+)</code>", page.text)


def first_step(relay: Relay, email: str, path: str = "/sign-in") -> tuple[FlaskClient, TestResponse]:
    """Give the right password in a browser of its own."""
    client = relay.app.test_client()
    return client, client.post(path, data={"csrf_token": token(client), "email": email, "password": PASSWORD})


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert found is not None
    return found[1]


def give(client: FlaskClient, code: str, path: str = "/sign-in/code") -> TestResponse:
    return client.post(path, data={"csrf_token": token(client), "code": code})


def signs_in(relay: Relay, email: str, code: str) -> bool:
    client, _answer = first_step(relay, email)
    answer = give(client, code)
    assert answer.status_code in {303, 422}, answer.text
    return client.get("/account").status_code == 200 and answer.status_code == 303


# --- set up


def test_an_app_is_set_up_with_a_picture_and_a_secret_and_a_first_code(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    secret = begin(ada)
    page = ada.page("/account/second-factor")
    assert "<svg" in page
    assert secret in page
    wrong = ada.post("/account/second-factor/confirm", {"code": "000000"})
    assert wrong.status_code == 422
    assert WRONG in wrong.text
    assert ada.submit("/account/second-factor/confirm", {"code": code_of(secret, relay)}).status_code == 200
    assert "Set up" in ada.page("/account/second-factor")


def test_nothing_of_it_is_stored_in_the_clear(relay: Relay) -> None:
    secret, codes = set_up(relay.sign_in("viewer"))
    stored = str([relay.rows(f"SELECT * FROM {table}") for table in ("authenticator", "recovery_code", "audit_entry")])
    assert len(set(codes)) == 10
    assert not [one for one in [secret, *codes] if one in stored or one.replace("-", "") in stored]


def test_codes_are_shown_once(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    answer = ada.post("/account/second-factor/confirm", {"code": code_of(begin(ada), relay)})
    assert "<li><code>" in ada.page(answer.location)
    assert "<li><code>" not in ada.get(answer.location, follow_redirects=True).text


@pytest.mark.parametrize("path", ["begin", "codes", "remove"])
def test_what_changes_it_asks_for_the_password(relay: Relay, path: str) -> None:
    ada = relay.sign_in("viewer")
    if path != "begin":
        set_up(ada)
    answer = ada.post(f"/account/second-factor/{path}", {"password": "a wrong password"})
    assert answer.status_code == 422
    assert "not your present password" in answer.text


def test_setting_it_up_and_removing_it_sign_other_browsers_out_at_once_and_keep_this_one(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    for change in (lambda: set_up(ada), lambda: ada.post("/account/second-factor/remove", {"password": PASSWORD})):
        other, known = Browser.__new__(Browser), ada.operator
        other.relay, other.client = relay, relay.app.test_client()
        (row,) = relay.rows("SELECT sign_ins FROM operator WHERE id = :id", id=known.id)
        other.operator = Operator(known.id, known.email, known.role, row["sign_ins"], known.created_at, None)
        other.sign_in()
        assert other.get("/account").status_code == 200
        change()
        assert other.get("/account").status_code == 302
        assert ada.get("/account").status_code == 200


# --- asked for


def test_a_sign_in_takes_two_steps_and_ends_where_it_was_to_lead(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    secret, _codes = set_up(ada)
    relay.clock.forward(STEP)
    client, answer = first_step(relay, ada.email, "/sign-in?next=/cohorts?name%3Dx")
    assert answer.location == "/sign-in/code?next=/cohorts?name%3Dx"
    assert client.get("/account").status_code == 302
    refused = give(client, "123456", answer.location)
    assert refused.status_code == 422
    assert WRONG in refused.text
    assert give(client, code_of(secret, relay), answer.location).location == "/cohorts?name=x"
    assert "Password and code" in client.get("/account").text


def test_nobody_learns_of_a_second_factor_before_the_password_is_right(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    set_up(ada)
    answers = []
    for email in (ada.email, "nobody@example.org"):
        client = relay.app.test_client()
        form = {"csrf_token": token(client), "email": email, "password": "not the password"}
        answers.append(client.post("/sign-in", data=form))
        assert client.get("/sign-in/code").location == "/sign-in"
    said = [re.sub(r'value="[^"]+"', "", answer.text) for answer in answers]
    assert said[0] == said[1]


def test_a_code_works_once_and_none_before_it_afterwards(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    secret, _codes = set_up(ada)
    relay.clock.forward(2 * STEP)
    assert signs_in(relay, ada.email, code_of(secret, relay))
    assert not signs_in(relay, ada.email, code_of(secret, relay))
    assert not signs_in(relay, ada.email, code_of(secret, relay, -1))
    assert signs_in(relay, ada.email, code_of(secret, relay, 1))


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_taken_in_its_step_and_beside_it(relay: Relay, steps: int, taken: bool) -> None:
    ada = relay.sign_in("viewer")
    secret, _codes = set_up(ada)
    relay.clock.forward(10 * STEP)
    assert signs_in(relay, ada.email, code_of(secret, relay, steps)) is taken


def test_the_first_step_lasts_ten_minutes_and_no_longer_than_the_password(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    secret, _codes = set_up(ada)
    client, _answer = first_step(relay, ada.email)
    relay.clock.forward(10 * 60 * SECOND)
    assert give(client, code_of(secret, relay)).location == "/sign-in"
    client, _answer = first_step(relay, ada.email)
    ada.post(
        "/account/password", {"old": PASSWORD, "password": "another phrase of mine", "again": "another phrase of mine"}
    )
    assert give(client, code_of(secret, relay)).location == "/sign-in"


def test_tries_of_codes_are_limited_and_noted(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    secret, _codes = set_up(ada)
    relay.clock.forward(STEP)
    client, _answer = first_step(relay, ada.email)
    statuses = [give(client, f"{number:06}").status_code for number in range(10)]
    assert statuses[:9] == [422] * 9
    refused = give(client, code_of(secret, relay))
    assert refused.status_code == 429
    assert "Too many tries" in refused.text
    (entry,) = relay.rows("SELECT after FROM audit_entry WHERE action = 'operator.sign_in_failed'")
    assert "code" in str(entry["after"])


@settings(max_examples=60)
@given(code=st.one_of(st.text(max_size=80), st.text("0123456789", max_size=9)))
def test_no_other_text_is_a_code(code: str) -> None:
    """Whatever is typed is read as a code or refused, and never an error."""
    typed = second_factor.as_typed(code)
    assert typed.isascii()
    assert typed == second_factor.as_typed(typed)


def test_a_link_for_a_new_password_asks_for_the_code_too(relay: Relay) -> None:
    ada, admin = relay.sign_in("viewer"), relay.sign_in("admin")
    set_up(ada)
    answer = admin.post(f"/settings/operators/{ada.operator.id}/link")
    path = re.search(r'data-copy="[^"]*?(/join\?key=[^"]+)"', admin.page(answer.location))
    assert path is not None
    client = relay.app.test_client()
    chosen = {"csrf_token": token(client), "password": "quite a long phrase", "again": "quite a long phrase"}
    assert client.post(path[1], data=chosen).location == "/sign-in/code"
    assert client.get("/account").status_code == 302


# --- lost


def test_a_recovery_code_works_once_as_people_type_it(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    _secret, codes = set_up(ada)
    assert signs_in(relay, ada.email, f" {codes[0].lower().replace('-', ' ')} ")
    assert not signs_in(relay, ada.email, codes[0])
    assert "<dt>Recovery codes left</dt><dd>9</dd>" in ada.page("/account/second-factor")


def test_new_recovery_codes_end_the_earlier_ones(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    _secret, earlier = set_up(ada)
    page = ada.submit("/account/second-factor/codes", {"password": PASSWORD}).text
    later = re.findall(r"<li><code>([A-Z0-9-]+)</code>", page)
    assert not signs_in(relay, ada.email, earlier[1])
    assert signs_in(relay, ada.email, later[0])


def test_one_persons_codes_are_worth_nothing_to_another(relay: Relay) -> None:
    ada, bob = relay.sign_in("viewer"), relay.sign_in("operator")
    _secret, codes = set_up(ada)
    set_up(bob)
    assert not signs_in(relay, bob.email, codes[0])


def test_an_admin_resets_it_and_the_trail_says_so(relay: Relay) -> None:
    ada, admin = relay.sign_in("viewer"), relay.sign_in("admin")
    set_up(ada)
    path = f"/settings/operators/{ada.operator.id}/second-factor/reset"
    assert "be sure that it is they who ask" in admin.page(path)
    admin.post(path)
    assert ada.get("/account").status_code == 302
    _client, answer = first_step(relay, ada.email)
    assert answer.location == "/"
    (entry,) = relay.rows("SELECT who, subject FROM audit_entry WHERE action = 'operator.second_factor_removed'")
    assert entry == {"who": "admin@example.org", "subject": "viewer@example.org"}
    assert relay.rows("SELECT operator_id FROM authenticator") == []


def test_the_terminal_resets_it(relay: Relay) -> None:
    ada = relay.sign_in("viewer")
    set_up(ada)
    run = relay.app.test_cli_runner().invoke
    assert run(args=["operators", "reset-second-factor", ada.email]).exit_code == 0
    again = run(args=["operators", "reset-second-factor", ada.email])
    assert again.exit_code == 1
    assert "has no second factor" in again.output
