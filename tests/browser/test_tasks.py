"""What an operator's tasks cost in clicks and loads of whole pages: no more than when they were counted first, and
those that failed then do not."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import chromium, demo
from tests.browser.counting import Hand
from tests.failing.server import Server

LONG = "correct horse battery"


@pytest.fixture(scope="module")
def own(shown: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo once more, for what changes it."""
    with demo.served(shown.instance, tmp_path_factory.mktemp("tasks")) as server:
        yield server


@pytest.fixture
def page(running, own: Server) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, own.url, demo.email_of("admin"), demo.PASSWORD)
    yield context.new_page()
    context.close()


@pytest.fixture
def hand(page: Page, own: Server) -> Hand:
    """At the overview, signed in."""
    page.goto(own.url)
    return Hand(page)


def sidebar(hand: Hand, word: str) -> None:
    hand.click(hand.page.get_by_role("navigation", name="Main").get_by_role("link", name=word))


def opens_search(hand: Hand) -> None:
    hand.press("/")
    expect(hand.page.locator("#palette-q")).to_be_focused()


def test_first_sign_up_with_one_wrong_code(running, empty: Server, expects: Callable[[str], None]) -> None:
    expects("422")
    code = re.search(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", (empty.instance / "server.log").read_text())
    assert code is not None
    context = chromium.context_of(running)
    hand = Hand(context.new_page())
    with hand.task(clicks=2, loads=3):
        hand.page.goto(empty.url)
        hand.types("AAAA-AAAA-AAAA-AAAA")
        hand.fill("E-mail", "ada@example.org")
        hand.fill("Password", LONG)
        hand.button("Create the operator")
        expect(hand.page.get_by_label("E-mail")).to_have_value("ada@example.org")
        hand.fill("Code", code.group().lower().replace("-", " "))
        hand.fill("Password", LONG)
        hand.button("Create the operator")
        expect(hand.page.get_by_role("navigation", name="Main")).to_be_visible()
    context.close()


def test_make_a_connection_and_simulate_an_export_on_its_page(hand: Hand) -> None:
    with hand.task(clicks=3, loads=3):
        sidebar(hand, "Connections")
        hand.link("Create a connection")
        hand.fill("Name", "CRM Prod")
        hand.button("Create the connection")
        expect(hand.page.locator("#waiting")).to_contain_text("Waiting for the first call")
        expect(hand.page.locator("main")).to_contain_text("crm-prod")


def test_find_one_member_by_e_mail_and_by_name_and_go_back(hand: Hand, own: Server) -> None:
    with hand.task(clicks=0, loads=1):
        opens_search(hand)
        hand.types("lapsed7@example.org")
        expect(hand.page.locator("#found [role=option]").first).to_contain_text("lapsed7@example.org")
        hand.press("Enter")
        hand.page.wait_for_url("**/people/*")
        expect(hand.page.get_by_role("heading", level=1)).to_contain_text("lapsed7")
    hand.page.goto(own.url)
    with hand.task(clicks=1, loads=2):
        opens_search(hand)
        hand.types("lapsed")
        hand.click(hand.page.locator("#found [role=option][data-href*='/people/']").first)  # there is a cohort, too
        hand.page.wait_for_url("**/people/*")
        expect(hand.page.get_by_role("heading", level=1)).to_contain_text("lapsed")
    hand.page.go_back()
    expect(hand.page).to_have_url(f"{own.url}/")


def test_why_a_sync_stalled(hand: Hand) -> None:
    with hand.task(clicks=1, loads=2):
        stalled = hand.page.locator("#now li", has_text="Webinar guests")
        hand.click(stalled.get_by_role("link").first)
        expect(hand.page.locator("main")).to_contain_text(re.compile("missing", re.IGNORECASE))


@pytest.mark.parametrize(("answer", "loads", "says"), [("Reject", 2, "keep everyone"), ("Approve", 3, "remove")])
def test_decide_about_a_held_refresh(
    running, shown: Server, tmp_path: Path, answer: str, loads: int, says: str
) -> None:
    with demo.served(shown.instance, tmp_path / "held") as server:
        context = chromium.context_of(running)
        chromium.sign_in(context, server.url, demo.email_of("admin"), demo.PASSWORD)
        hand = Hand(context.new_page())
        hand.page.goto(server.url)
        with hand.task(clicks=2, loads=loads):
            hand.click(hand.page.get_by_role("link", name="Decide").first)
            hand.click(hand.page.get_by_role("button", name=re.compile(f"^{answer}.*{says}")))
            expect(hand.page.get_by_role("status").or_(hand.page.get_by_role("alert")).first).to_be_visible()
        context.close()


def test_a_cohort_as_of_a_day_says_how_many_and_exports_what_is_shown(hand: Hand) -> None:
    sidebar(hand, "Cohorts")
    hand.link("Paying users")
    day = str(datetime.now(UTC).date() - timedelta(days=4))
    with hand.task(clicks=4, loads=2):
        hand.page.locator("#by-day").fill(day)
        hand.button("Show", within=hand.page.locator("main"))
        expect(hand.page.locator("#members")).to_contain_text(f"Members as of the end of {day}")
        expect(hand.page.locator("#list")).to_contain_text(re.compile(r"1 to 50 of [\d,]+"))
        expect(hand.page.locator("main")).to_contain_text(re.compile(r"[\d,]+ members then, [\d,]+ now"))
    with hand.task(clicks=2, loads=0):
        hand.click(hand.page.locator("summary", has_text="Export"))
        with hand.page.expect_download() as download:
            hand.click(hand.page.get_by_role("link", name=re.compile("as CSV")))
    found = re.search(r"1 to 50 of ([\d,]+)", hand.page.locator("#list").inner_text())
    assert found is not None
    assert download.value.suggested_filename == f"paying-users-{day}.csv"
    assert len(download.value.path().read_text().splitlines()) - 1 == int(found[1].replace(",", ""))


def test_set_up_an_alert_in_the_browser(hand: Hand, own: Server) -> None:
    hand.page.goto(f"{own.url}/settings/alerts")
    with hand.task(clicks=3, loads=3):
        hand.link("Add Slack")
        hand.fill("Name", "chat")
        hand.fill("Address", "http://127.0.0.1:9/services/secret")
        hand.button("Add the channel")
        row = hand.page.locator("#channels tr", has_text="chat")
        hand.click(row.get_by_role("button", name="Send a test"))
        expect(row).to_contain_text("Test is on its way")


def test_rotate_a_password_once_however_often_the_page_is_loaded(hand: Hand, own: Server) -> None:
    with hand.task(clicks=2, loads=2):
        hand.page.goto(f"{own.url}/connections/crm")
        hand.button("Rotate the password")
        shown = hand.page.locator("[data-password] code")
        expect(shown).to_be_visible()
    address = hand.page.url
    hand.page.reload()
    hand.page.goto(f"{own.url}/connections/crm")
    many = hand.page.locator("main").inner_text()
    hand.page.goto(address)
    hand.page.goto(f"{own.url}/connections/crm")
    assert hand.page.locator("main").inner_text().count("No.") == many.count("No.")


def test_add_a_second_operator_who_chooses_their_own_password(hand: Hand, own: Server) -> None:
    hand.page.goto(f"{own.url}/settings")
    with hand.task(clicks=3, loads=2):
        hand.link("Operators", within=hand.page.locator("main"))
        hand.page.locator("#invited").fill("grace@example.org")
        hand.button("Create the link")
        expect(hand.page.locator("main")).to_contain_text("/join")


def test_erase_a_person(hand: Hand) -> None:
    opens_search(hand)
    hand.types("lapsed8@example.org")
    expect(hand.page.locator("#found [role=option]").first).to_contain_text("lapsed8@example.org")
    hand.press("Enter")
    hand.page.wait_for_url("**/people/*")
    with hand.task(clicks=2, loads=3):
        hand.click(hand.page.get_by_role("link", name=re.compile("^Erase")))
        hand.button("Erase for good")
        expect(hand.page.locator("main")).to_contain_text("erased")


def test_compare_a_cohort_with_mixpanel(hand: Hand) -> None:
    sidebar(hand, "Cohorts")
    hand.link("Paying users")
    with hand.task(clicks=3, loads=4):
        hand.click(hand.page.locator("summary", has_text="Send"))
        hand.link("Compare with Mixpanel")
        hand.button("Compare")
        expect(hand.page.locator("#comparison")).to_be_visible()
