"""`flask destinations` and `flask subscriptions`: what is printed, what is refused, and who learns of secrets."""

import json
import logging
from typing import Any

import pytest
from click.testing import Result

from destinations import registry, subscriptions
from tests.destinations.conftest import Relaying
from tests.destinations.sets_and_streams import SECRET

KEY = json.dumps({"KEY": SECRET})
ADA = {"mixpanel_distinct_id": "ada", "email": "ada@example.com", "plan": "pro"}
STATUS = {"id", "destination", "project_id", "cohort_id", "identity", "start", "reentry", "on", "status", "counts"}


class Terminal:
    """What an operator types after `flask`."""

    def __init__(self, relaying: Relaying) -> None:
        self.relaying = relaying

    def __call__(self, *words: Any, typed: str = "") -> Result:
        app = self.relaying.relay.app
        with app.app_context():
            return app.test_cli_runner().invoke(args=[str(word) for word in words], input=typed)

    def json(self, *words: Any, typed: str = "") -> Any:
        result = self(*words, "--json", typed=typed)
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    def destination(self, name: str = "crm", kind: str = "table") -> Any:
        return self.json("destinations", "add", name, "--type", kind, "--secrets-stdin", typed=KEY)

    def subscription(self, name: str = "crm", *more: Any) -> int:
        added = self.json("subscriptions", "add", "--cohort", "1/7", "--destination", name, *more)
        assert list(added) == ["id"]
        return int(added["id"])


@pytest.fixture
def terminal(relaying: Relaying) -> Terminal:
    relaying.relay.refresh([ADA, "bob"])
    return Terminal(relaying)


def trail(relaying: Relaying) -> list[tuple[str, str, str]]:
    rows = relaying.relay.rows("SELECT who, action, subject FROM audit_entry ORDER BY id")
    return [(row["who"], row["action"], row["subject"]) for row in rows]


# --- destinations


def test_types_describe_themselves_with_every_setting(terminal: Terminal) -> None:
    found = {row["name"]: row for row in terminal.json("destinations", "types")}
    assert found.keys() == registry.TYPES.keys()
    (key,) = [row for row in found["set"]["settings"] if row["name"] == "KEY"]
    assert (key["secret"], key["required"], key["made"]) == (True, True, False)
    assert {"retry_seconds", "timeout_seconds", "rate", "concurrency"} <= {
        row["name"] for row in found["webhook"]["settings"]
    }
    shown = terminal("destinations", "types")
    assert shown.exit_code == 0
    assert "setting url  needed" in shown.output


def test_add_prints_name_and_type_and_a_secret_that_we_have_made(terminal: Terminal) -> None:
    assert terminal.destination() == {"name": "crm", "type": "table"}
    made = terminal.json("destinations", "add", "site", "--type", "webhook", "--set", "url=https://example.com/h?a=b=c")
    assert list(made) == ["name", "type", "secret"]
    assert made["secret"].startswith("whsec_")
    assert terminal.relaying.of("site").settings["url"] == "https://example.com/h?a=b=c"
    assert ("terminal", "destination.add", "site") in trail(terminal.relaying)


def test_secrets_may_be_named_in_capitals_or_not(terminal: Terminal) -> None:
    typed = json.dumps({"key": SECRET})
    terminal.json("destinations", "add", "crm", "--type", "set", "--secrets-stdin", typed=typed)
    known = terminal.relaying.of("crm")
    assert known.live_secrets(terminal.relaying.runtime.cipher, 1) == {"KEY": [SECRET]}


