"""Whatever arrives with the right credentials is answered 200 or 400, in the envelope, and leaves true counts."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests import searches
from tests.relay import Relay

EXAMPLES = searches.examples(1000, of_a_change=200, at_a_desk=100)
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# What is refused before it reaches a database is the same on both.
before_any_database = pytest.mark.parametrize("dialect", ["sqlite"])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)

ODD = [
    "null",
    "true",
    "-1",
    "0",
    "-0.0",
    "1.5",
    "1e999",
    "NaN",
    "-Infinity",
    "9" * 20,
    "9" * 300,
    "9" * 5000,
    "1" + "0" * 5000 + ".5",
    '""',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\ud83d\\ude42"',
    '"\\u2028\x7f"',
    '"%s"' % ("x" * 300),
    '"%s"' % ("é" * 200),
    "[]",
    "{}",
    '{"": 1, "": {"\\u0000": "\\ud800"}}',
    "[" * 90 + "]" * 90,
    "[" * 700 + "]" * 700,
    '{"a":' * 300 + '"\\u0041"' + "}" * 300,
    "[" * 5000 + "]" * 5000,
]
odd = st.sampled_from(ODD) | json_values.map(json.dumps)
text = st.text(max_size=8).map(json.dumps)


def mostly(*good: str) -> st.SearchStrategy[str]:
    """Something that is right, and once in a while something odd: or hardly a call would get far."""
    return st.sampled_from([*good * (400 // len(good)), *ODD]) | st.sampled_from(good)


def rendered(pairs: list[tuple[str, str]]) -> str:
    """A JSON object of written keys and values; a key may stand in it twice."""
    return "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"


def objects(keys: list[str], values: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    written = st.sampled_from([json.dumps(key) for key in keys]) | text
    return st.lists(st.tuples(written, values), max_size=most).map(rendered)


ids = st.sampled_from(['"A"', '"B"', '"C"', "42", "42.0"]) | odd
fields = objects(["email", "phone_number", "distinct_id", "$distinct_id", "customProperties"], odd, 4)
members = st.builds(
    lambda distinct_id, rest: f'{{"mixpanel_distinct_id":{distinct_id},{rest[1:]}'.replace(",}", "}"), ids, fields
)
lists = st.lists(st.one_of(members, members, members, odd), max_size=5).map(lambda found: f"[{','.join(found)}]")
page_infos = objects(["page_count", "total_pages"], mostly("1", "2", '"2"', "3"), 3)
bodies = st.builds(
    '{{"action":{},"parameters":{{"mixpanel_project_id":{},"mixpanel_cohort_id":{},"mixpanel_session_id":{},'
    '"mixpanel_cohort_name":{},"page_info":{},"members":{}}}}}'.format,
    mostly('"members"', '"add_members"', '"remove_members"'),
    mostly('"1"', "1"),
    mostly('"7"', "7", '"8"'),
    mostly('"s1"', '"s2"', "null"),
    mostly('"Name"', '"Other name"'),
    st.one_of(st.just("null"), st.just('{"page_count":1,"total_pages":1}'), page_infos, odd),
    st.one_of(lists, lists, lists, members, odd),
)


def assert_in_the_envelope(answer: TestResponse) -> None:
    assert answer.status_code in {200, 400}, answer.text
    sent = answer.json
    assert isinstance(sent, dict)
    if answer.status_code == 200:
        assert set(sent) == {"action", "status"}
        assert sent["status"] == "success"
        return
    assert set(sent) == {"action", "status", "error"}
    assert (sent["status"], sent["error"]["code"]) == ("failure", 400)
    assert 0 < len(sent["error"]["message"]) <= 300


def assert_true_counts(relay: Relay) -> None:
    wrong = relay.rows(
        """SELECT c.id FROM cohort c WHERE c.member_count <>
            (SELECT count(*) FROM membership m WHERE m.cohort_id = c.id AND m.left_at IS NULL)
        OR c.member_count <> (SELECT coalesce(sum(CASE WHEN x.entered THEN 1 ELSE -1 END), 0)
            FROM membership_change x WHERE x.cohort_id = c.id)"""
    )
    assert wrong == []


@before_any_database
@fuzz
@given(sent=st.binary(max_size=200))
def test_p18_any_bytes_are_answered_in_the_envelope(relay: Relay, sent: bytes) -> None:
    assert_in_the_envelope(relay.post_raw(sent))


@before_any_database
@fuzz
@given(sent=json_values)
def test_p18_any_json_is_answered_in_the_envelope(relay: Relay, sent: Any) -> None:
    assert_in_the_envelope(relay.post_raw(json.dumps(sent)))


@fuzz
@given(sent=bodies)
def test_p18_p33_odd_values_anywhere_are_answered_in_the_envelope(relay: Relay, sent: str) -> None:
    assert_in_the_envelope(relay.post_raw(sent.encode("utf-8", "surrogatepass")))
    assert_true_counts(relay)


@fuzz
@given(sent=bodies, place=st.integers(0, 400), byte=st.binary(min_size=1, max_size=2))
def test_p18_a_damaged_body_is_answered_in_the_envelope(relay: Relay, sent: str, place: int, byte: bytes) -> None:
    written = sent.encode("utf-8", "surrogatepass")
    assert_in_the_envelope(relay.post_raw(written[:place] + byte + written[place + 1 :]))
    assert_true_counts(relay)


@before_any_database
@fuzz
@given(header=st.binary(max_size=40))
def test_p43_any_authorization_header_is_401_in_the_envelope(relay: Relay, header: bytes) -> None:
    environ = {"HTTP_AUTHORIZATION": "Basic " + header.decode("latin-1")}
    answer = relay.client.post("/webhooks/mixpanel/crm", data=b"{}", environ_overrides=environ)
    assert answer.status_code in {401, 429}
    assert answer.json["error"]["code"] == answer.status_code


@pytest.mark.parametrize("where", ["mixpanel_distinct_id", "distinct_id", "email", "anything"])
def test_a_number_of_a_million_digits_is_answered_in_the_envelope(relay: Relay, where: str) -> None:
    member = f'{{"{where}": {"9" * 10**6}, "$distinct_id": "A"}}'
    sent = f'{{"action": "add_members", "parameters": {{"mixpanel_cohort_id": "7", "members": [{member}]}}}}'
    answer = relay.post_raw(sent)
    assert_in_the_envelope(answer)
    assert answer.status_code == 200
