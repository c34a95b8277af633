"""What tasks of sending cost in clicks and loads of whole pages: no more than when they were counted first."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium, demo
from tests.browser.counting import Hand
from tests.browser.test_answers import COUNTRIES
from tests.failing.server import Server
from tests.mixpanel import Answer, Mixpanel
from tests.relay import body, member

FAILED = {"index": 1, "insert_id": "b", "field": "properties.time", "message": "must be a number"}
REFUSED = {"code": 400, "failed_records": [FAILED], "num_records_imported": 1, "status": "Bad Request"}
TWO = """[{"event": "A", "properties": {"time": 1763971200, "distinct_id": "u", "$insert_id": "a"}},
 {"event": "B", "properties": {"time": 1763971200, "distinct_id": "u", "$insert_id": "b"}}]"""


@pytest.fixture
def hand(running, signed_in, sending: Server, mixpanel: Mixpanel) -> Iterator[Hand]:
    context = chromium.context_of(running, storage_state=signed_in)
    mixpanel.calls.clear()
    mixpanel.forget()
    page: Page = context.new_page()
    page.goto(f"{sending.url}/send")
    yield Hand(page)
    context.close()


@pytest.fixture(scope="module")
def carla(sending: Server) -> str:
    """A member, and the address of her page."""
    app = demo.app_of(sending)
    project = app.extensions["runtime"].database.read(lambda db: demo.projects.listed(db)[0])
    members = [member("carla-1", email="carla@example.org", first_name="Carla", last_name="Weber")]
    demo.receive_page(app, body("members", members, 1, 1, "s", "7", project.mixpanel_project_id, "Trial"))
    app.extensions["runtime"].database.dispose()
    return f"{sending.url}/people/1"


def answered(hand: Hand, says: str) -> None:
    expect(hand.page.locator("#answered")).to_contain_text(says)


def test_send_a_test_event_as_a_person_and_again(hand: Hand, carla: str, mixpanel: Mixpanel) -> None:
    hand.page.goto(carla)
    with hand.task(clicks=3, loads=3):
        hand.link("Send a test event as them")
        expect(hand.page.get_by_role("heading", level=1)).to_be_visible()
        expect(hand.page.locator("main header")).to_contain_text("Filled in for")
        hand.fill("Event required", "Signed up")
        hand.button("Send")
        answered(hand, "1 record accepted.")
    with hand.task(clicks=1, loads=1):
        hand.click(hand.page.locator("#answered").get_by_role("button", name=re.compile("again$")))
        answered(hand, "1 record accepted.")
    assert [call.records[0]["properties"]["distinct_id"] for call in mixpanel.calls[:1]] == ["carla-1"]


def test_what_is_missing_is_said_where_the_eye_is(hand: Hand, sending: Server, expects: Callable[[str], None]) -> None:
    expects("422")
    with hand.task(clicks=2, loads=2):
        hand.page.goto(f"{sending.url}/send?operation=track-event")
        hand.fill("Event required", "Signed up")
        hand.button("Send")
        stops = hand.page.locator("#stops")
        expect(stops).to_contain_text("Not sent: distinct id is missing")
        expect(stops).to_be_in_viewport()


def test_send_a_profile_update_and_go_back_to_its_form(hand: Hand, sending: Server) -> None:
    hand.page.goto(f"{sending.url}/send?operation=profile-set")
    with hand.task(clicks=3, loads=3):
        hand.fill("Distinct id required", "ada")
        hand.fill("$set: name 1", "plan")
        hand.fill("$set: value 1", "pro")
        hand.button("Send")
        answered(hand, "1 record accepted.")
    expect(hand.page.get_by_label("Distinct id required")).to_have_value("ada")


def test_see_a_rejected_record_and_mend_it(hand: Hand, sending: Server, mixpanel: Mixpanel) -> None:
    stored = {"code": 200, "num_records_imported": 1, "status": "OK"}
    mixpanel.script("/api/import", Answer(400, REFUSED), Answer(200, stored))
    hand.page.goto(f"{sending.url}/send?operation=import-events")
    with hand.task(clicks=5, loads=5):
        hand.click(hand.page.get_by_text("As JSON: one record, or many"))
        hand.fill("Body", TWO)
        hand.button("Send")
        answered(hand, "must be a number")
        hand.link("Send the failed one again")
        expect(hand.page.get_by_label("Body", exact=True)).to_have_value(re.compile('"b"'))
        hand.button("Send")
        answered(hand, "1 record accepted.")


def test_import_a_table_of_people(hand: Hand, sending: Server, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("distinct_id,email,name\nu1,a@example.org,Ada\nu2,b@example.org,Ben\n,c@example.org,Cy\n")
    hand.page.goto(f"{sending.url}/send/imports")
    with hand.task(clicks=4, loads=4):
        hand.click(hand.page.locator("[name=kind][value=people]"))
        hand.takes_file("#file", people)
        hand.button("Upload and check")
        expect(hand.page.locator("main")).to_contain_text("Send 2 records")
        hand.button("Start sending")
        expect(hand.page.locator("#import")).to_contain_text(re.compile(r"2\s*accepted"), timeout=60_000)


def test_segmentation_by_country_is_a_table_and_a_chart(hand: Hand, sending: Server, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/segmentation", Answer(body=COUNTRIES))
    with hand.task(clicks=4, loads=3):
        hand.types("segmentation")
        hand.press("Enter")
        hand.page.wait_for_url("**operation=segmentation-query**")
        hand.fill("Event required", "Signed up")
        hand.button("Send")
        answered(hand, "2 event names, 30 days, 1,575 events")
        expect(hand.page.locator("#shown canvas")).to_be_visible()


def test_list_saved_funnels(hand: Hand, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/funnels/list", Answer(body=[{"funnel_id": 7509, "name": "Signup funnel"}]))
    with hand.task(clicks=2, loads=2):
        hand.link("List saved funnels")
        hand.button("Send")
        answered(hand, "Signup funnel")