def test_a_secret_is_in_no_list_no_error_no_log_and_no_audit_entry(
    terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    add = ("destinations", "add")
    outputs = [
        terminal(*add, "crm", "--type", "set", "--secrets-stdin", typed=KEY).output,
        terminal(*add, "crm", "--type", "set", "--secrets-stdin", typed=KEY).output,
        terminal(*add, "b", "--type", "set", "--secrets-stdin", typed=json.dumps({"KEY": SECRET, "b": SECRET})).output,
        terminal(*add, "c", "--type", "set", "--secrets-stdin", typed=json.dumps([SECRET])).output,
        terminal(*add, "d", "--type", "set", "--secrets-stdin", typed="{" + SECRET).output,
        terminal("destinations", "list", "--json").output,
        terminal("destinations", "list").output,
        terminal("destinations", "check", "crm", "--json").output,
        str(terminal.relaying.relay.rows("SELECT * FROM audit_entry")),
        str(terminal.relaying.relay.rows("SELECT * FROM destination")),
        caplog.text,
    ]
    assert not [output for output in outputs if SECRET in output]


@pytest.mark.parametrize(
    ("words", "typed", "named"),
    [
        (["crm", "--type", "set", "--set", "colour=red"], "", ("colour: ", "KEY: This is needed")),
        (["crm", "--type", "set", "--set", "batch=many", "--secrets-stdin"], KEY, ("batch: ",)),
        (["crm", "--type", "set", "--set", f"KEY={SECRET}"], "", ("KEY: This is a secret",)),
        (["Crm!", "--type", "set", "--secrets-stdin"], KEY, ("name: ",)),
        (["crm", "--type", "fax"], "", ("type: ", "webhook")),
        (["crm", "--type", "set", "--secrets-stdin"], "", ("Standard input must be one JSON object",)),
        (["crm", "--type", "set", "--secrets-stdin"], "[" * 50_000, ("Standard input must be one JSON object",)),
        (["crm", "--type", "set", "--secrets-stdin"], KEY + " " * 100_000, ("Standard input must be one JSON object",)),
        (["crm", "--type", "set", "--secrets-stdin"], json.dumps({"KEY": 7}), ("KEY: This must be a text",)),
    ],
)
def test_what_cannot_be_a_destination_is_refused_by_field(
    terminal: Terminal, words: list[str], typed: str, named: tuple[str, ...]
) -> None:
    result = terminal("destinations", "add", *words, typed=typed)
    assert result.exit_code == 1
    assert all(name in result.output for name in named)
    assert SECRET not in result.output
    assert terminal.json("destinations", "list") == []


@pytest.mark.parametrize("given", [["--set", "url"], ["--set", "=x"], ["--set", "a=1", "--set", "a=2"]])
def test_a_setting_that_is_no_pair_is_a_wrong_use(terminal: Terminal, given: list[str]) -> None:
    assert terminal("destinations", "add", "crm", "--type", "set", *given).exit_code == 2


def test_a_check_ends_with_4_where_the_far_end_does_not_let_us_in(terminal: Terminal) -> None:
    terminal.destination()
    assert terminal.json("destinations", "check", "crm") == {"name": "crm", "ok": True, "told": "It answers."}
    terminal.relaying.there("crm").checked = False
    result = terminal("destinations", "check", "crm")
    assert (result.exit_code, result.output) == (4, "FAILS  It does not let us in.\n")
    assert terminal.json("destinations", "list")[0]["check_told"] == "It does not let us in."


def test_rotate_prints_another_secret_under_the_same_keys(terminal: Terminal) -> None:
    first = terminal.json("destinations", "add", "site", "--type", "webhook", "--set", "url=https://example.com/h")
    second = terminal.json("destinations", "rotate", "site")
    assert list(second) == list(first)
    assert second["secret"] != first["secret"]
    live = terminal.relaying.of("site").live_secrets(terminal.relaying.runtime.cipher, terminal.relaying.now)
    assert live == {"secret": [second["secret"], first["secret"]]}
    terminal.destination()
    assert terminal("destinations", "rotate", "crm").exit_code == 1


def test_a_destination_is_paused_resumed_and_removed_with_its_subscriptions(terminal: Terminal) -> None:
    terminal.destination()
    number = terminal.subscription()
    assert terminal.json("destinations", "pause", "crm", "--reason", "they move")["status"] == "paused"
    (shown,) = terminal.json("destinations", "list")
    assert (shown["status"], shown["cause"], shown["reason"]) == ("paused", "hand", "they move")
    assert terminal.json("subscriptions", "show", number)["status"] == "paused"
    assert terminal.json("destinations", "resume", "crm") == {"name": "crm", "status": "active"}
    assert terminal.json("destinations", "remove", "crm", "--drain") == {"name": "crm", "removed": True}
    assert terminal.relaying.subscription(number).status == "draining"
    assert [terminal("destinations", verb, "crm").exit_code for verb in ("pause", "resume")] == [1, 1]
    done = [action for _, action, subject in trail(terminal.relaying) if subject == "crm"]
    assert done == [f"destination.{verb}" for verb in ("add", "pause", "resume", "remove")]


def test_what_does_not_exist_cannot_be_managed(terminal: Terminal) -> None:
    for verb in ("check", "rotate", "pause", "resume", "remove"):
        result = terminal("destinations", verb, "nobody")
        assert (result.exit_code, result.output) == (
            1,
            "Error: There is no destination nobody. See: flask destinations list\n",
        )
    for verb in ("show", "test", "pause", "resume", "remove", "messages", "attempts"):
        assert terminal("subscriptions", verb, 9).exit_code == 1
        assert terminal("subscriptions", verb, 2**63).exit_code == 2
    assert terminal("subscriptions", "replay", 9, "--state", "dead").exit_code == 1


# --- subscriptions


def test_a_subscription_says_how_it_stands_in_every_key_of_the_contract(terminal: Terminal) -> None:
    terminal.destination()
    number = terminal.subscription("crm", "--identity", "email", "--field", "plan=plan", "--report", "Told")
    shown = terminal.json("subscriptions", "show", number)
    assert STATUS | {"behind", "oldest_waiting_at"} <= shown.keys()
    assert list(shown["counts"]) == list(subscriptions.STATES)
    expected = {"id": number, "destination": "crm", "project_id": "1", "cohort_id": "7", "identity": "email"}
    expected |= {"start": "present", "on": "both", "status": "backfilling", "fields": {"plan": "plan"}}
    assert expected.items() <= shown.items()
    assert terminal.json("subscriptions", "list") == [shown]
    assert f"{number}  1/7 to crm  backfilling  no messages" in terminal("subscriptions", "list").output


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--cohort", "1/99"], "cohort: "),
        (["--destination", "nobody"], "destination: "),
        (["--identity", "shoe size"], "identity: "),
        (["--reentry", "sometimes"], "reentry: "),
        (["--guard", "101"], "guard_percent: "),
    ],
)
def test_what_cannot_be_a_subscription_is_refused_by_field(terminal: Terminal, given: list[str], named: str) -> None:
    terminal.destination()
    result = terminal("subscriptions", "add", "--cohort", "1/7", "--destination", "crm", *given)
    assert result.exit_code == 1
    assert named in result.output
    assert terminal.json("subscriptions", "list") == []


