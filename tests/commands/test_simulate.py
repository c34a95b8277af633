"""`flask simulate` against the real server: however badly the sending goes, what is kept is exact."""

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import text

from tests.commands.conftest import Terminal, terminal_of
from tests.failing.server import BIN, ROOT, Server, free_port, wait_until

Simulate = Callable[..., dict[str, Any]]

BAD = ("--out-of-order", "--lose", 0.2, "--restart", 0.5, "--duplicate", 0.3)


@pytest.fixture
def here(beside: Flask) -> Terminal:
    return terminal_of(beside)


@pytest.fixture
def simulate(here: Terminal) -> Simulate:
    """A run that must end exact; returns its summary."""

    def run(*options: Any) -> dict[str, Any]:
        result = here("simulate", "--json", "--people", 150, "--page-size", 20, *options)
        assert result.exit_code == 0, result.output
        summary: dict[str, Any] = json.loads(result.stdout)
        return summary

    return run


def rows(beside: Flask, sql: str, **values: Any) -> list[Any]:
    return list(beside.extensions["runtime"].database.read(lambda db: db.execute(text(sql), values).all()))


def test_a_good_run_is_exact(simulate: Simulate) -> None:
    summary = simulate()
    assert summary["exact"] is True
    assert [cohort["verdict"] for cohort in summary["cohorts"]] == ["exact"] * 3
    assert (summary["retries"], summary["failed_syncs"], summary["syncs"]) == (0, 0, 30)


def test_a_bad_run_is_exact_as_well(simulate: Simulate) -> None:
    summary = simulate(*BAD, "--seed", "bad")
    assert summary["exact"] is True
    assert min(summary[trouble] for trouble in ("retries", "lost_answers", "restarts", "duplicates")) > 0


def test_a_bad_run_that_begins_with_add_members_is_exact(simulate: Simulate) -> None:
    assert simulate(*BAD, "--first", "add_members", "--seed", "added")["exact"] is True


def test_connections_that_share_people_send_in_parallel(simulate: Simulate, beside: Flask) -> None:
    summary = simulate("--connections", 3, "--cohorts", 2, *BAD, "--seed", "shared")
    assert len(summary["cohorts"]) == 6
    ours = {cohort["cohort_id"] for cohort in summary["cohorts"]}
    used = rows(beside, "SELECT c.mixpanel_cohort_id, s.connection_id FROM sync_session s JOIN cohort c"
                        " ON c.id = s.cohort_id")  # fmt: skip
    assert len({connection for cohort, connection in used if cohort in ours}) == 3


def test_cycles_without_a_change_still_call(simulate: Simulate, beside: Flask) -> None:
    summary = simulate("--churn", 0, "--cohorts", 1, "--cycles", 4)
    (cohort,) = summary["cohorts"]
    sent = rows(beside, "SELECT s.action, s.received, s.status FROM sync_session s JOIN cohort c ON c.id = s.cohort_id"
                        " WHERE c.mixpanel_cohort_id = :id ORDER BY s.number", id=cohort["cohort_id"])  # fmt: skip
    assert sent[0] == ("members", 150, "complete")
    assert sent[1:] == [("add_members", 0, "complete"), ("remove_members", 0, "complete")] * 3


def test_the_same_seed_sends_the_same_people(simulate: Simulate) -> None:
    first, again = (simulate("--seed", "same", "--cohorts", 1) for _ in range(2))
    assert first["cohorts"] == again["cohorts"]
    assert first["pages"] == again["pages"]


def test_an_add_members_beginning_does_not_pretend_to_clear_a_known_cohort(simulate: Simulate, here: Terminal) -> None:
    simulate("--seed", "twice", "--cohorts", 1)
    result = here("simulate", "--seed", "twice", "--cohorts", 1, "--first", "add_members")
    assert result.exit_code == 1
    assert "there already" in result.output


def test_it_can_go_on_from_what_the_api_says(simulate: Simulate) -> None:
    (before,) = simulate("--project", "going-on", "--cohorts", 1)["cohorts"]
    (after,) = simulate("--project", "going-on", "--continue", "--churn", 0.1)["cohorts"]
    assert (after["cohort_id"], after["verdict"]) == (before["cohort_id"], "exact")


def test_a_tampered_membership_fails_the_run(simulate: Simulate, here: Terminal, beside: Flask) -> None:
    simulate("--project", "tampered", "--cohorts", 1)
    gone = text("""UPDATE membership SET left_at = 1 WHERE left_at IS NULL AND cohort_id =
        (SELECT id FROM cohort WHERE project_id = 'tampered')""")
    beside.extensions["runtime"].database.write(lambda db: db.execute(gone))
    result = here("simulate", "--project", "tampered", "--continue", "--cycles", 1)
    assert result.exit_code == 4
    assert "different" in result.output


def test_a_wrong_password_pauses_every_sync_and_fails_the_run(here: Terminal) -> None:
    here("connections", "add", "locked")
    result = here("simulate", "--username", "locked", "--password", "wrong", "--cohorts", 2, "--json")
    assert result.exit_code == 4
    summary = json.loads(result.stdout)
    assert summary["failed_syncs"] == 2
    assert "401: The username or password is not one of this connection's live ones." in summary["troubles"][0]


def test_a_connection_that_is_off_is_tried_five_times_more_each_cycle(here: Terminal) -> None:
    here("connections", "add", "asleep")
    here("connections", "disable", "asleep")
    options = ("--username", "asleep", "--cohorts", 1, "--cycles", 2, "--time-scale", 0.0001, "--json")
    result = here("simulate", *options)
    summary = json.loads(result.stdout)
    assert result.exit_code == 4
    assert summary["retries"] == 5 * summary["failed_syncs"]
    assert summary["cohorts"][0]["problems"][0] == "the last sync failed"


def test_the_token_of_a_run_is_gone_afterwards(simulate: Simulate, beside: Flask) -> None:
    simulate("--cohorts", 1, "--cycles", 1)
    assert rows(beside, "SELECT name FROM api_token WHERE name LIKE 'simulate%'") == []


def test_the_table_shows_each_cohort_and_the_seed(here: Terminal) -> None:
    result = here("simulate", "--people", 10, "--cohorts", 1, "--cycles", 1, "--seed", "shown")
    head, cohort, end = result.stdout.splitlines()
    assert head.split() == ["cohort", "sent", "there", "missing", "extra", "verdict"]
    assert cohort.split()[-5:] == ["10", "10", "0", "0", "exact"]
    assert end.endswith("(seed shown)")


def test_where_nothing_listens_it_says_so(here: Terminal) -> None:
    result = here("simulate", "--wait", 0, "--url", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert "Nothing answers at" in result.output


def test_forever_goes_on_until_it_is_told_to_stop(simulate: Simulate, server: Server, beside: Flask) -> None:
    simulate("--project", "forever", "--cohorts", 1, "--cycles", 1)
    words = ("simulate", "--project", "forever", "--continue", "--forever", "--every", "0.1")
    running = subprocess.Popen([str(BIN / "flask"), *words], cwd=ROOT, env=server.environment)
    sessions = "SELECT count(*) FROM sync_session s JOIN cohort c ON c.id = s.cohort_id WHERE project_id = 'forever'"
    wait_until(lambda: rows(beside, sessions)[0][0] > 7, 60, "the fourth cycle")
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
    assert requests.get(f"{server.url}/healthz", timeout=5).ok
    assert simulate("--project", "forever", "--continue", "--cycles", 1)["exact"] is True
