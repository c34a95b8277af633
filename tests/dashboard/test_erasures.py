"""Erasing somebody on the dashboard: the question, who may, the proof, and what is shown of those who are gone."""

import re

import pytest

from outbound.projects import ProjectFields
from tests.outbound.conftest import add_project
from tests.relay import Relay, member

ADA = member("ada-17", email="ada@example.com", first_name="Ada", last_name="Lovelace")


@pytest.fixture
def person(relay: Relay) -> str:
    relay.refresh([ADA, "bob"], name="Paying users")
    return f"/people/{relay.person('ada-17')['id']}"


def erased(relay: Relay, person: str) -> str:
    answer = relay.sign_in("admin").post(f"{person}/erase")
    assert answer.status_code == 303
    return str(answer.location)


def test_only_an_admin_is_offered_to_erase(relay: Relay, person: str) -> None:
    assert "Erase this person" in relay.sign_in("admin").page(person)
    operator = relay.sign_in("operator")
    assert "Erase this person" not in operator.page(person)
    assert operator.get(f"{person}/erase").status_code == 403
    assert operator.post(f"{person}/erase").status_code == 403
    assert relay.person("ada-17")["email"] == "ada@example.com"


def test_the_question_names_what_will_be_lost_and_what_to_do_first(relay: Relay, person: str) -> None:
    page = relay.sign_in("admin").page(f"{person}/erase")
    for words in (
        "Erase Ada Lovelace?",
        "1 profile, with its id",
        "1 present membership of a cohort",
        "1 stay in a cohort",
    ):
        assert words in page
    assert "is a new person, with entry number 1" in page
    assert "Delete the profile in Mixpanel</a>" not in page  # no project to send with
    assert relay.members() == {"ada-17", "bob"}


def test_where_a_project_can_be_called_the_profile_is_deleted_in_mixpanel_first(relay: Relay, person: str) -> None:
    add_project(relay, ProjectFields("prod", "us", "1", "token-3f8a", "account.91c2", "secret-7b1e"))
    page = relay.sign_in("admin").page(f"{person}/erase")
    found = re.search(r'href="([^"]+)">Delete the profile in Mixpanel', page)
    assert found is not None
    assert "ada-17" in relay.sign_in("operator").page(found.group(1).replace("&amp;", "&"))


def test_the_proof_is_shown_and_listed(relay: Relay, person: str) -> None:
    proof = erased(relay, person)
    browser = relay.sign_in("viewer")
    for path in (proof, "/settings/erasures"):
        page = browser.page(path)
        assert "Erased" in page
        assert "1 profile, with its id" in page
        assert "ada-17" not in page  # three letters may stand in a form's token


def test_whoever_has_the_id_is_told_that_it_was_erased(relay: Relay, person: str) -> None:
    erased(relay, person)
    browser = relay.sign_in("operator")
    answer = browser.submit("/settings/erasures/check", {"project_id": "1", "distinct_id": "ada-17"}).text
    assert "<strong>Yes.</strong>" in answer
    assert "nothing of this id is stored" in answer
    assert (
        "<strong>No.</strong>"
        in browser.submit("/settings/erasures/check", {"project_id": "1", "distinct_id": "somebody"}).text
    )
    assert browser.post("/settings/erasures/check", {"project_id": "1", "distinct_id": ""}).status_code == 422


def test_the_page_of_nobody_says_so_and_erases_no_more(relay: Relay, person: str) -> None:
    browser = relay.sign_in("admin")
    assert browser.post(f"{person}/erase").status_code == 303
    page = browser.page(person)
    assert "Somebody who was erased" in page
    assert "Erase this person" not in page
    assert browser.post(f"{person}/erase").status_code == 404


def test_the_exit_is_a_session_of_ours_and_no_page_takes_it_for_one_of_mixpanels(relay: Relay, person: str) -> None:
    erased(relay, person)
    browser = relay.sign_in("viewer")
    cohort = relay.cohort()["id"]
    assert "Erasure of Paying users" in browser.page("/sessions?kind=erased")
    (row,) = relay.rows("SELECT id FROM sync_session WHERE action = 'erasure'")
    page = browser.page(f"/sessions/{row['id']}")
    assert "This erasure" in page
    assert "Mixpanel&#39;s session" not in page
    assert ">left<" in page
    assert "erased-" in browser.page(f"/sessions/{row['id']}/members/left")
    tab = browser.page(f"/cohorts/{cohort}/sessions")
    assert "1 person was erased from this cohort" in tab
    assert "Refresh 1</a>" in tab
    assert "Refresh -1" not in tab


def test_the_size_over_time_counts_the_exit_and_no_sync(relay: Relay, person: str) -> None:
    relay.clock.forward(86_400_000)
    erased(relay, person)
    page = relay.sign_in("viewer").page(f"/cohorts/{relay.cohort()['id']}")
    sizes = [int(one) for one in re.findall(r'data-value="(\d+)"', page)]
    assert 2 in sizes  # yesterday
    assert 1 in sizes  # now