@pytest.mark.parametrize("cohort", ["7", "1/", "/7"])
def test_a_cohort_is_named_by_both_ids(terminal: Terminal, cohort: str) -> None:
    assert terminal("subscriptions", "add", "--cohort", cohort, "--destination", "crm").exit_code == 2


def test_a_subscription_is_paused_resumed_and_removed(terminal: Terminal) -> None:
    terminal.destination()
    number = terminal.subscription("crm", "--start", "now")
    assert terminal.json("subscriptions", "pause", number, "--reason", "later") == {"id": number, "status": "paused"}
    terminal.json("subscriptions", "pause", number)
    assert terminal.json("subscriptions", "show", number)["reason"] == "later"
    assert terminal.json("subscriptions", "resume", number)["status"] == "active"
    assert terminal.json("subscriptions", "remove", number) == {"id": number, "removed": True}
    assert terminal("subscriptions", "pause", number).exit_code == 1
    done = [action for _, action, subject in trail(terminal.relaying) if subject == "crm: 1/7"]
    assert done == [f"subscription.{verb}" for verb in ("add", "pause", "resume", "remove")]


def test_a_test_is_a_real_call_about_whom_is_named_or_somebody_who_is_in(terminal: Terminal) -> None:
    terminal.destination()
    number = terminal.subscription("crm", "--identity", "email")
    named = terminal.json("subscriptions", "test", number, "--distinct-id", "ada")
    assert (named["outcome"], named["status"], named["distinct_id"]) == ("applied", 200, "ada")
    assert terminal.json("subscriptions", "test", number)["distinct_id"] == "ada"  # bob has no e-mail
    assert [len(changes) for changes in terminal.relaying.there("crm").bodies] == [1, 1]
    attempts = terminal.json("subscriptions", "attempts", number)
    assert [row["verdict"] for row in attempts] == ["applied", "applied"]
    assert list(attempts[0]) == ["id", "messages", "status", "verdict", "reason", "answer", "duration_ms", "started_at"]
    assert terminal("subscriptions", "test", number, "--distinct-id", "bob").exit_code == 1


