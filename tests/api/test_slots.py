"""Slots for what takes long: nobody has all of them, whatever they leave unread."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from blueprints.slots import Slots
from tests.api.test_exports import COHORT, another_token, fill
from tests.relay import Relay

NAMES = st.sampled_from(["a", "b", "c"])


@pytest.fixture
def relay(make_relay: Any) -> Relay:
    made: Relay = make_relay(threads=8)
    fill(made, 3)
    return made


def export(relay: Relay, token: str) -> TestResponse:
    """One that nobody reads."""
    where = f"/api/v1{COHORT}/members.csv"
    return relay.client.get(where, headers={"Authorization": f"Bearer {token}"}, buffered=False)


def test_what_one_token_does_not_read_is_nobody_elses_429(relay: Relay) -> None:
    greedy = [export(relay, relay.token) for _ in range(4)]
    assert [one.status_code for one in greedy] == [200, 200, 429, 429]
    other = export(relay, another_token(relay, "other"))
    assert other.status_code == 200
    assert other.data
    greedy[0].close()
    assert export(relay, relay.token).status_code == 200


def test_what_one_operator_does_not_read_is_nobody_elses_429(relay: Relay) -> None:
    where = f"/cohorts/{relay.cohort()['id']}/members.csv"
    mine, others = relay.sign_in("admin"), relay.sign_in("operator")
    unread = [mine.client.get(where, buffered=False) for _ in range(3)]
    assert [one.status_code for one in unread] == [200, 200, 429]
    assert others.client.get(where).status_code == 200


@given(st.integers(1, 9), st.lists(st.tuples(NAMES, st.booleans()), max_size=60))
def test_there_are_never_more_than_so_many_nor_one_has_more_than_half(
    count: int, steps: list[tuple[str, bool]]
) -> None:
    slots, held = Slots(count), []
    for who, comes in steps:
        mine = sum(one == who for one, _ in held)
        if comes:
            give = slots.take(who)
            assert (give is not None) == (len(held) < count and mine < max(1, count // 2))
            held += [(who, give)] if give else []
        elif mine:
            found = next(one for one in held if one[0] == who)
            held.remove(found)
            found[1]()
            found[1]()  # again changes nothing
