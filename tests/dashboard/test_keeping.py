"""The page on which an admin chooses what a connection keeps of profiles."""

import pytest

from tests.commands.conftest import terminal_of
from tests.relay import Relay, member

FORM = {"keep": "list", "fields": "email\nplan\n", "email": "hash", "phone": "drop", "days": "plan = 90"}
PATH = "/connections/crm/keeping"


def test_an_admin_chooses_and_applies(relay: Relay) -> None:
    relay.refresh([member("ada", email="ada@example.org", seat=1), member("bob"), {"email": "x"}])
    browser = relay.sign_in("admin")
    page = browser.submit(PATH, FORM).text
    said = "Kept are email, plan alone; e-mail is hashed; phone is dropped; plan goes after 90 days"
    assert said in page
    assert said in browser.page("/connections/crm")
    question = browser.page("/connections/crm/minimise")
    assert "<strong>2 people</strong>" in question
    assert "1 rejected member:" in question
    assert "Under way" in browser.submit("/connections/crm/minimise").text
    assert relay.person("ada")["properties"] == {"seat": 1}
    terminal_of(relay.app)("work", "--once")
    assert "1 profile of 2 looked at was made smaller" in browser.page(PATH)
    assert relay.person("ada")["properties"] == {}
    trail = browser.page("/audit")
    assert "connection.keep" in trail
    assert "connection.minimise" in trail


def test_the_question_counts_ten_thousand_people_and_no_further(relay: Relay) -> None:
    relay.refresh(list(range(1, 10_002)), session="one", cohort="1")
    relay.refresh(["0", "1"], session="two", cohort="2")
    browser = relay.sign_in("admin")
    browser.submit(PATH, FORM)
    assert "<strong>more than 10,000 people</strong>" in browser.page("/connections/crm/minimise")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"fields": ""}, "Name the fields that are kept"),
        ({"days": "plan"}, "FIELD=DAYS"),
        ({"days": "plan=0"}, "1 to 3650 days"),
        ({"email": "burn"}, "keep, drop or hash"),
        ({"keep": "some"}, "all, none, or a list"),
        ({"fields": "x" * 60_000}, "at most 200 fields"),
    ],
)
def test_a_form_that_cannot_be_is_shown_again_as_it_was_typed(relay: Relay, changed: dict[str, str], says: str) -> None:
    answer = relay.sign_in("admin").post(PATH, FORM | {"phone_fields": "typed-before"} | changed)
    assert answer.status_code == 422
    assert says in answer.text
    assert "typed-before" in answer.text
    assert relay.rows("SELECT keeps FROM connection") == [{"keeps": None}]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_others_read_it_and_change_nothing(relay: Relay, role: str) -> None:
    browser = relay.sign_in(role)
    page = browser.page(PATH)
    assert "All fields are kept." in page
    assert "<textarea" not in page
    for path in (PATH, "/connections/crm/minimise"):
        assert browser.post(path, FORM).status_code == 403
    assert browser.get("/connections/crm/minimise").status_code == 403


def test_nothing_is_asked_where_everything_is_kept(relay: Relay) -> None:
    browser = relay.sign_in("admin")
    assert "Nothing to apply" in browser.page("/connections/crm/minimise")
    assert "there is nothing to apply" in browser.submit("/connections/crm/minimise").text
    assert relay.rows("SELECT * FROM minimisation") == []
    assert relay.sign_in("viewer").get("/connections/nobody/keeping").status_code == 404
