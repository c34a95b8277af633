"""A call under a name of its sender's is made once; and whoever does not want to wait is told where to look."""

import hashlib
import json
from functools import partial
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from outbound import cleanup, idempotency
from outbound.transport import budget
from security import tokens
from security.secrets import keyed_digest
from tests.failing.server import wait_until
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import runtime_of
from tests.outbound.test_api import sender
from tests.relay import Relay

ADDRESS = "/api/v1/projects/prod/operations/{}"
ADD = {"body": [{"$distinct_id": "u1", "$add": {"logins": 1}}]}
DAY = 24 * 3600 * 1000


@pytest.fixture
def headers(relay: Relay) -> dict[str, str]:
    return sender(relay)


def call(relay: Relay, headers: dict[str, str], key: str, given: Any = ADD, to: str = "profile-numerical-add") -> Any:
    named = headers | {"Idempotency-Key": key}
    return relay.app.test_client().post(ADDRESS.format(to), data=json.dumps(given), headers=named)


@pytest.mark.parametrize("answer", [Answer(200, "1"), Answer(200, {"status": 0, "error": "no"}), Answer(503, "")])
def test_the_same_call_again_is_answered_the_same_and_made_once(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel, answer: Answer
) -> None:
    mixpanel.script("/api/engage", answer)
    first, second = call(relay, headers, "order-17"), call(relay, headers, "order-17")
    assert (first.status_code, first.json) == (second.status_code, second.json)
    assert len(mixpanel.calls) == 1
    assert call(relay, headers, "order-18").json["delivery"] != first.json["delivery"]


def test_another_content_under_the_same_name_is_refused(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    assert call(relay, headers, "a").status_code == 200
    other = call(relay, headers, "a", {"body": [{"$distinct_id": "u2", "$add": {"logins": 1}}]})
    assert (other.status_code, len(mixpanel.calls)) == (422, 1)
    assert "Idempotency-Key" in other.json["error"]["message"]


def test_a_name_belongs_to_its_token_and_its_operation(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    token = relay.database.write(partial(tokens.add, key=key, name="other", scope="send", now=0))
    for one in (headers, {"Authorization": f"Bearer {token}"}):
        for operation in ("profile-numerical-add", "profile-batch-update"):
            assert call(relay, one, "a", to=operation).status_code == 200
    assert len(mixpanel.calls) == 4


def test_many_at_once_under_one_name_make_one_call(relay: Relay, headers: dict[str, str], mixpanel: Mixpanel) -> None:
    together, found = Barrier(4, timeout=20), []

    def one() -> None:
        together.wait()
        found.append(call(relay, headers, "a").status_code)

    senders = [Thread(target=one) for _ in range(4)]
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    assert len(mixpanel.calls) == 1
    assert set(found) <= {200, 202}
    assert 200 in found


def test_what_was_not_sent_may_be_tried_again_under_its_name(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    for _ in range(60):
        budget.give_back(runtime_of(relay), budget.take(runtime_of(relay), "2891273", "query"))
    assert call(relay, headers, "a", {}, "cohorts-list").json["attempts"] == 0
    relay.clock.forward(3_700_000)
    assert call(relay, headers, "a", {}, "cohorts-list").json["verdict"] == "accepted"


def test_names_are_kept_for_a_day(relay: Relay, headers: dict[str, str], mixpanel: Mixpanel) -> None:
    assert idempotency.KEPT_FOR == DAY
    call(relay, headers, "a")
    relay.clock.forward(DAY + 1)
    call(relay, headers, "a")
    assert len(mixpanel.calls) == 2
    relay.clock.forward(DAY + 1)
    cleanup.prune(relay.database, 0, relay.clock())
    left = relay.database.read(lambda db: db.exec_driver_sql("SELECT count(*) FROM named_call").scalar_one())
    assert left == 0


def kept(relay: Relay) -> list[tuple[str, str]]:
    return [(row["digest"], row["body_digest"]) for row in relay.rows("SELECT digest, body_digest FROM named_call")]


def plainly(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def test_from_what_is_kept_nobody_can_tell_whether_a_call_named_a_person(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    """Whoever has the database and guesses an id or a name would otherwise know."""
    call(relay, headers, "a")
    content, parts = json.dumps(ADD), ["sender", "prod profile-numerical-add", "a"]
    assert not {plainly(content), plainly(json.dumps(parts))} & set(sum(kept(relay), ()))
    assert keyed_digest("key", "call-content", content) == keyed_digest("key", "call-content", content.encode())


def test_a_name_of_before_there_was_a_key_is_known_for_its_day(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    first = call(relay, headers, "a")
    before = {
        "digest": plainly(json.dumps(["sender", "prod profile-numerical-add", "a"])),
        "body": plainly(json.dumps(ADD)),
    }
    made_old = text("UPDATE named_call SET digest = :digest, body_digest = :body")
    relay.database.write(lambda db: db.execute(made_old, before))
    assert call(relay, headers, "a").json == first.json
    assert len(mixpanel.calls) == 1
    relay.database.write(lambda db: db.execute(made_old, before))
    assert call(relay, headers, "a", {"body": []}).status_code in {400, 422}
    other = {"body": [{"$distinct_id": "u2", "$add": {"logins": 1}}]}
    assert call(relay, headers, "a", other).status_code == 422
    assert len(mixpanel.calls) == 1


@given(name=st.one_of(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300), st.just("a" * 256)))
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_name_that_is_none_is_400(relay: Relay, headers: dict[str, str], mixpanel: Mixpanel, name: str) -> None:
    is_name = 0 < len(name) <= 255 and all("!" <= one <= "~" for one in name)
    assert call(relay, headers, name).status_code == (200 if is_name else 400)


@pytest.mark.parametrize("preference", ["respond-async", "wait=5, Respond-Async; foo", "handling=strict,respond-async"])
def test_whoever_does_not_wait_is_told_where_to_look(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel, preference: str
) -> None:
    asked = Event()

    def later(_call: Call) -> Answer:
        assert asked.wait(20)
        return Answer(200, "1")

    mixpanel.script("/api/engage", later)
    named = headers | {"Prefer": preference, "Idempotency-Key": "a"}
    address = ADDRESS.format("profile-numerical-add")
    reply = relay.client.post(address, data=json.dumps(ADD), headers=named)
    assert (reply.status_code, reply.headers["Preference-Applied"]) == (202, "respond-async")
    assert reply.headers["Location"] == reply.json["at"] == f"/api/v1/deliveries/{reply.json['delivery']}"
    where = reply.json["at"].removeprefix("/api/v1")
    assert relay.api(where).json["verdict"] is None
    again = call(relay, headers, "a")
    assert (again.status_code, again.json) == (202, reply.json)  # it is under way
    asked.set()
    wait_until(lambda: relay.api(where).json["verdict"] == "accepted", 20, "the verdict")
    assert call(relay, headers, "a").json["verdict"] == "accepted"
    assert len(mixpanel.calls) == 1


def test_the_places_of_calls_that_nobody_waits_for_come_back(
    relay: Relay, headers: dict[str, str], mixpanel: Mixpanel
) -> None:
    threads = relay.app.extensions["runtime"].settings.threads
    for _ in range(2 * threads + 1):
        reply = relay.client.post(
            ADDRESS.format("profile-numerical-add"), data=json.dumps(ADD), headers=headers | {"Prefer": "respond-async"}
        )
        assert reply.status_code == 202
        where = reply.json["at"].removeprefix("/api/v1")
        wait_until(lambda where=where: relay.api(where).json["verdict"] == "accepted", 20, "the verdict")
