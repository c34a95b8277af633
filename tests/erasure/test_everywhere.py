"""Whoever is erased is nowhere: no column of any table, no file of the instance folder; and everybody else is."""

import json
from pathlib import Path

import pytest

from destinations import destinations, worker
from destinations.destinations import NewDestination
from security import tokens
from tests.commands.conftest import Terminal
from tests.erasure.planted import EMAIL, ID, OTHER, PROJECT, WORDS, in_files, stored
from tests.failing.books import Books
from tests.mixpanel import Answer, stand_in
from tests.relay import Relay

pytestmark = pytest.mark.slow

PATH = f"/api/v1/people/{PROJECT}/{ID}"
# What the planting has planted.
LOST = {
    "profiles": 1,
    "cohorts": 2,
    "stays": 4,
    "changes": 6,
    "rejected_members": 1,
    "calls": 2,
    "landings": 1,
    "failed_records": 2,
    "imports": 2,
    "comparisons": 1,
    "audit_entries": 1,
    "failures": 1,
    "refused_requests": 2,
    "alerts": 1,
    "attempts": 1,
    "messages": 4,
    "saved_requests": 2,
    "saved_runs": 1,
    "saved_results": 1,
    "files": 4,
}


def by_terminal(relay: Relay, terminal: Terminal) -> dict[str, int]:
    result = terminal("people", "erase", PROJECT, ID, "--yes", "--json")
    assert result.exit_code == 0, result.output
    counts: dict[str, int] = json.loads(result.output)["counts"]
    return counts


def by_api(relay: Relay, _terminal: Terminal) -> dict[str, int]:
    answer = relay.client.delete(PATH, headers=bearer(relay, "erase"))
    assert answer.status_code == 200, answer.json
    counts: dict[str, int] = answer.json["counts"]
    return counts


def by_page(relay: Relay, _terminal: Terminal) -> dict[str, int]:
    browser = relay.sign_in("admin")
    person = relay.person(ID, PROJECT)["id"]
    answer = browser.post(f"/people/{person}/erase")
    assert answer.status_code == 303
    assert "1 profile, with its id" in browser.page(answer.location)
    (row,) = relay.rows("SELECT counts FROM erasure")
    counts: dict[str, int] = json.loads(row["counts"])
    return counts


def bearer(relay: Relay, scope: str) -> dict[str, str]:
    key = relay.app.extensions["runtime"].settings.secret_key
    token = relay.database.write(lambda db: tokens.add(db, key, f"to {scope}", scope, relay.clock()))
    return {"Authorization": f"Bearer {token}"}


def test_the_search_finds_what_was_planted(planted: Relay, tmp_path: Path) -> None:
    found = stored(planted)
    assert set(found) == set(WORDS)
    tables = {place.split(".")[0] for places in found.values() for place in places}
    assert tables == {
        "person", "sync_page", "delivery", "landing", "import_job", "import_failure", "comparison", "audit_entry",
        "failure", "alert", "message", "attempt", "holder", "placement", "saved_request", "saved_run",
    }  # fmt: skip
    names = {one.split(":")[0] for one in in_files(tmp_path)}
    assert {"plain", "packed", "nobody's"} <= names


@pytest.mark.parametrize("door", [by_terminal, by_api, by_page])
def test_whoever_is_erased_is_nowhere(planted: Relay, terminal: Terminal, tmp_path: Path, door) -> None:
    assert door(planted, terminal) == LOST
    assert stored(planted) == {}
    assert in_files(tmp_path) == []


