"""An operator relays a cohort, with the worker at work: connected, tested, watched, sent again, and removed."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask import Flask
from playwright.sync_api import Page, expect

from config.clock import now
from security import connections
from simulator.stand_in.answers import Mixpanel
from simulator.stand_in.receiver import PATH, Receiver
from simulator.stand_in.server import Server as StandIn
from tests import relay
from tests.browser import chromium, demo
from tests.failing.server import SECRET_KEY, Server

SOON = 15_000  # milliseconds within which the worker has done what is due, and the page has asked again


@dataclass
class Walk:
    """One operator at one browser, and the far end that they relay to."""

    server: Server
    app: Flask
    page: Page
    url: str

    def answers(self, status: str) -> None:
        """Have the far end answer so from now on."""
        requests.post(f"{self.url}/answer", data={"status": status}, timeout=5)

    def there(self) -> str:
        return requests.get(self.url, timeout=5).text

    def enters(self, name: str) -> None:
        member = relay.member(name, email=f"{name}@example.org")
        demo.receive_page(self.app, relay.body("add_members", [member], session=name))

    def press(self, word: str) -> None:
        self.page.get_by_role("button", name=word).click()

    def follow(self, word: str) -> None:
        self.page.locator("main").get_by_role("link", name=word).first.click()

    def shows(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words, timeout=SOON)


@pytest.fixture
def far_end() -> Iterator[str]:
    server = StandIn(("127.0.0.1", 0), Mixpanel(list, lambda *_: []), lambda _line: None, Receiver())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}{PATH}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def walk(running, tmp_path: Path, far_end: str) -> Iterator[Walk]:
    with demo.untouched(tmp_path, {"ALLOW_PRIVATE_DESTINATIONS": "on"}) as server:
        app = demo.app_of(server)
        demo.add_operators(app)
        database = app.extensions["runtime"].database
        database.write(lambda db: connections.add(db, SECRET_KEY, "crm", now()))
        members = [relay.member(name, email=f"{name}@example.org") for name in ("ada", "bob")]
        demo.receive_page(app, relay.body("members", members))
        context = chromium.context_of(running)
        chromium.sign_in(context, server.url, demo.email_of("operator"), demo.PASSWORD)
        yield Walk(server, app, context.new_page(), far_end)
        context.close()
        database.dispose()


def connect(walk: Walk) -> None:
    walk.page.goto(f"{walk.server.url}/destinations")
    walk.follow("Connect a destination")
    walk.follow("Webhook")
    walk.page.get_by_label("Name", exact=True).fill("shop")
    walk.page.get_by_label("Address").fill(walk.url)
    walk.page.get_by_text("Pace and retries").click()
    walk.page.get_by_label("Pauses").fill("600, 600")
    walk.page.get_by_role("button", name="Connect").click()
    walk.shows("shop is connected")


def subscribe(walk: Walk) -> None:
    walk.follow("Send a cohort there")
    walk.page.get_by_label("Cohort", exact=True).select_option(index=1)
    expect(walk.page.get_by_label("The property's name")).to_be_hidden()
    walk.page.get_by_label("Changes from now on").check()
    walk.page.get_by_label("Fields that go along").fill("mail = email")
    walk.press("Preview")
    walk.shows("2in the cohort now")
    walk.shows("mail from email")
    expect(walk.page.locator("main")).not_to_contain_text("ada@example.org")
    walk.press("Start")
    walk.shows("It has started.")


def check_keeps_the_secret_on_the_page(walk: Walk) -> None:
    secret = walk.page.locator("[data-secret] code").inner_text()
    assert secret.startswith("whsec_")
    walk.press("Check that it answers")
    walk.shows("It answers (200 to a call without an event).")
    assert walk.page.locator("[data-secret] code").inner_text() == secret


def try_with_one_person(walk: Walk) -> None:
    walk.follow("Test with one person")
    walk.shows("This is a real call.")
    walk.page.get_by_label("Distinct id").fill("ada")
    walk.press("Send the test")
    walk.shows("one chosen person, as a test")
    assert "ada@example.org" in walk.there()


def watch(walk: Walk, address: str) -> None:
    walk.page.goto(address)
    walk.enters("cy")
    walk.page.reload()
    walk.shows("1applied")
    walk.shows("Everything that could be sent is sent.")


def see_who_waits_and_until_when(walk: Walk) -> None:
    walk.answers("503")
    walk.enters("dora")
    walk.page.reload()
    walk.shows("Having trouble")
    walk.shows("next try in")
    walk.follow("1 message")
    walk.shows("dora@example.org")


def send_again_what_was_rejected(walk: Walk, address: str) -> None:
    walk.answers("422")
    walk.enters("emil")
    walk.page.goto(address)
    walk.shows("It answered 422")
    walk.answers("200")
    walk.follow("Send again")
    walk.shows("Send 1 message again?")
    walk.press("Send 1 message again")
    walk.shows("1 message is sent once more.")
    expect(walk.page.locator("main")).not_to_contain_text("What did not arrive", timeout=SOON)


def read_it_on_the_persons_page(walk: Walk) -> None:
    walk.page.get_by_role("link", name="applied").first.click()
    walk.follow("emil@example.org")
    walk.shows("to shop Applied")


def pause_and_resume(walk: Walk, address: str) -> None:
    walk.page.goto(address)
    walk.follow("Pause")
    walk.page.get_by_label("Reason").fill("they count stock")
    walk.press("Pause")
    walk.shows("they count stock")
    walk.press("Resume")
    walk.shows("It goes on where it was.")


def remove(walk: Walk) -> None:
    walk.follow("Remove the subscription")
    walk.shows("the history of 3 messages")
    walk.shows("1 message is never sent.")
    walk.press("Remove the subscription")
    walk.shows("goes to shop no more")
    walk.page.reload()
    walk.shows("None yet.")
    walk.follow("Remove shop")
    walk.press("Remove shop")
    walk.shows("is being removed")


def test_an_operator_relays_a_cohort_from_the_first_click_to_the_last(walk: Walk) -> None:
    connect(walk)
    check_keeps_the_secret_on_the_page(walk)
    subscribe(walk)
    address = walk.page.url
    try_with_one_person(walk)
    watch(walk, address)
    see_who_waits_and_until_when(walk)
    send_again_what_was_rejected(walk, address)
    read_it_on_the_persons_page(walk)
    pause_and_resume(walk, address)
    remove(walk)