def test_a_set_that_differs_ends_with_4(terminal: Terminal) -> None:
    terminal.destination("crm", "set")
    number = terminal.subscription("crm", "--start", "now")
    terminal.json("subscriptions", "test", number, "--distinct-id", "ada")
    assert terminal.json("subscriptions", "reconcile", number)["wanted"] == 1
    terminal.relaying.there("crm").members.clear()
    result = terminal("subscriptions", "reconcile", number, "--repair", "--json")
    assert (result.exit_code, json.loads(result.output)["repaired"]) == (4, 1)


def test_a_test_that_is_refused_ends_with_4(terminal: Terminal) -> None:
    terminal.destination()
    terminal.relaying.there("crm").poison.add("ada")
    number = terminal.subscription()
    result = terminal("subscriptions", "test", number, "--distinct-id", "ada")
    assert (result.exit_code, "rejected" in result.output) == (4, True)


def test_a_preview_shows_nobody_and_calls_nobody(terminal: Terminal) -> None:
    terminal.destination()
    words = ("subscriptions", "preview", "--cohort", "1/7", "--destination", "crm", "--identity", "email")
    found = terminal.json(*words)
    assert (found["people"], found["without"], found["reason"]) == (2, 1, "no_email")
    assert "ada@" not in terminal(*words).output
    assert terminal.relaying.there("crm").bodies == []


def test_messages_are_listed_by_state_and_person_a_page_at_a_time(terminal: Terminal) -> None:
    terminal.destination()
    number = terminal.subscription("crm", "--start", "now")
    terminal.relaying.messages(number, rejected=(3, "poison"), dead=(1, "http_500"))
    listed = ("subscriptions", "messages", number)
    assert [row["state"] for row in terminal.json(*listed)] == ["dead", *["rejected"] * 3]
    assert len(terminal.json(*listed, "--state", "rejected", "--distinct-id", "ada")) == 3
    assert terminal.json(*listed, "--distinct-id", "bob") == []
    first = terminal.json(*listed, "--limit", 3)
    rest = terminal.json(*listed, "--limit", 3, "--before", first[-1]["id"])
    assert len({row["id"] for row in first + rest}) == 4
    keys = {"id", "kind", "distinct_id", "entry_number", "state", "reason", "attempts", "created_at", "finished_at"}
    assert keys <= first[0].keys()
    assert f"Older ones: --before {first[-1]['id']}" in terminal(*listed, "--limit", 3).output
    assert terminal.json("subscriptions", "show", number)["counts"]["rejected"] == 3


def test_a_replay_is_counted_first_and_takes_only_what_was_named(terminal: Terminal) -> None:
    terminal.destination()
    number = terminal.subscription("crm", "--start", "now")
    terminal.relaying.messages(number, rejected=(2, "poison"), dead=(1, "http_500"))
    replay = ("subscriptions", "replay", number, "--state", "rejected")
    assert terminal.json(*replay, "--count") == {"count": 2}
    assert terminal.json(*replay, "--reason", "other") == {"count": 0}
    assert terminal.json(*replay, "--reason", "poison") == {"count": 2}
    counts = terminal.json("subscriptions", "show", number)["counts"]
    assert (counts["waiting"], counts["rejected"], counts["dead"]) == (2, 0, 1)
    assert terminal("subscriptions", "replay", number, "--state", "applied").exit_code == 2
    assert [action for _, action, _ in trail(terminal.relaying)].count("subscription.replay") == 2