def test_what_destinations_answer_to_an_erasure_is_nowhere_either(
    planted: Relay, terminal: Terminal, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    by_terminal(planted, terminal)
    runtime = planted.app.extensions["runtime"]
    with stand_in() as there:
        for path in ("/hook", "/users/track"):
            there.script(path, lambda call: Answer(body={"message": f"heard {call.body.decode()}"}))
        for name, settings in (("hook", {"url": f"{there.url}/hook"}), ("set", {"base_url": there.url})):
            known = runtime.database.read(lambda db, name=name: destinations.by_name(db, name))
            draft = NewDestination(name, known.type, settings)
            runtime.database.write(
                lambda db, known=known, draft=draft: destinations.change(db, runtime.cipher, known, draft, 1)
            )
        worker.run_once(runtime)
        assert EMAIL.lower() in "".join(call.body.decode() for call in there.calls)
    assert stored(planted) == {}
    assert in_files(tmp_path) == []
    logged = capfd.readouterr()
    assert [word for word in WORDS if word in (logged.err + logged.out).lower()] == []


def test_everybody_else_is_where_they_were(planted: Relay, terminal: Terminal, tmp_path: Path) -> None:
    before, files = stored(planted, (OTHER,)), in_files(tmp_path, (OTHER,))
    by_terminal(planted, terminal)
    assert stored(planted, (OTHER,)) == before
    assert [one for one in files if "cohort-relay.db" not in one] == [
        one for one in in_files(tmp_path, (OTHER,)) if "cohort-relay.db" not in one
    ]
    assert planted.members("7", PROJECT) == {OTHER}


def test_the_books_balance_afterwards(planted: Relay, terminal: Terminal, database_url: str) -> None:
    by_terminal(planted, terminal)
    for cohort in ("7", "8", "9"):
        Books(database_url).assert_balanced(cohort)


def test_the_proof_answers_whoever_has_the_id_and_holds_none(planted: Relay, terminal: Terminal) -> None:
    assert terminal("people", "erased", PROJECT, ID).exit_code == 4  # stored, and nobody was erased
    by_terminal(planted, terminal)
    result = terminal("people", "erased", PROJECT, ID, "--json")
    answer = json.loads(result.output)
    assert (result.exit_code, answer["erased"], answer["left"]) == (0, True, {})
    assert answer["erasures"][0]["counts"] == LOST
    assert terminal("people", "erased", PROJECT, "somebody else").exit_code == 5
    assert terminal("people", "erased", "1", ID).exit_code == 5


def test_what_mixpanel_sends_afterwards_is_a_new_person_and_told_so(planted: Relay, terminal: Terminal) -> None:
    by_terminal(planted, terminal)
    planted.add([ID], session="back", cohort="8", project=PROJECT)
    (stay,) = planted.api(f"/people/{PROJECT}/{ID}").json["stays"]
    assert stay["entry_number"] == 1
    result = terminal("people", "erased", PROJECT, ID)
    assert result.exit_code == 4
    assert "Mixpanel has sent the id again" in result.output


def test_the_audit_trail_says_who_and_how_much_and_not_whom(planted: Relay, terminal: Terminal) -> None:
    by_terminal(planted, terminal)
    (row,) = planted.rows(
        "SELECT who, subject, CAST(after AS text) AS after FROM audit_entry WHERE action = 'person.erase'"
    )
    assert (row["who"], json.loads(row["after"])) == ("terminal", LOST)
    assert ID not in row["subject"]


def test_the_terminal_asks_and_names_what_will_be_lost(planted: Relay, terminal: Terminal) -> None:
    result = terminal("people", "erase", PROJECT, ID)
    assert result.exit_code == 1  # nobody said yes
    assert "2 calls to Mixpanel that mention them" in result.output
    assert "Whoever Mixpanel sends under this id again is a new person" in result.output
    assert ID in stored(planted)


def test_a_stranger_cannot_be_erased(planted: Relay, terminal: Terminal) -> None:
    result = terminal("people", "erase", PROJECT, "nobody at all", "--yes")
    assert (result.exit_code, planted.rows("SELECT * FROM erasure")) == (1, [])
    assert planted.client.delete(f"{PATH}-not", headers=bearer(planted, "erase")).status_code == 404


def test_somebody_who_is_in_no_cohort_but_in_a_call_can_be_erased(planted: Relay, terminal: Terminal) -> None:
    result = terminal("people", "erase", PROJECT, "somebody", "--yes", "--json")
    assert json.loads(result.output)["counts"] == {"calls": 1}


def test_the_same_id_in_another_project_is_somebody_else(planted: Relay, terminal: Terminal) -> None:
    planted.add([{"mixpanel_distinct_id": ID, "email": EMAIL}], session="other", cohort="7", project="1")
    by_terminal(planted, terminal)
    assert planted.person(ID, "1")["email"] == EMAIL
    assert planted.members("7", "1") == {ID}


@pytest.mark.parametrize("scope", ["read", "send"])
def test_a_token_erases_only_with_the_scope_for_it(planted: Relay, scope: str) -> None:
    answer = planted.client.delete(PATH, headers=bearer(planted, scope))
    assert (answer.status_code, "scope erase" in answer.json["error"]["message"]) == (403, True)
    assert ID in stored(planted)


def test_a_token_that_erases_does_not_send(planted: Relay) -> None:
    answer = planted.client.post(
        "/api/v1/projects/prod/operations/track-event", headers=bearer(planted, "erase"), json={}
    )
    assert answer.status_code == 403


def test_a_call_that_is_repeated_answers_the_same_proof(planted: Relay) -> None:
    headers = bearer(planted, "erase")
    first, second = (planted.client.delete(PATH, headers=headers).json for _ in range(2))
    assert first == second
