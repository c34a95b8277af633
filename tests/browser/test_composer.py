"""Sending as a loop: edit, press Ctrl+Enter, look; the answer comes beside the form, and what stops it says where."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.failing.server import Server
from tests.mixpanel import Answer, Mixpanel

EVENT = "/send?operation=import-events"
ADD = "/send?operation=profile-numerical-add"


@pytest.fixture
def page(running, signed_in, mixpanel: Mixpanel) -> Iterator[Page]:
    context = chromium.context_of(running, storage_state=signed_in)
    mixpanel.calls.clear()
    mixpanel.forget()
    yield context.new_page()
    context.close()


def fill_event(page: Page, sending: Server) -> None:
    page.goto(sending.url + EVENT)
    page.get_by_label("Event required").fill("Signed up")
    page.get_by_label("Distinct id required").fill("ada")


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()


def answer(page: Page, says: str) -> None:
    expect(page.locator("#answered")).to_contain_text(says)


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_ctrl_enter_sends_and_the_answer_comes_beside_the_form(
    page: Page, sending: Server, mixpanel: Mixpanel, keys: str
) -> None:
    fill_event(page, sending)
    page.keyboard.press(keys)
    answer(page, "1 record accepted.")
    expect(page.get_by_label("Event required")).to_have_value("Signed up")
    expect(page.get_by_label("Distinct id required")).to_be_focused()
    expect(page.locator("#answered")).to_be_in_viewport()
    page.get_by_label("Distinct id required").fill("grace")
    page.keyboard.press(keys)
    answer(page, "grace")
    assert [call.records[0]["properties"]["distinct_id"] for call in mixpanel.calls] == ["ada", "grace"]


def test_reload_and_back_lead_to_the_form_and_its_answer(page: Page, sending: Server, mixpanel: Mixpanel) -> None:
    page.goto(f"{sending.url}/send")
    fill_event(page, sending)
    send(page)
    answer(page, "1 record accepted.")
    sent = page.url
    page.reload()
    answer(page, "1 record accepted.")
    page.get_by_role("link", name="On a page of its own").click()
    page.wait_for_url("**/send/history/*")
    page.go_back()
    expect(page).to_have_url(sent)
    expect(page.get_by_label("Distinct id required")).to_have_value("ada")
    answer(page, "1 record accepted.")
    page.go_back()
    expect(page).to_have_url(f"{sending.url}/send")
    assert len(mixpanel.calls) == 1


def test_the_button_says_that_it_sends_and_cannot_be_pressed_twice(
    page: Page, sending: Server, mixpanel: Mixpanel
) -> None:
    mixpanel.script("/api/import", Answer(body={"code": 200, "num_records_imported": 1, "status": "OK"}, after=0.6))
    fill_event(page, sending)
    send(page)
    waits = page.get_by_role("button", name="Sending…")
    expect(waits).to_have_attribute("aria-disabled", "true")
    waits.click(force=True)
    page.keyboard.press("Control+Enter")
    answer(page, "1 record accepted.")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    assert len(mixpanel.calls) == 1


def test_what_a_check_stops_says_so_in_view_and_fix_leads_to_the_field(
    page: Page, sending: Server, mixpanel: Mixpanel, expects: Callable[[str], None]
) -> None:
    expects("status of 422")
    page.goto(sending.url + EVENT)
    page.get_by_label("Event required").fill("Signed up")
    send(page)
    stopped = page.locator("#stops")
    expect(stopped).to_contain_text("Not sent: distinct id is missing.")
    expect(stopped).to_be_in_viewport()
    expect(stopped.get_by_role("button", name="Send all the same")).to_have_count(0)
    stopped.get_by_role("link", name="Fix").click()
    field = page.get_by_label("Distinct id required")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(page.locator('[data-field="params.distinct_id"] .wrong')).to_have_text(" Distinct id is missing.")
    field.fill("ada")
    expect(stopped).to_have_count(0)
    page.keyboard.press("Control+Enter")
    answer(page, "1 record accepted.")


def test_what_is_only_advised_against_is_sent_all_the_same(
    page: Page, sending: Server, mixpanel: Mixpanel, expects: Callable[[str], None]
) -> None:
    expects("status of 422")
    fill_event(page, sending)
    page.get_by_label("Distinct id required").fill("undefined")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#stops")).to_contain_text("is an id that Mixpanel throws away")
    assert mixpanel.calls == []
    page.get_by_role("button", name="Send all the same").click()
    answer(page, "1 record accepted.")
    assert len(mixpanel.calls) == 1


def test_fix_opens_what_is_folded(page: Page, sending: Server, expects: Callable[[str], None]) -> None:
    expects("status of 422")
    page.goto(f"{sending.url}/send?operation=profile-batch-update")
    page.get_by_label("Body", exact=True).fill("[{]")
    page.get_by_text("As JSON: one record, or many").click()
    send(page)
    page.locator("#stops").get_by_role("link", name="Fix").click()
    expect(page.get_by_label("Body", exact=True)).to_be_focused()


def test_the_foot_with_send_check_and_project_stays_in_view(page: Page, sending: Server) -> None:
    page.goto(sending.url + "/send?operation=engage-query")
    page.get_by_text("more parameter").click()
    for place in (0, 600):
        page.evaluate("(place) => scrollTo(0, place)", place)
        for name in ("Send", "Check only"):
            expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
        expect(page.get_by_label("Project")).to_be_in_viewport(ratio=1)


def test_a_check_says_so_in_the_foot_and_sends_nothing(page: Page, sending: Server, mixpanel: Mixpanel) -> None:
    fill_event(page, sending)
    page.get_by_role("button", name="Check only").click()
    expect(page.locator("#send-bar")).to_contain_text("The checks find nothing wrong. Nothing was sent.")
    expect(page.get_by_label("Distinct id required")).to_have_value("ada")
    assert mixpanel.calls == []


def test_what_adds_is_run_again_after_a_question_with_its_count(
    page: Page, sending: Server, mixpanel: Mixpanel
) -> None:
    page.goto(sending.url + ADD)
    page.get_by_label("Distinct id required").fill("ada")
    page.get_by_label("$add: name 1").fill("logins")
    page.get_by_label("$add: value 1").fill("1")
    send(page)
    answer(page, "1 record accepted.")
    page.get_by_role("button", name="Run again").click()
    asked = page.locator("#ask-again")
    expect(asked).to_contain_text(re.compile(r"Send 1 update to practice \(\d+\)\?"))
    page.get_by_role("button", name="Do not send").click()
    expect(asked).to_have_count(0)
    assert len(mixpanel.calls) == 1


def test_as_a_new_event_asks_and_counts_beside_the_first(page: Page, sending: Server, mixpanel: Mixpanel) -> None:
    fill_event(page, sending)
    page.locator('[name="p.time"]').fill("1763971200")
    send(page)
    answer(page, "1 record accepted.")
    page.get_by_role("button", name="As a new event").click()
    page.locator("#ask-again").get_by_role("button", name="Send it").click()
    expect(page.locator("#ask-again button")).to_have_count(0)
    answer(page, "1 record accepted.")
    first, second = (call.records[0]["properties"] for call in mixpanel.calls)
    assert first["$insert_id"] != second["$insert_id"]


def test_what_takes_away_is_asked_in_the_foot_and_a_change_takes_the_question_back(
    page: Page, sending: Server, mixpanel: Mixpanel
) -> None:
    page.goto(f"{sending.url}/send?operation=delete-profile")
    page.get_by_label("Distinct id required").fill("ada")
    send(page)
    expect(page.locator("#question")).to_contain_text("This cannot be taken back.")
    expect(page.get_by_role("button", name="Send it")).to_be_focused()
    page.get_by_label("Distinct id required").fill("grace")
    expect(page.locator("#question")).to_have_count(0)
    assert mixpanel.calls == []
    send(page)
    page.get_by_role("button", name="Send it").click()
    answer(page, "1 record accepted.")
    assert mixpanel.calls[0].records[0]["$distinct_id"] == "grace"


def test_a_relay_that_does_not_answer_is_told_beside_the_button(
    page: Page, sending: Server, expects: Callable[[str], None]
) -> None:
    expects("ERR_FAILED|Failed to fetch")
    fill_event(page, sending)
    page.route("**/send", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    send(page)
    expect(page.locator("#send-bar")).to_contain_text("No answer came from the relay.")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_a_time_is_shown_as_people_read_it_and_now_is_one_press(
    page: Page, sending: Server, mixpanel: Mixpanel
) -> None:
    fill_event(page, sending)
    field = page.locator('[data-field="params.time"]')
    known = {"1763971200": "2025-11-24 08:00:00 UTC", "2026-11-24T09:30:00+02:00": "2026-11-24 07:30:00 UTC"}
    for typed, shown in known.items():
        field.locator("input").first.fill(typed)
        expect(field.locator("[data-moment]")).to_have_text(shown)
    field.locator("input").first.fill("soon")
    expect(field.locator("[data-moment]")).to_have_text("")
    field.get_by_role("button", name="Now").click()
    page.keyboard.press("Control+Enter")
    answer(page, "1 record accepted.")
    assert abs(mixpanel.calls[0].records[0]["properties"]["time"] - time.time()) < 60


def test_people_are_offered_while_their_id_is_typed_and_nothing_of_them_is_in_an_address(
    page: Page, sending: Server
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(sending.url + EVENT)
    with page.expect_response("**/send/people") as answer:
        page.get_by_label("Distinct id required").press_sequentially("ad")
    assert answer.value.ok
    assert answer.value.request.post_data is not None
    expect(page.get_by_label("Distinct id required")).to_have_attribute("list", "known-people")
    assert not [address for address in asked if "=ad" in address]


def test_a_time_is_chosen_from_the_calendar(running, signed_in, sending: Server) -> None:
    context = chromium.context_of(running, storage_state=signed_in, timezone_id="Europe/Stockholm")
    page = context.new_page()
    page.goto(sending.url + EVENT)
    field = page.locator('[data-field="params.time"]')
    field.get_by_label("or choose").fill("2026-11-24T09:30:00")
    expect(field.locator("input").first).to_have_value("2026-11-24T08:30:00.000Z")
    expect(field.locator("[data-moment]")).to_have_text("2026-11-24 08:30:00 UTC")
    context.close()
