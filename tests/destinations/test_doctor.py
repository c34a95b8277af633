"""What `flask doctor`, `/metrics` and `flask secret-key` say of destinations, and how lost secrets are given again."""

import json
from typing import Any

import pytest

from config.clock import MINUTE
from destinations.subscriptions import STATES
from security.encryption import Cipher
from tests.destinations.conftest import Relaying
from tests.destinations.sets_and_streams import SECRET


def checks(relaying: Relaying) -> dict[str, dict[str, Any]]:
    result = relaying.relay.app.test_cli_runner().invoke(args=["doctor", "--json"])
    return {check["name"]: check for check in json.loads(result.output)["checks"]}


@pytest.fixture
def number(relaying: Relaying) -> int:
    """A subscription to a set."""
    relaying.relay.refresh(["ada", "bob"])
    relaying.destination("crm", "set")
    return relaying.subscribe("crm", start="now").id


def seal_anew(relaying: Relaying) -> None:
    """As if the secrets had been sealed under a key that is lost."""
    sealed = Cipher("k" * 43).encrypt('{"KEY": [{"value": "x", "since": 1, "until": null}]}')
    relaying.database.write(lambda db: db.exec_driver_sql(f"UPDATE destination SET sealed_secrets = '{sealed}'"))


def test_a_relay_without_destinations_is_told_nothing_of_them(relaying: Relaying) -> None:
    assert not [name for name in checks(relaying) if name.startswith(("destination", "messages", "subscription"))]


def test_a_destination_that_works_is_well(relaying: Relaying, number: int) -> None:
    found = checks(relaying)["destination crm"]
    assert (found["state"], found["found"]) == (
        "ok",
        "active, 1 subscription, 0 messages waiting, last success never",
    )
    assert f"subscription {number}" not in checks(relaying)


@pytest.mark.parametrize(
    ("cause", "step"),
    [
        ("hand", "flask destinations resume crm"),
        ("credentials", "flask destinations change crm"),
        ("failing", "tried again at"),
    ],
)
def test_a_paused_destination_says_why_and_what_to_do(relaying: Relaying, number: int, cause: str, step: str) -> None:
    relaying.database.write(
        lambda db: db.exec_driver_sql(
            f"UPDATE destination SET status = 'paused', cause = '{cause}', reason = 'It says 401.', probe_at = 7"
        )
    )
    found = checks(relaying)["destination crm"]
    assert found["state"] == "warn"
    assert "It says 401." in found["found"]
    assert step in found["next_step"]


def test_messages_that_nobody_sends_tell_of_a_missing_worker(relaying: Relaying, number: int) -> None:
    relaying.messages(number, waiting=(1, None))
    relaying.database.write(lambda db: db.exec_driver_sql("UPDATE message SET next_at = created_at"))
    found = checks(relaying)
    assert "crm should have been sent" in found["messages"]["found"]
    relaying.relay.clock.forward(2 * MINUTE)
    relaying.database.write(
        lambda db: db.exec_driver_sql(
            "INSERT INTO attempt (destination_id, subscription_id, messages, message_ids, started_at)"
            f" SELECT destination_id, id, 1, '', {relaying.now} FROM subscription"
        )
    )
    assert "messages" not in checks(relaying)


def test_what_waits_for_a_person_is_told_with_the_command(relaying: Relaying, number: int) -> None:
    relaying.messages(number, dead=(2, "http_500"))
    relaying.database.write(lambda db: db.exec_driver_sql("UPDATE subscription SET held = 3, held_at = 1"))
    result = relaying.relay.app.test_cli_runner().invoke(args=["doctor"])
    assert "3 removals held" in result.output
    assert f"flask subscriptions keep {number}" in result.output
    assert f"flask subscriptions replay {number} --state dead" in result.output


