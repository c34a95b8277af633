"""What is seen of backups: on the overview, in alerts, numbers, the status page, and by the doctor."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import alerts
from backups import making
from commands.work import addresses
from config.clock import iso
from tests.alerts.subjects import log
from tests.backups.conftest import Place, folder_place
from tests.conftest import MakeRelay
from tests.relay import MINUTE, START, Browser, Relay

HOUR = 60 * MINUTE


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return folder_place(tmp_path)


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def relay(make_relay: MakeRelay, place: Place) -> Iterator[Relay]:
    one = make_relay(
        backup_to=place.address,
        backup_every_hours=6,
        alert_webhook_url="http://127.0.0.1:1/hook",
        public_url="https://relay.example.com",
    )
    one.refresh({"ada"})
    return one


def back_up(relay: Relay) -> None:
    making.run_due(relay.app.extensions["runtime"])


def fail(relay: Relay, place: Place) -> None:
    """A try that comes to nothing, because the folder is not there."""
    Path(place.address).rename(f"{place.address}-away")
    back_up(relay)
    Path(f"{place.address}-away").rename(place.address)


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("viewer")


def seen(browser: Browser) -> tuple[str, str]:
    """The overview's sentence, and what it says of backups."""
    text = browser.page("/")
    headline = re.search(r"<h1[^>]*>.*?</span>(.*?)</h1>", text, re.DOTALL)
    backups = re.search(r'id="backups">(.*?)</p>', text, re.DOTALL)
    needs = re.findall(r"<strong>Backups</strong>(.*?)</p>", text, re.DOTALL)
    assert headline is not None
    return headline[1].strip(), " ".join([*(one.strip() for one in needs), backups[1] if backups else "nothing"])


def told(relay: Relay) -> list[tuple[str, str]]:
    settings = relay.app.extensions["runtime"].settings
    alerts.run_once(relay.database, settings, relay.clock, addresses(relay.app.url_map))
    return [(row.subject, row.kind) for row in log(relay)]


def numbers(relay: Relay) -> dict[str, float]:
    found = re.findall(r"^(cohort_relay_backup_\w+) (\S+)$", relay.client.get("/metrics").text, re.MULTILINE)
    return {name.removeprefix("cohort_relay_backup_"): float(value) for name, value in found}


def doctors(relay: Relay) -> dict[str, str]:
    report = json.loads(relay.app.test_cli_runner().invoke(args=["doctor", "--json"]).output)
    return next(one for one in report["checks"] if one["name"] == "backups")


def public(relay: Relay) -> dict[str, object]:
    relay.app.extensions["status"].made_at = float("-inf")
    found: dict[str, object] = relay.client.get("/status.json").json
    return found


def test_a_good_one_is_shown_with_its_age_size_and_whether_it_is_encrypted(relay: Relay, browser: Browser) -> None:
    back_up(relay)
    headline, says = seen(browser)
    assert headline == "The one cohort is in step."
    assert re.match(r"Last good backup <time.*>, \d+ KB, not encrypted, in /", says), says
    assert told(relay) == []
    assert numbers(relay)["timestamp_seconds"] == START / 1000
    assert numbers(relay)["trouble"] == 0
    assert doctors(relay)["state"] == "ok"
    relay.clock.forward(5 * MINUTE)
    found = public(relay)
    assert (found["status"], found["last_backup_at"], found["last_backup_age_seconds"]) == ("ok", iso(START), 300)


def test_a_failed_one_needs_somebody_and_its_end_is_told(relay: Relay, browser: Browser, place: Place) -> None:
    back_up(relay)
    relay.clock.forward(6 * HOUR)
    fail(relay, place)
    headline, says = seen(browser)
    assert "need you" in headline or "needs you" in headline
    assert "The last try, just now, failed: The folder is not there. The last good backup was made 6 h ago" in says
    assert ("backups", "failing") in told(relay)
    assert log(relay)[0].link.startswith("https://relay.example.com/")
    assert numbers(relay)["trouble"] == 1
    assert public(relay)["status"] == "degraded"
    assert (doctors(relay)["state"], "at once by flask backup" in doctors(relay)["next_step"]) == ("fail", True)

    relay.clock.forward(15 * MINUTE)
    back_up(relay)
    assert ("backups", "recovered") in told(relay)
    assert doctors(relay)["state"] == "ok"


def test_a_late_one_needs_somebody(relay: Relay, browser: Browser) -> None:
    back_up(relay)
    relay.clock.forward(7 * HOUR + 30 * MINUTE)
    assert ("backups", "quiet") not in told(relay)
    relay.clock.forward(1)
    assert ("backups", "quiet") in told(relay)
    assert "The next backup is late. The last good backup was made 7 h ago" in seen(browser)[1]


def test_before_the_first_one_and_without_any_nothing_is_wrong(relay: Relay, browser: Browser) -> None:
    assert "No backup yet in /" in seen(browser)[1]
    assert (told(relay), doctors(relay)["state"]) == ([], "warn")
    settings = relay.app.extensions["runtime"].settings
    settings.backup_to = ""
    assert seen(browser)[1] == "nothing"
    assert numbers(relay) == {}
    assert doctors(relay)["state"] == "ok"
    assert public(relay)["last_backup_at"] is None
