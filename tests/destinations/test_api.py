"""The API of destinations: the keys of the contract, who may do what, and who learns of secrets."""

import json
import logging
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from werkzeug.test import TestResponse

from destinations import registry, subscriptions
from security import tokens
from security.token_bounds import Bounds
from tests.api.test_openapi import FUZZ, envelope, failures
from tests.destinations.conftest import Relaying
from tests.destinations.sets_and_streams import SECRET

ADA = {"mixpanel_distinct_id": "ada", "email": "ada@example.com", "plan": "pro"}
DRAFT = {"name": "crm", "type": "table", "secrets": {"KEY": SECRET}}
COUNTED = {"destination": "crm", "project_id": "1", "cohort_id": "7", "start": "now"}


class Api:
    """A program whose token has the scope `deliver`."""

    def __init__(self, relaying: Relaying) -> None:
        self.relaying, self.client = relaying, relaying.relay.client
        self.token = self.another("relayer", "deliver")

    def another(self, name: str, scope: str, **bounds: Any) -> str:
        key, now = self.relaying.runtime.settings.secret_key, self.relaying.now
        narrow = Bounds(**bounds)
        return self.relaying.database.write(lambda db: tokens.add(db, key, name, scope, now, narrow))

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> TestResponse:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, data=data, query_string=query)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.call("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json

    def subscription(self, **more: Any) -> int:
        return int(self.post("/subscriptions", COUNTED | more)["id"])


@pytest.fixture
def api(relaying: Relaying) -> Api:
    relaying.relay.refresh([ADA, "bob"])
    return Api(relaying)


@pytest.fixture
def subscribed(api: Api) -> int:
    api.post("/destinations", DRAFT)
    return api.subscription()


def trail(api: Api) -> list[tuple[str, str]]:
    rows = api.relaying.relay.rows("SELECT action, subject FROM audit_entry WHERE who = 'token relayer' ORDER BY id")
    return [(row["action"], row["subject"]) for row in rows]


# --- destinations


def test_a_destination_is_made_and_listed_without_its_secrets(api: Api) -> None:
    assert api.post("/destinations", DRAFT) == {"name": "crm", "type": "table"}
    (shown,) = api.get("/destinations")["data"]
    assert (shown["name"], shown["type"], shown["family"], shown["has_secrets"]) == ("crm", "table", "level", True)
    assert shown["settings"]["timeout_seconds"] == 30
    assert trail(api) == [("destination.add", "crm")]


def test_a_secret_that_we_make_is_in_the_answer_once_and_kept_by_nobody(api: Api) -> None:
    draft = {"name": "site", "type": "webhook", "settings": {"url": "https://example.com/h"}}
    answer = api.call("POST", "/destinations", draft)
    assert answer.json["secret"].startswith("whsec_")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.json["secret"] not in api.call("GET", "/destinations").text


def test_types_are_described_as_the_terminal_does(api: Api) -> None:
    found = {kind["name"]: kind for kind in api.get("/destinations/types")["data"]}
    assert found.keys() == registry.TYPES.keys()
    assert {setting["name"]: setting["secret"] for setting in found["set"]["settings"]}["KEY"]
    assert found["set"]["family"] == "level"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"settings": {"colour": "red", "batch": "many"}}, {"colour", "batch"}),
        ({"secrets": {}}, {"KEY"}),
        ({"settings": {"KEY": SECRET}}, {"KEY"}),
        ({"secrets": {"KEY": SECRET, "other": SECRET}}, {"other"}),
        ({"secrets": {"KEY": [SECRET]}}, {"KEY"}),
        ({"type": "fax"}, {"type"}),
        ({"name": "Crm!"}, {"name"}),
    ],
)
def test_what_is_wrong_is_told_by_field_and_no_secret_is_repeated(
    api: Api, change: dict[str, Any], fields: set[str]
) -> None:
    answer = api.call("POST", "/destinations", DRAFT | change)
    assert answer.status_code == 400
    assert {problem["field"] for problem in answer.json["problems"]} == fields
    assert answer.json["error"]["message"].split(":")[0] in fields
    assert SECRET not in answer.text
    assert api.get("/destinations")["data"] == []
    assert trail(api) == []