def test_secrets_that_cannot_be_opened_fail_and_may_be_given_again(relaying: Relaying, number: int) -> None:
    seal_anew(relaying)
    found = checks(relaying)["destination crm"]
    assert (found["state"], "change crm --secrets-stdin" in found["next_step"]) == ("fail", True)
    run = relaying.relay.app.test_cli_runner().invoke
    without = run(args=["destinations", "change", "crm", "--set", "batch=7"])
    assert (without.exit_code, "give them again" in without.output) == (1, True)
    given = run(args=["destinations", "change", "crm", "--secrets-stdin"], input=json.dumps({"KEY": SECRET}))
    assert given.exit_code == 0, given.output
    assert SECRET not in given.output
    assert checks(relaying)["destination crm"]["state"] == "ok"


def test_a_lost_secret_of_ours_is_rotated(relaying: Relaying) -> None:
    relaying.destination("hook")
    seal_anew(relaying)
    result = relaying.relay.app.test_cli_runner().invoke(args=["destinations", "rotate", "hook", "--json"])
    assert json.loads(result.output)["KEY"] == f"made-{SECRET}"
    assert checks(relaying)["destination hook"]["state"] == "ok"


def test_a_type_of_another_version_is_told_everywhere(relaying: Relaying, number: int) -> None:
    relaying.database.write(lambda db: db.exec_driver_sql("UPDATE destination SET type = 'fax'"))
    assert checks(relaying)["destination crm"]["state"] == "fail"
    for words in (
        ("destinations", "check", "crm"),
        ("destinations", "rotate", "crm"),
        ("destinations", "change", "crm", "--set", "batch=7"),
        ("subscriptions", "test", str(number)),
        ("subscriptions", "preview", "--cohort", "1/7", "--destination", "crm"),
    ):
        result = relaying.relay.app.test_cli_runner().invoke(args=words)
        assert result.exit_code in {1, 4}, words
        assert "knows no type fax" in result.output
    listed = relaying.relay.app.test_cli_runner().invoke(args=["destinations", "list", "--json"])
    assert json.loads(listed.output)[0]["family"] is None


def test_the_guard_is_answered_in_the_terminal(relaying: Relaying, number: int) -> None:
    held = "UPDATE message SET state = 'waiting', next_at = NULL, reason = 'held_by_guard', kind = 'left'"
    run = relaying.relay.app.test_cli_runner().invoke
    for verb, state in (("approve", "waiting"), ("keep", "suppressed")):
        relaying.database.write(lambda db: db.exec_driver_sql("DELETE FROM message"))
        relaying.messages(number, waiting=(2, None))
        relaying.database.write(lambda db: db.exec_driver_sql(held))
        relaying.database.write(lambda db: db.exec_driver_sql("UPDATE subscription SET held = 2, held_at = 1"))
        result = run(args=["subscriptions", verb, str(number), "--json"])
        assert json.loads(result.output) == {"count": 2}
        rows = relaying.relay.rows("SELECT state, next_at FROM message")
        assert [(row["state"], row["next_at"] is None) for row in rows] == [(state, verb == "keep")] * 2
        assert relaying.subscription(number).held == 0


def test_metrics_count_destinations_and_messages(relaying: Relaying, number: int) -> None:
    relaying.messages(number, rejected=(3, "poison"))
    relaying.relay.refresh(["ada", "cid"], session="s2")
    lines = relaying.relay.client.get("/metrics").text.splitlines()
    assert 'cohort_relay_destinations{status="active"} 1.0' in lines
    assert 'cohort_relay_messages{state="rejected"} 3.0' in lines
    assert "cohort_relay_changes_behind 2.0" in lines
    assert sum(line.startswith("cohort_relay_messages{") for line in lines) == len(STATES)


def test_a_new_key_is_told_to_lose_the_secrets_of_destinations(relaying: Relaying, number: int) -> None:
    relaying.database.write(lambda db: db.exec_driver_sql("DELETE FROM secret_key_check"))
    seal_anew(relaying)
    result = relaying.relay.app.test_cli_runner().invoke(args=["secret-key", "accept"], input="n\n")
    assert "1 destinations' secrets" in result.output
