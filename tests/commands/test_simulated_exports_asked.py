"""The simulated export that an operator asks for in the dashboard (F18): played over HTTP, compared, and tidied up."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from security import connections, simulation_jobs
from simulator import job_runner
from simulator.job_runner import PEOPLE
from simulator.loopback import served
from tests.commands.conftest import Terminal
from tests.failing.server import free_port
from tests.relay import Relay

COHORT = "simulated-crm"
GO_ON = Event()


@pytest.fixture
def url(relay: Relay) -> Iterator[str]:
    """The relay behind a real HTTP server at its public address."""
    with served(relay.app) as address:
        settings(relay).public_url = address
        yield address


def settings(relay: Relay) -> Any:
    return relay.app.extensions["runtime"].settings


def ask(relay: Relay, connection: str = "crm") -> int:
    return relay.database.write(lambda db: simulation_jobs.ask(db, connection, "ada@example.com", relay.clock()))


def play(relay: Relay, stop: Event = GO_ON) -> bool:
    return job_runner.play_due(relay.app.extensions["runtime"], stop)


def take(relay: Relay) -> job_runner.Job | None:
    """Claim the latest as a worker does."""
    here, export_id = relay.app.extensions["runtime"], latest(relay).id
    return relay.database.write(lambda db: job_runner._take(db, here, export_id, relay.clock()))


def latest(relay: Relay, connection: str = "crm") -> simulation_jobs.Simulated:
    found = relay.database.read(lambda db: simulation_jobs.latest(db, connection))
    assert found is not None
    return found


def live_passwords(relay: Relay) -> int:
    (crm,) = relay.database.read(connections.listed)
    return len(crm.passwords)


def nobody_listens(relay: Relay) -> None:
    settings(relay).public_url = f"http://127.0.0.1:{free_port()}"
    settings(relay).port = free_port()


def test_it_passes_and_says_what_was_sent_and_found(relay, url):
    ask(relay)
    assert play(relay)
    found = latest(relay)
    assert (found.state, found.report["passed"], found.ended_at) == ("passed", True, relay.clock())
    assert [(one["action"], one["page"], one["members"], one["again"]) for one in found.report["sent"]] == [
        ("members", 3, 50, False),
        ("members", 2, 100, False),
        ("members", 2, 100, True),
        ("members", 1, 100, False),
        ("add_members", 1, 20, False),
        ("remove_members", 1, 10, False),
    ]
    assert (found.report["found"]["sent"], found.report["found"]["there"]) == (260, 260)
    assert found.report["sentences"] == [
        "250 members came in 3 pages, out of order, and one page came twice.",
        "Then 20 entered and 10 left.",
        "The cohort has exactly the 260 members that were sent, and its log agrees.",
    ]


def test_what_it_sent_is_there_as_any_cohort(relay, url):
    ask(relay)
    play(relay)
    assert relay.cohort(COHORT, job_runner.PROJECT)["name"] == "Simulated export"
    assert len(relay.members(COHORT, job_runner.PROJECT)) == PEOPLE + 10


def test_it_passes_again_and_again(relay, url):
    for _ in range(3):
        ask(relay)
        play(relay)
        assert latest(relay).report["passed"], latest(relay).report


def test_the_password_and_the_token_of_it_are_gone_afterwards(relay, url):
    ask(relay)
    play(relay)
    assert live_passwords(relay) == 1
    assert relay.rows("SELECT name FROM api_token WHERE name LIKE 'simulate%'") == []
    relay.refresh(["A"])


def test_asking_twice_is_one_export_until_it_is_over(relay, url):
    first = ask(relay)
    assert ask(relay) == first
    play(relay)
    assert not play(relay)
    assert ask(relay) > first


def test_the_latest_export_of_a_connection_is_its_own(relay, url):
    ask(relay)
    assert relay.database.read(lambda db: simulation_jobs.latest(db, "other")) is None
    assert (latest(relay).state, latest(relay).is_open, latest(relay).report) == ("waiting", True, None)


def test_a_difference_is_told(relay, url):
    ask(relay)
    play(relay)
    lost = text("DELETE FROM membership WHERE person_id = (SELECT max(person_id) FROM membership)")
    relay.database.write(lambda db: db.execute(text("UPDATE membership SET left_at = 1 WHERE left_at IS NULL")))
    relay.database.write(lambda db: db.execute(lost))
    ask(relay)
    play(relay)
    assert (latest(relay).state, latest(relay).report["passed"]) == ("failed", False)
    assert "What the API says is not what was sent:" in latest(relay).report["sentences"]


def test_a_connection_that_is_switched_off_fails_with_a_sentence(relay, url):
    relay.database.write(lambda db: connections.switch(db, "crm", enabled=False))
    ask(relay)
    play(relay)
    assert latest(relay).state == "failed"
    assert latest(relay).report["sentences"] == [
        "The connection crm is switched off: every call gets 503. Switch it on, then try again."
    ]
    assert live_passwords(relay) == 1


def test_a_connection_that_is_not_there_fails_with_a_sentence(relay, url):
    ask(relay, "gone")
    play(relay)
    assert latest(relay, "gone").report["sentences"] == ["There is no connection gone."]


def test_without_a_server_it_fails_with_a_sentence(relay):
    nobody_listens(relay)
    ask(relay)
    play(relay)
    (sentence,) = latest(relay).report["sentences"]
    assert sentence == f"No server answers at {settings(relay).public_url}. Start it, or correct PUBLIC_URL."
    assert (latest(relay).state, live_passwords(relay)) == ("failed", 1)


def test_where_the_public_address_does_not_answer_it_goes_to_this_machines_own(relay, url):
    nobody_listens(relay)
    settings(relay).host, settings(relay).port = "0.0.0.0", int(url.rpartition(":")[2])
    ask(relay)
    play(relay)
    assert latest(relay).state == "passed"


def test_a_refusal_is_told_with_what_mixpanel_would_do(relay, url):
    here = relay.app.extensions["runtime"]
    ask(relay)
    job = take(relay)
    relay.database.write(lambda db: connections.retire_one(db, job.password_id, relay.clock()))
    report = job_runner._report(here, job, GO_ON)
    assert report["sentences"][0].startswith("The relay refused page 3 of 3 of members, and Mixpanel would have paused")


def test_a_worker_that_is_told_to_stop_leaves_it_to_the_next(relay, url):
    told = Event()
    told.set()
    ask(relay)
    play(relay, told)
    assert (latest(relay).state, live_passwords(relay)) == ("waiting", 1)
    play(relay)
    assert latest(relay).state == "passed"


def abandoned(relay: Relay) -> int:
    """What a worker leaves that is killed while it plays; the id of the password that it was lent."""
    ask(relay)
    job = take(relay)
    assert job is not None
    assert job.password_id is not None
    return job.password_id


def test_what_a_dead_worker_left_is_taken_over_when_its_claim_runs_out(relay, url):
    abandoned(relay)
    assert not play(relay)
    assert (latest(relay).state, latest(relay).report) == ("running", None)
    relay.clock.forward(simulation_jobs.CLAIM)
    assert play(relay)
    assert (latest(relay).state, live_passwords(relay)) == ("passed", 1)


def test_a_worker_that_slept_until_another_took_over_reports_nothing(relay):
    ask(relay)
    asleep = take(relay)
    relay.clock.forward(simulation_jobs.CLAIM)
    assert take(relay) is not None
    runtime = relay.app.extensions["runtime"]
    for report in (None, {"passed": False, "sent": [], "found": {}, "sentences": ["The password was retired."]}):
        relay.database.write(lambda db, r=report: job_runner._put_back(db, runtime, asleep, r))
        assert latest(relay).state == "running"


def test_only_one_worker_gets_it(relay):
    abandoned(relay)
    assert take(relay) is None


def test_retiring_older_passwords_meanwhile_keeps_mixpanels_own(relay):
    lent = abandoned(relay)
    assert relay.database.write(lambda db: connections.retire(db, "crm", relay.clock())) == 0
    relay.refresh(["A"])
    (crm,) = relay.database.read(connections.listed)
    assert lent in [password_id for password_id, _, _ in crm.passwords]


@pytest.mark.usefixtures("signals")
def test_the_worker_plays_it(relay: Relay, url: str, terminal: Terminal) -> None:
    ask(relay)
    assert terminal("work", "--once").exit_code == 0
    assert latest(relay).state == "passed"
