"""The passwords of a connection: rotated, retired, and never the last one."""

import json
import re

from security import connections, simulation_jobs
from tests.dashboard.test_connections import knock, made, noted, password_in
from tests.relay import MINUTE, Browser, Relay


def rotated(browser: Browser, name: str = "crm") -> str:
    return password_in(browser.submit(f"/connections/{name}/rotate").text)


def live(relay: Relay, name: str = "crm") -> list[int]:
    return [one.id for one in relay.database.read(lambda db: connections.one(db, name)).passwords]


def test_after_a_rotation_both_passwords_are_live(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    second = rotated(browser)
    assert [knock(relay, "crm", one) for one in (relay.password, second)] == [200, 200]
    assert noted(relay) == [("operator@example.org", "connection.rotate", "crm")]
    assert second not in json.dumps(relay.rows("SELECT * FROM audit_entry"))


def test_the_question_says_who_would_be_shut_out(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    relay.refresh(["A"])
    rotated(browser)
    relay.clock.forward(4 * MINUTE)
    question = browser.page("/connections/crm/retire")
    assert re.search(r"used <time[^>]+>4 min ago</time></strong>: whoever uses it will get 401", question)
    assert "1 password stays live" in question


def test_retiring_the_older_ones_leaves_the_newest(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    second = rotated(browser)
    question = browser.page("/connections/crm/retire")
    browser.post("/connections/crm/retire", {"password": re.findall(r'name="password" value="(\d+)"', question)})
    assert [knock(relay, "crm", one) for one in (relay.password, second)] == [401, 200]


def test_one_password_is_retired_by_its_number(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    rotated(browser)
    first, second = live(relay)
    assert f"No. {second}" in browser.page(f"/connections/crm/retire?password={second}")
    browser.post("/connections/crm/retire", {"password": str(second)})
    assert live(relay) == [first]


def test_the_last_password_is_never_retired(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    (only,) = live(relay)
    response = browser.post("/connections/crm/retire", {"password": str(only)}, follow_redirects=True)
    assert "only live password" in response.text
    assert live(relay) == [only]
    assert "Nothing to retire" in browser.page("/connections/crm/retire")


def test_what_is_asked_for_all_at_once_is_refused_whole(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    rotated(browser)
    both = live(relay)
    browser.post("/connections/crm/retire", {"password": [str(one) for one in both]})
    assert live(relay) == both


def test_a_password_of_another_connection_is_not_retired(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    made(browser)
    rotated(browser)
    (foreign,) = live(relay, "billing")
    browser.post("/connections/crm/retire", {"password": str(foreign)})
    assert live(relay, "billing") == [foreign]


def test_the_password_lent_to_a_simulated_export_is_not_shown(relay: Relay) -> None:
    def lend(db) -> int:
        export = simulation_jobs.ask(db, "crm", "tests", relay.clock())
        simulation_jobs.claim(db, export, relay.clock())
        lent, _ = connections.temporary(db, "key", "crm", relay.clock())
        simulation_jobs.lend(db, export, lent)
        return lent

    lent = relay.database.write(lend)
    assert f"No. {lent}" not in relay.sign_in("viewer").page("/connections/crm")
