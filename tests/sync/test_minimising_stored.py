"""Applying what a connection keeps to what is stored already: in steps, once, and every day for fields with days."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.clock import DAY
from models import profile_choice
from security import connections
from sync.minimise import runs, steps
from tests.commands.conftest import terminal_of
from tests.erasure.planted import in_files, stored
from tests.relay import MINUTE, Relay, member
from tests.sync.test_minimising import ADA, EMAIL, PHONE, SECRET, choose


def apply(relay: Relay) -> runs.Minimisation:
    runtime = relay.app.extensions["runtime"]
    known = relay.database.read(lambda db: connections.one(db, relay.name))
    relay.database.write(lambda db: runs.ask(db, known.id, known.choice, "tests", relay.clock()))
    work(relay)
    found = relay.database.read(lambda db: runs.latest(db, known.id))
    assert found is not None
    assert found.ended_at == runtime.clock()
    return found


def work(relay: Relay) -> None:
    runtime = relay.app.extensions["runtime"]
    while runs.work_once(runtime.database, runtime.cipher.lasting_digest, runtime.clock, lambda: False):
        pass


def fill(relay: Relay) -> None:
    relay.refresh([ADA, member("bob", plan="free"), {"email": EMAIL}], session="full")
    relay.add([ADA, member("cy", email="cy@example.org")], session="other", cohort="8")
    relay.remove(["ada"], session="gone", cohort="8")
    assert relay.post("members", [ADA], 0, 10).status_code == 400


def test_what_is_not_kept_any_more_is_nowhere(relay: Relay, tmp_path: Path) -> None:
    fill(relay)
    assert set(stored(relay, SECRET)) == {EMAIL.lower(), "151 2345678"}
    choose(relay, email="hash", phone="drop")
    before = (relay.members(), relay.members("8"), relay.log(), relay.cohort()["version"])
    found = apply(relay)
    assert (found.seen, found.changed) == (4, 2)  # ada twice, in her two cohorts, and small already the second time
    assert stored(relay, SECRET) == {}
    if relay.database.dialect == "sqlite":
        assert in_files(tmp_path, SECRET) == []
    assert (relay.members(), relay.members("8"), relay.log()) == before[:3]
    assert relay.cohort()["version"] == before[3] + 1
    assert relay.rows("SELECT * FROM refused_request") == []
    (page,) = [row for row in relay.rows("SELECT rejected_members AS r FROM sync_page") if row["r"]]
    assert (json.loads(page["r"]) if isinstance(page["r"], str) else page["r"]) == [{"reason": "missing", "value": ""}]


def test_a_second_time_changes_nobody(relay: Relay) -> None:
    fill(relay)
    choose(relay, keep=["email", "plan"], email="hash")
    apply(relay)
    people = relay.rows("SELECT * FROM person ORDER BY id")
    assert apply(relay).changed == 0
    assert relay.rows("SELECT * FROM person ORDER BY id") == people


def test_what_arrives_and_what_was_stored_become_the_same(relay: Relay) -> None:
    relay.refresh([ADA], session="before")
    choose(relay, email="hash", phone="hash")
    apply(relay)
    stored_before = relay.person("ada")
    relay.refresh([ADA], session="after")
    for name in ("email", "phone_number", "properties"):
        assert relay.person("ada")[name] == stored_before[name]


def test_what_other_connections_have_brought_stays(relay: Relay) -> None:
    fill(relay)
    key = relay.app.extensions["runtime"].settings.secret_key
    password = relay.database.write(lambda db: connections.add(db, key, "other", relay.clock()))
    ours, relay.name, relay.password = (relay.name, relay.password), "other", password
    relay.refresh([member("dee", email="dee@example.org")], cohort="9", session="theirs")
    relay.name, relay.password = ours
    choose(relay, keep="none")
    apply(relay)
    assert relay.person("dee")["email"] == "dee@example.org"
    assert relay.person("ada")["email"] is None


def test_it_goes_in_steps_and_a_worker_that_dies_is_followed(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "STEP", 2)
    relay.refresh([member(f"p{n}", email=f"p{n}@example.org") for n in range(7)])
    choose(relay, email="drop")
    runtime = relay.app.extensions["runtime"]
    known = relay.database.read(lambda db: connections.one(db, relay.name))
    relay.database.write(lambda db: runs.ask(db, known.id, known.choice, "tests", relay.clock()))
    taken = iter([False, False, False, True])
    runs.work_once(runtime.database, runtime.cipher.lasting_digest, runtime.clock, lambda: next(taken))
    half = relay.rows("SELECT count(*) AS n FROM person WHERE email IS NULL")[0]["n"]
    assert half == 4
    relay.rows("SELECT * FROM minimisation")
    relay.clock.forward(2 * MINUTE)
    work(relay)
    assert relay.rows("SELECT count(*) AS n FROM person WHERE email IS NULL")[0]["n"] == 7
    found = relay.database.read(lambda db: runs.latest(db, known.id))
    assert found is not None
    assert (found.seen, found.changed) == (7, 7)


def test_asking_again_ends_what_is_under_way(relay: Relay) -> None:
    fill(relay)
    choose(relay, email="drop")
    known = relay.database.read(lambda db: connections.one(db, relay.name))
    relay.database.write(lambda db: runs.ask(db, known.id, known.choice, "tests", relay.clock()))
    choose(relay, email="hash")
    assert apply(relay).choice == profile_choice.of_json({"email": "hash"}).stored()
    assert profile_choice.is_hashed(relay.person("ada")["email"])


def daily(relay: Relay) -> None:
    result = terminal_of(relay.app)("work", "--once")
    assert result.exit_code == 0, result.output


def test_a_field_goes_when_its_days_have_passed_and_the_others_stay(relay: Relay) -> None:
    choose(relay, days={"phone_number": 3, "plan": 10})
    relay.refresh([ADA, member("bob", phone_number=PHONE)], session="first")
    relay.clock.forward(2 * DAY)
    relay.refresh([ADA, member("bob", phone_number=PHONE, plan="new")], session="second")
    daily(relay)
    assert relay.person("ada")["phone_number"] == PHONE
    relay.clock.forward(DAY + MINUTE)
    daily(relay)
    ada, bob = relay.person("ada"), relay.person("bob")
    assert (ada["phone_number"], ada["email"], "plan" in ada["properties"]) == (None, EMAIL, True)
    assert bob["phone_number"] == PHONE  # written two days later
    relay.refresh([ADA, member("bob")], session="third")
    assert relay.person("ada")["phone_number"] is None  # nothing of hers has changed
    relay.clock.forward(7 * DAY)
    daily(relay)
    assert ("plan" in relay.person("ada")["properties"], relay.person("ada")["email"]) == (False, EMAIL)
    assert relay.members() == {"ada", "bob"}


def test_a_field_comes_back_with_a_changed_profile_for_as_many_days(relay: Relay) -> None:
    choose(relay, days={"phone_number": 3})
    relay.refresh([ADA], session="first")
    relay.clock.forward(4 * DAY)
    daily(relay)
    relay.add([ADA | {"plan": "changed"}], session="second")
    assert relay.person("ada")["phone_number"] == PHONE
    relay.clock.forward(4 * DAY)
    daily(relay)
    assert relay.person("ada")["phone_number"] is None


def test_days_that_were_given_later_hold_for_who_was_there_before(relay: Relay) -> None:
    """Also where the same profile comes again and again: its digest is noted anew once."""
    relay.refresh([ADA], session="before")
    choose(relay, days={"phone_number": 3})
    for number in range(3):
        relay.refresh([ADA], session=f"again {number}")
        relay.clock.forward(2 * DAY)
    daily(relay)
    relay.refresh([ADA], session="at last")
    assert relay.person("ada")["phone_number"] is None


def test_the_daily_walk_is_asked_for_once_a_day(relay: Relay) -> None:
    choose(relay, days={"phone_number": 3})

    def asked() -> list[Any]:
        return relay.rows("SELECT asked_at, ended_at FROM minimisation WHERE who = ''")

    for hours in (0, 1, 22):
        relay.clock.forward(hours * 60 * MINUTE)
        daily(relay)
        assert len(asked()) == 1
    first = asked()
    relay.clock.forward(2 * 60 * MINUTE)
    daily(relay)
    assert len(asked()) == 1
    assert asked() != first
