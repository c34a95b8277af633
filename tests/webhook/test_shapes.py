"""Whatever shape, encoding and page numbers a refresh comes in: the answer is 200 or 400 in the envelope, nobody leaves
unless a readable refresh says so, and what was accepted can be shown and exported."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import searches
from tests.relay import Relay, body

EXAMPLES = searches.examples(500, of_a_change=100, at_a_desk=40)
PEOPLE = ["u0", "u1", "u2", "u3"]

good = st.sampled_from(["u0", "u1", 42, {"mixpanel_distinct_id": "u2"}, {"$distinct_id": "u3"}, {"distinct_id": "Zoë"}])
bad = st.sampled_from(
    [
        None,
        True,
        [],
        {},
        "",
        " ",
        "undefined",
        {"user_id": "u0"},
        ["u0"],
        {"distinct_id": []},
        "x" * 300,
        "\0",
        "a\udc80",
    ]
)
values = st.sampled_from([None, 1, "\ud800", "\0", 1e308, [[]], {"a": {"b": [1]}}, "é", 10**30, True])
wide = st.builds(lambda name, value: {"distinct_id": name, "v": value, "email": value}, st.sampled_from(PEOPLE), values)
lists = st.lists(good | bad | wide, max_size=6)
shapes = st.one_of(
    lists,
    st.lists(bad, min_size=1, max_size=6),
    good,
    bad,
    lists.map(lambda found: {str(place): one for place, one in enumerate(found)}),
    lists.map(lambda found: {f"key {place}": one for place, one in enumerate(found)}),
    st.just([]),
)
numbers = st.sampled_from([1, "1", "1.0", " 1", 1.0, 0, -1, None, True, "one", [], 2**31, 1.5, ""])
encodings = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1"])


@st.composite
def calls(draw: st.DrawFn) -> tuple[bytes, Any, bool]:
    """A refresh as bytes, its members as they were meant, and whether anything was done to the bytes."""
    members, page, total = draw(shapes), draw(numbers), draw(numbers)
    sent = body("members", [], page, total, session=draw(st.sampled_from(["second", None, 7])))
    if draw(st.booleans()):
        sent["parameters"].pop("members")
        sent["members"] = members
    else:
        sent["parameters"]["members"] = members
    escaped = draw(st.booleans())
    written = json.dumps(sent, ensure_ascii=escaped).encode(draw(encodings), "backslashreplace")
    if draw(st.integers(0, 3)):
        return written, members, False
    place = draw(st.integers(0, len(written)))
    return written[:place] + draw(st.binary(min_size=1, max_size=3)) + written[place:], members, True


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=calls())
def test_no_shape_of_a_refresh_is_a_fault_or_empties_a_cohort_that_it_does_not_name_empty(
    relay: Relay, call: tuple[bytes, Any, bool]
) -> None:
    written, members, changed = call
    relay.clock.forward(3_600_000)
    relay.refresh(PEOPLE, session=f"before {relay.clock()}")
    assert relay.members() == set(PEOPLE)
    answer = relay.post_raw(written)
    assert answer.status_code in {200, 400}
    assert answer.json is not None
    assert answer.json["status"] == ("success" if answer.status_code == 200 else "failure")
    relay.settle()
    left = relay.members()
    if answer.status_code == 400:
        assert left == set(PEOPLE)
    if not changed and members != []:
        assert left
    look(relay)


def look(relay: Relay) -> None:
    """At everything that shows or exports what was accepted."""
    session, cohort = relay.session()["id"], "/projects/1/cohorts/7"
    for path in (
        f"/sessions/{session}",
        f"/sessions/{session}/rejected",
        f"{cohort}/members",
        f"{cohort}/members.csv",
        f"{cohort}/members.ndjson",
        "/failures",
    ):
        assert relay.api(path).status_code == 200, path
