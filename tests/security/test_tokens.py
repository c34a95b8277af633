"""API tokens."""

import pytest

from security import tokens
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay

MALFORMED = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer é", "Bearer \0", "bearer", "Basic Y3JtOng=", "Basic é"]


@pytest.mark.parametrize("header", MALFORMED, ids=range(len(MALFORMED)))
def test_p43_a_wrong_or_malformed_token_is_401_and_says_how_to_sign_in(relay: Relay, header: str) -> None:
    answer = relay.client.get("/api/v1/cohorts", environ_overrides={"HTTP_AUTHORIZATION": header})
    assert (answer.status_code, answer.json["error"]["code"]) == (401, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_of_any_scope_may_read(relay: Relay) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    for scope in tokens.SCOPES:
        relay.token = relay.database.write(lambda db, s=scope: tokens.add(db, key, f"for {s}", s, relay.clock()))
        assert relay.api("/cohorts").status_code == 200


def test_a_tokens_name_has_so_many_characters_and_no_more(relay: Relay) -> None:
    admin = relay.sign_in("admin")
    for length, taken in ((100, True), (101, False)):
        admin.post("/settings/tokens", {"name": "n" * length, "scope": "read"})
        relay.app.test_cli_runner().invoke(args=["tokens", "add", "t" * length])
        kept = {one.name for one in relay.database.read(tokens.listed)}
        assert {"n" * length in kept, "t" * length in kept} == {taken}, length


def test_a_name_is_taken_once(relay: Relay) -> None:
    with pytest.raises(tokens.TokenExists, match="already is a token tests"):
        relay.database.write(lambda db: tokens.add(db, "key", "tests", "read", 0))


def test_a_password_of_a_connection_is_no_token(relay: Relay) -> None:
    relay.token = relay.password
    assert relay.api("/cohorts").status_code == 401


def test_a_token_remembers_its_last_use_to_the_minute(relay: Relay) -> None:
    first = relay.clock()
    for step in (0, MINUTE - 1, 1):
        relay.clock.forward(step)
        relay.api("/cohorts")
    assert [row["last_used_at"] for row in relay.rows("SELECT last_used_at FROM api_token")] == [first + MINUTE]


def test_calls_are_limited_by_token(make_relay: MakeRelay) -> None:
    relay = make_relay(api_rate_limit="2 per minute")
    answers = [relay.api("/cohorts") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json["error"]["code"] == 429
    assert int(answers[2].headers["Retry-After"]) >= 1
