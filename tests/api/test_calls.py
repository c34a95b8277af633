"""What holds for every call: the token, the limits, the query, the shape of errors."""

import base64
import itertools
from typing import Any

from tests.api.reading import read, refusal
from tests.relay import Relay

COHORT = "/projects/1/cohorts/7"
CALLS = [
    "/cohorts",
    COHORT,
    f"{COHORT}/members",
    f"{COHORT}/members/A",
    f"{COHORT}/members.csv",
    f"{COHORT}/members.ndjson",
    f"{COHORT}/changes",
    "/people/1/A",
    "/sessions",
    "/sessions/1",
    "/failures",
    "/operations",
    "/projects",
    "/deliveries",
    "/destinations",
    "/destinations/types",
    "/subscriptions",
]
LISTS = ["/cohorts", f"{COHORT}/members", "/sessions", "/failures", "/deliveries", "/subscriptions"]


def test_without_a_live_token_every_call_is_401(make_relay: Any) -> None:
    relay = make_relay(sign_in_failure_limit="1000 per minute")
    relay.add(["A"])
    wrong = [{"Authorization": value} for value in ("Bearer wrong", f"Basic {relay.token}", "Bearer", "Bearer \xff")]
    for call, headers in itertools.product(CALLS, [{}, *wrong]):
        answer = relay.client.get(f"/api/v1{call}", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert answer.json == {"error": {"message": "Send a live token: Authorization: Bearer <token>.", "code": 401}}


def test_an_address_may_guess_tokens_only_so_often(make_relay: Any) -> None:
    relay = make_relay(sign_in_failure_limit="2 per hour")
    guesses = [relay.api("/cohorts", headers={"Authorization": "Bearer guess"}) for _ in range(3)]
    assert [guess.status_code for guess in guesses] == [401, 401, 429]
    assert guesses[2].json["error"]["code"] == 429
    assert relay.api("/cohorts").status_code == 200


def test_a_webhook_password_opens_nothing_here(relay: Relay) -> None:
    answer = relay.api("/cohorts", headers={"Authorization": f"Bearer {relay.password}"})
    assert answer.status_code == 401


def test_every_call_is_counted_against_the_limit_of_its_token(make_relay: Any) -> None:
    relay = make_relay(api_rate_limit=f"{len(CALLS)} per hour")
    relay.add(["A"])
    assert {relay.api(call).status_code for call in CALLS} == {200}
    for call in CALLS:
        answer = relay.api(call)
        assert (answer.status_code, answer.json) == (429, {"error": {"message": "Too many requests.", "code": 429}})
        assert int(answer.headers["Retry-After"]) > 0


def test_the_head_of_every_call_is_its_answer_without_the_body(relay: Relay) -> None:
    relay.add(["A"])
    for call in CALLS:
        head = relay.client.head(f"/api/v1{call}", headers={"Authorization": f"Bearer {relay.token}"})
        assert (head.status_code, head.data) == (200, b"")
        head.close()  # as a server does
        assert head.mimetype == relay.api(call).mimetype


def test_other_methods_are_405(relay: Relay) -> None:
    for call, method in itertools.product(CALLS, ("POST", "PUT", "PATCH", "DELETE")):
        taken = {"GET", "HEAD"} | ({"DELETE"} if call.startswith("/people/") else set())
        taken |= {"POST"} if call in {"/destinations", "/projects", "/subscriptions"} else set()
        if method in taken:
            continue
        answer = relay.client.open(f"/api/v1{call}", method=method)
        assert (answer.status_code, answer.json["error"]["code"]) == (405, 405)
        assert taken == set(answer.headers["Allow"].split(", "))


def test_paths_that_are_nothing_are_404_in_the_shape_of_errors(relay: Relay) -> None:
    for path in ("", "/", "/cohorts/", "/projects/", "/projects/1/cohorts", f"{COHORT}/", "/people/1"):
        assert refusal(relay, path)[0] == 404


# --- queries


def test_a_wrong_limit_is_refused_by_name(relay: Relay) -> None:
    relay.add(["A"])
    wrong = ("0", "1001", "-1", "", "x", "1.5", " 5", "1e9", "9" * 400, "null", "\0", "٣")
    for call, limit in itertools.product((*LISTS, f"{COHORT}/changes"), wrong):
        assert refusal(relay, call, limit=limit) == (400, "limit must be a whole number from 1 to 1000.")


def made_up(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


MADE_UP = [
    *("x", "é", "\0", "a b", "=", "A" * 2000, made_up("nothing 1"), made_up("failures -1"), made_up("cohorts 01")),
    *(made_up(f"{place} {'9' * 30}") for place in ("cohorts", "failures", "sessions by id")),
]


def test_a_made_up_cursor_is_refused(relay: Relay) -> None:
    relay.add(["A"])
    message = "cursor must be the next of an earlier answer to this call."
    for call, cursor in itertools.product(LISTS, MADE_UP):
        assert refusal(relay, call, cursor=cursor) == (400, message)


def test_an_empty_cursor_is_the_beginning(relay: Relay) -> None:
    relay.add(["A"])
    for call in LISTS:
        assert read(relay, call, cursor="") == read(relay, call)
    assert read(relay, f"{COHORT}/changes", after="") == read(relay, f"{COHORT}/changes")


def test_a_misspelt_parameter_is_refused_with_those_that_there_are(relay: Relay) -> None:
    message = "This call takes no other parameters than limit, cursor, project_id, cohort_id, status."
    assert refusal(relay, "/sessions", projectid="1") == (400, message)
    relay.add(["A"])
    assert refusal(relay, COHORT, x="1") == (400, "This call takes no parameters.")


def test_a_parameter_that_is_given_twice_is_refused(relay: Relay) -> None:
    assert refusal(relay, "/cohorts", limit=["1", "2"]) == (400, "limit is given more than once.")


def test_times_are_iso_8601_in_utc(relay: Relay) -> None:
    relay.clock.time = 1_750_000_000_007
    relay.add(["A"])
    assert read(relay, COHORT)["last_synced_at"] == "2025-06-15T15:06:40.007Z"
