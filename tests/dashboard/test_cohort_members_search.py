"""Members of a cohort are found by id, e-mail and names, and no address says who was looked for."""

import re

import pytest

from blueprints.dashboard.cohorts import search as cohort_search
from tests.dashboard.test_cohort_members import PEOPLE, path, search, shown


@pytest.fixture
def browser(relay):
    return relay.sign_in("viewer")


def search_all(browser, address: str, wanted: str) -> list[str]:
    found, form = [], {"q": wanted}
    while form:
        page = search(browser, address, **form)
        found += shown(page)
        fields = dict(re.findall(r'<input type="hidden" name="(q|way|value|after)" value="([^"]*)"', page))
        form = fields
    return found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("u1", {"u1"}),
        ("U1", set()),
        ("ada@example.org", {"u1"}),
        ("ADA@EX", {"u1"}),
        ("ada", {"u1", "u3", "ada"}),
        ("lovelace", {"u1"}),
        ("ada lovelace", {"u1"}),
        ("ADA  love", {"u1"}),
        ("van ada", {"u3"}),
        ("adam van ada", {"u3"}),
        ("Émilie", {"ada"}),
        ("%", set()),
        ("nul\0", set()),
    ],
)
def test_members_are_found_by_id_or_the_beginning_of_e_mail_and_names(relay, browser, wanted, found) -> None:
    relay.refresh(PEOPLE)
    hits = search_all(browser, path(relay), wanted)
    assert set(hits) == found
    assert len(hits) == len(found)


def test_the_search_knows_only_members_of_now_and_of_this_cohort(relay, browser) -> None:
    relay.refresh(PEOPLE[:2], cohort="7")
    relay.refresh(PEOPLE[2:], cohort="8")
    relay.refresh([{"distinct_id": "other", "first_name": "Ada"}], cohort="7", project="2")
    relay.remove(["u1"], session="s2", cohort="7")
    here = f"/cohorts/{relay.cohort('7', '1')['id']}"
    assert search_all(browser, here, "ada") == []
    assert search_all(browser, here, "u1") == []
    assert search_all(browser, here, "grace") == ["u2"]


def test_a_search_with_many_hits_goes_on_and_names_nobody_twice(relay, browser, monkeypatch) -> None:
    monkeypatch.setattr(cohort_search, "EXAMINED", 30)
    many = [
        {"distinct_id": f"u{number}", "email": f"sam{number % 3}@example.org", "first_name": "Sam", "last_name": "Sams"}
        for number in range(90)
    ]
    relay.refresh(many[::2], cohort="7")
    relay.refresh(many[1::2], cohort="8")
    found = search_all(browser, f"/cohorts/{relay.cohort('7')['id']}", "SAM")
    assert sorted(found) == sorted(one["distinct_id"] for one in many[::2])


def test_a_search_stands_in_no_address(relay, browser) -> None:
    relay.refresh(PEOPLE)
    page = search(browser, path(relay), q="ada@example.org")
    assert not re.search(r'(href|action)="[^"]*ada', page)


def test_a_search_is_read_up_to_a_thousand_characters(relay, browser) -> None:
    relay.refresh(PEOPLE)
    page = search(browser, path(relay), q="z" * 50_000)
    assert max(map(len, re.findall("z+", page))) == 1000


def test_a_search_without_hits_says_so(relay, browser) -> None:
    relay.refresh(PEOPLE)
    assert "Nobody matches" in search(browser, path(relay), q="zoe")