def test_the_same_name_twice_makes_one_destination(api: Api) -> None:
    api.post("/destinations", DRAFT)
    assert api.call("POST", "/destinations", DRAFT).status_code == 400
    assert len(api.get("/destinations")["data"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{", b"\xff", b'{"name": 1}', b'{"name": "a", "type": "set", "more": 1}'),
        b'{"name": "a\\u0000", "type": "set"}',
        b'{"name": "a", "type": "set", "settings": {"\\u0000": 1}}',
        b'{"name": "a", "type": "set", "settings": {"batch": "\\ud800"}}',
        b'{"name": "a", "type": "set", "settings": {"batch": %s}}' % (b"[" * 200 + b"]" * 200),
        b'{"name": "a", "type": "set", "settings": {"batch": %s' % (b"[" * 90_000),
    ],
    ids=range(11),
)
def test_a_body_that_cannot_be_used_is_400(api: Api, body: bytes) -> None:
    for path in ("/destinations", "/subscriptions"):
        assert api.call("POST", path, body).status_code == 400


def test_a_body_that_is_too_large_is_413(api: Api) -> None:
    body = b'{"name": "%s"}' % (b"x" * 100_000)
    assert api.call("POST", "/destinations", body).status_code == 413


def test_no_secret_is_in_any_answer_log_or_audit_entry(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api.post("/destinations", DRAFT)
    number = api.subscription()
    api.post(f"/subscriptions/{number}/test", {"distinct_id": "ada"})
    paths = ("/destinations", "/destinations/types", "/subscriptions", f"/subscriptions/{number}/attempts")
    told = [api.call("GET", path).text for path in paths]
    told += [str(api.relaying.relay.rows("SELECT * FROM audit_entry")), caplog.text]
    assert not [text for text in told if SECRET in text]


# --- who may


CHANGES = [
    *("/destinations", "/subscriptions", "/subscriptions/1/pause", "/subscriptions/1/resume", "/subscriptions/1/test"),
    *("/subscriptions/1/replay", "/subscriptions/1/reconcile"),
]


@pytest.mark.parametrize("scope", ["read", "send", "erase"])
def test_only_the_scope_deliver_changes_something(api: Api, scope: str) -> None:
    api.post("/destinations", DRAFT)
    api.subscription()
    api.token = api.another("other", scope)
    for path in CHANGES:
        answer = api.call("POST", path, {})
        assert (answer.status_code, "deliver" in answer.json["error"]["message"]) == (403, True), path
    assert api.get("/subscriptions/1")["status"] == "active"


def test_the_terminal_and_the_page_of_tokens_offer_the_scope(api: Api) -> None:
    made = api.relaying.relay.app.test_cli_runner().invoke(
        args=["tokens", "add", "t", "--scope", "deliver", "--scope", "read"]
    )
    assert made.exit_code == 0, made.output
    browser = api.relaying.relay.sign_in("admin")
    assert 'value="deliver"' in browser.page("/settings/tokens")
    browser.post("/settings/tokens", {"name": "p", "scope": "deliver"})
    kept = {token.name: token.scope for token in api.relaying.database.read(tokens.listed)}
    assert (kept["t"], kept["p"]) == ("deliver", "deliver")


def test_a_token_for_a_project_sees_and_changes_only_its_subscriptions(api: Api) -> None:
    api.relaying.relay.refresh(["cid"], project="2", cohort="8")
    api.post("/destinations", DRAFT)
    mine, others = api.subscription(), api.subscription(project_id="2", cohort_id="8")
    api.token = api.another("narrow", "deliver", project_id="1")
    assert [one["id"] for one in api.get("/subscriptions", project_id="1")["data"]] == [mine]
    for part in ("", "/messages", "/attempts"):
        assert api.call("GET", f"/subscriptions/{mine}{part}").status_code == 200
        assert api.call("GET", f"/subscriptions/{others}{part}").status_code == 403
        assert api.call("GET", f"/subscriptions/99{part}").status_code == 403
    assert api.call("POST", f"/subscriptions/{mine}/pause").status_code == 200
    for path in (f"/subscriptions/{others}/pause", "/subscriptions", "/destinations"):
        assert api.call("POST", path, COUNTED).status_code == 403, path
    assert api.call("GET", "/destinations").status_code == 403


# --- subscriptions


def test_a_subscription_has_every_key_of_the_contract(api: Api, subscribed: int) -> None:
    shown = api.get(f"/subscriptions/{subscribed}")
    keys = {"id", "destination", "project_id", "cohort_id", "identity", "start", "reentry", "on", "status", "counts"}
    assert keys | {"behind", "oldest_waiting_at"} <= shown.keys()
    assert list(shown["counts"]) == list(subscriptions.STATES)
    assert api.get("/subscriptions") == {"data": [shown], "next": None}
    assert trail(api)[-1] == ("subscription.add", "crm: 1/7")


def test_terminal_and_api_show_the_same(api: Api, subscribed: int) -> None:
    def printed(*words: str) -> Any:
        return json.loads(api.relaying.relay.app.test_cli_runner().invoke(args=[*words, "--json"]).output)

    assert printed("destinations", "list") == api.get("/destinations")["data"]
    assert printed("destinations", "types") == api.get("/destinations/types")["data"]
    assert printed("subscriptions", "show", str(subscribed)) == api.get(f"/subscriptions/{subscribed}")


def test_a_cohort_may_be_named_as_in_the_terminal(api: Api) -> None:
    api.post("/destinations", DRAFT)
    shown = api.post("/subscriptions", {"destination": "crm", "cohort": "1/7", "report": "Told"})
    assert (shown["project_id"], shown["cohort_id"], shown["start"]) == ("1", "7", "present")
    assert (shown["status"], shown["report"]) == ("backfilling", "Told")


def test_the_same_cohort_twice_begins_one_subscription(api: Api, subscribed: int) -> None:
    answer = api.call("POST", "/subscriptions", COUNTED)
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (400, "cohort")
    assert len(api.get("/subscriptions")["data"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cohort_id": "99"}, "cohort"),
        ({"destination": "nobody"}, "destination"),
        ({"identity": "shoe size"}, "identity"),
        ({"reentry": "sometimes"}, "reentry"),
        ({"fields": {"": "plan"}}, "fields"),
    ],
)
def test_what_cannot_be_a_subscription_is_told_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    api.post("/destinations", DRAFT)
    answer = api.call("POST", "/subscriptions", COUNTED | change)
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (400, field)


def test_pausing_and_resuming_twice_is_once(api: Api, subscribed: int) -> None:
    for verb, status in (("pause", "paused"), ("resume", "active")):
        assert [api.post(f"/subscriptions/{subscribed}/{verb}")["status"] for _ in range(2)] == [status] * 2
    assert [action for action, _ in trail(api)][-2:] == ["subscription.pause", "subscription.resume"]


def test_what_is_being_removed_is_neither_paused_nor_resumed(api: Api, subscribed: int) -> None:
    known = api.relaying.subscription(subscribed)
    api.relaying.database.write(lambda db: subscriptions.remove(db, known, drain=True))
    assert [api.call("POST", f"/subscriptions/{subscribed}/{verb}").status_code for verb in ("pause", "resume")] == [
        409,
        409,
    ]


@pytest.mark.parametrize("number", ["99", str(2**63 - 1)])
def test_a_subscription_that_there_is_not_is_404(api: Api, number: str) -> None:
    for part in ("", "/messages", "/attempts"):
        assert api.call("GET", f"/subscriptions/{number}{part}").status_code == 404
    for verb, body in (("pause", None), ("resume", None), ("test", {}), ("replay", {"state": "dead"})):
        assert api.call("POST", f"/subscriptions/{number}/{verb}", body).status_code == 404, verb


def test_subscriptions_are_read_a_page_at_a_time(api: Api) -> None:
    api.post("/destinations", DRAFT)
    for cohort in ("8", "9"):
        api.relaying.relay.refresh(["ada"], cohort=cohort)
    numbers = [api.subscription(cohort_id=cohort) for cohort in ("7", "8", "9")]
    first = api.get("/subscriptions", limit=2)
    rest = api.get("/subscriptions", limit=2, cursor=first["next"])
    assert [one["id"] for one in first["data"] + rest["data"]] == numbers
    assert rest["next"] is None


# --- messages, attempts, tests, replays


def test_messages_are_filtered_and_read_a_page_at_a_time(api: Api, subscribed: int) -> None:
    api.relaying.messages(subscribed, rejected=(3, "poison"), dead=(2, None))
    path = f"/subscriptions/{subscribed}/messages"
    first = api.get(path, limit=3)
    rest = api.get(path, limit=3, cursor=first["next"])
    assert [one["state"] for one in first["data"] + rest["data"]] == ["dead"] * 2 + ["rejected"] * 3
    assert len(api.get(path, state="rejected", distinct_id="ada")["data"]) == 3
    assert api.get(path, distinct_id="bob")["data"] == []
    keys = {"id", "kind", "distinct_id", "entry_number", "state", "reason", "attempts", "created_at", "finished_at"}
    assert keys <= first["data"][0].keys()
    assert api.call("GET", path, state="lost").status_code == 400
    assert api.call("GET", f"/subscriptions/{subscribed}/attempts", cursor=first["next"]).status_code == 400


def test_a_test_is_a_real_call_and_stands_among_the_attempts(api: Api, subscribed: int) -> None:
    named = api.post(f"/subscriptions/{subscribed}/test", {"distinct_id": "bob"})
    assert (named["outcome"], named["status"], named["distinct_id"]) == ("applied", 200, "bob")
    assert api.post(f"/subscriptions/{subscribed}/test")["distinct_id"] == "ada"
    first = api.get(f"/subscriptions/{subscribed}/attempts", limit=1)
    (attempt,) = first["data"]
    assert attempt.keys() >= {"id", "messages", "status", "answer", "started_at", "duration_ms", "verdict"}
    assert (attempt["verdict"], attempt["answer"], first["next"] is None) == ("applied", "ok", False)
    answer = api.call("POST", f"/subscriptions/{subscribed}/test", {"distinct_id": "nobody"})
    assert (answer.status_code, answer.json["problems"][0]["field"]) == (400, "distinct_id")


def test_a_replay_is_counted_first_and_takes_what_was_named(api: Api, subscribed: int) -> None:
    api.relaying.messages(subscribed, rejected=(2, "poison"), dead=(1, "http_500"))
    path = f"/subscriptions/{subscribed}/replay"
    assert api.post(path, {"state": "rejected", "count_only": True}) == {"count": 2}
    assert api.post(path, {"state": "rejected", "reason": "other"}) == {"count": 0}
    assert [api.post(path, {"state": "rejected", "reason": "poison"})["count"] for _ in range(2)] == [2, 0]
    counts = api.get(f"/subscriptions/{subscribed}")["counts"]
    assert (counts["waiting"], counts["rejected"], counts["dead"]) == (2, 0, 1)
    for wrong in ({"state": "applied"}, {}, {"state": "dead", "all": True}):
        assert api.call("POST", path, wrong).status_code == 400


def test_a_set_is_compared_and_repaired(api: Api) -> None:
    api.post("/destinations", {"name": "crm", "type": "set", "secrets": {"KEY": SECRET}})
    path = f"/subscriptions/{api.subscription()}/reconcile"
    api.post(path.replace("reconcile", "test"), {"distinct_id": "ada"})
    same = api.post(path)
    assert {name: same[name] for name in ("wanted", "there", "missing", "extra", "strangers", "repaired")} == {
        "wanted": 1,
        "there": 1,
        "missing": 0,
        "extra": 0,
        "strangers": 0,
        "repaired": 0,
    }
    api.relaying.there("crm").members = {"stranger"}
    assert api.post(path)["missing"] == 1
    found = api.post(path, {"repair": True})
    assert (found["missing"], found["strangers"], found["repaired"]) == (1, 1, 1)
    assert trail(api)[-1] == ("subscription.reconcile", "crm: 1/7")


def test_what_cannot_be_read_is_not_compared(api: Api, subscribed: int) -> None:
    assert api.call("POST", f"/subscriptions/{subscribed}/reconcile").status_code == 400


@pytest.mark.slow
def test_a_fuzzer_with_the_scope_finds_no_fault(api: Api, subscribed: int) -> None:
    api.relaying.messages(subscribed, rejected=(2, "poison"))
    config = schemathesis.Config.from_dict(FUZZ | {"headers": {"Authorization": f"Bearer {api.token}"}})
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api.relaying.relay.app, config=config)
    wrong, statuses = [], set()
    for event in from_schema(schema.include(path_regex="^/(destinations|subscriptions)")).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(repr(event))
        if isinstance(event, events.ScenarioFinished):
            wrong += failures(event)
            for call in event.recorder.interactions.values():
                assert call.response is not None
                statuses.add(call.response.status_code)
                wrong += envelope(call.response)
    assert wrong == []
    assert {200, 400, 404} <= statuses
