"""Comparisons from the pages: ask, follow, read what differs and why, take the ids away."""

import io
from typing import Any

import pytest
from sqlalchemy import text

from outbound.comparison import runner
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.conftest import runtime_of
from tests.outbound.test_comparison import pages
from tests.relay import Browser, Relay

ASK = "/send/comparisons"


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


@pytest.fixture
def cohort(relay: Relay) -> int:
    relay.refresh([f"m{n}" for n in range(5)], project="2891273", cohort="42")
    found: int = relay.database.read(lambda db: db.execute(text("SELECT id FROM cohort")).scalar_one())
    return found


def ask(browser: Browser, cohort: int, way: str, **more: Any) -> Any:
    form: dict[str, Any] = {"cohort": str(cohort), "project": "prod", "way": way} | more
    if "file" in form:
        form["file"] = (io.BytesIO(form["file"].encode()), "cohort.csv")
    return browser.post(ASK, form, content_type="multipart/form-data")


def test_the_cohorts_page_leads_to_a_form_with_its_cohort_and_project(
    relay: Relay, browser: Browser, cohort: int
) -> None:
    assert f"{ASK}?cohort={cohort}" in browser.get(f"/cohorts/{cohort}").text
    page = browser.get(f"{ASK}?cohort={cohort}").text
    assert f'<option value="{cohort}" selected>' in page
    assert "<option selected>prod</option>" in page


def test_a_count_that_is_equal(relay: Relay, browser: Browser, cohort: int, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/cohorts/list", Answer(body=[{"id": 42, "name": "Paying", "count": 5}]))
    place = ask(browser, cohort, "count").location
    assert "60 of 60 queries left" in browser.get(place).text
    runner.work_once(runtime_of(relay))
    page = browser.get(place).text
    assert "As many here as in Mixpanel" in page
    assert "with 1 query" in page


def test_ids_that_differ_are_listed_with_causes_and_downloads(
    relay: Relay, browser: Browser, cohort: int, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/query/engage", pages("m0", "m1", "m2", "m3", "new-1"))
    place = ask(browser, cohort, "ids").location
    runner.work_once(runtime_of(relay))
    page = browser.get(place).text
    assert "1 missing here, 1 extra here" in page
    assert "were never sent to us" in page
    assert browser.get(f"{place}/missing.csv").text == "\ufeffdistinct_id\r\nnew-1\r\n"
    assert browser.get(f"{place}/extra.csv").text == "\ufeffdistinct_id\r\nm4\r\n"
    assert "Different" in browser.get(ASK).text


def test_mixpanels_csv_is_uploaded_and_removed_again(
    relay: Relay, browser: Browser, cohort: int, mixpanel: Mixpanel
) -> None:
    rows = "".join(f"m{n},x,add\n" for n in range(5))
    place = ask(browser, cohort, "csv", file="distinct_id,partner_id,operation\n" + rows).location
    runner.work_once(runtime_of(relay))
    assert "The same people here as in Mixpanel" in browser.get(place).text
    assert (list(runtime_of(relay).uploads.iterdir()), mixpanel.calls) == ([], [])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "Choose the file"),
        ({"file": "a,b\n1,2\n"}, "None of its columns has the name distinct_id"),
        ({"file": "a,b\n1,2\n", "column": "c"}, "There is no column c"),
    ],
)
def test_a_file_without_ids_is_refused_beside_its_field(
    relay: Relay, browser: Browser, cohort: int, more: dict[str, Any], says: str
) -> None:
    answer = ask(browser, cohort, "csv", **more)
    assert answer.status_code == 422
    assert says in answer.text
    assert not list(runtime_of(relay).uploads.glob("*"))


def test_a_form_that_names_nothing_says_what_to_choose(relay: Relay, browser: Browser, cohort: int) -> None:
    answer = browser.post(ASK, {"cohort": "x"})
    assert answer.status_code == 422
    assert "Choose a cohort." in answer.text
    assert "Choose what to compare." in answer.text


def test_a_cancelled_one_leaves_no_file(relay: Relay, browser: Browser, cohort: int) -> None:
    place = ask(browser, cohort, "csv", file="m0\n").location
    browser.post(f"{place}/cancel", {})
    assert "Cancelled" in browser.get(place).text
    assert list(runtime_of(relay).uploads.iterdir()) == []
    assert runner.work_once(runtime_of(relay)) is False
