"""What a store may keep short: of whom a refresh changes nothing, the id alone."""

import json
from typing import Any

import pytest

from sync import dialects
from sync.apply.membership import People
from sync.apply.people import digests
from sync.contract.page import parse
from tests.relay import Relay, body, member

ADA, BOB, CEM = (member(name, plan="free") for name in ("ada", "bob", "cem"))


def read(relay: Relay, members: list[dict[str, Any]], refresh: int | None) -> People:
    named = digests(parse(json.dumps(body("members", members)).encode()).members)
    cohort = relay.cohort()
    return relay.database.read(
        lambda db: dialects.of(db).read_people(db, cohort["project_id"], cohort["id"], named, refresh)
    )


def looked_at(found: People) -> list[str]:
    return [distinct_id for distinct_id, *_ in found.known]


@pytest.fixture
def synced(relay: Relay) -> Relay:
    relay.refresh([ADA, BOB, CEM])
    relay.remove([CEM], session="removal")
    return relay


def test_whoever_is_in_with_the_same_profile_may_be_settled_and_nobody_else(synced: Relay) -> None:
    dan = member("dan")
    found = read(synced, [ADA, member("bob", plan="pro"), CEM, dan], refresh=3)
    assert looked_at(found)[-3:] == ["bob", "cem", "dan"]
    assert set(found.settled) <= {synced.person("ada")["id"]}
    assert len(found.settled) + len(found.known) == 4


@pytest.mark.parametrize("refresh", [1, None], ids=["the session that has named them", "a diff"])
def test_nobody_is_settled_for(synced: Relay, refresh: int | None) -> None:
    found = read(synced, [ADA, BOB], refresh)
    assert (looked_at(found), list(found.settled)) == (["ada", "bob"], [])


def test_an_unchanged_refresh_counts_those_who_are_settled(synced: Relay) -> None:
    synced.refresh([ADA, BOB, member("dan")], session="third")
    session = synced.session()
    counts = (session["received"], session["entered"], session["left_count"], session["unchanged"])
    assert counts == (3, 1, 0, 2)
    assert synced.members() == {"ada", "bob", "dan"}
