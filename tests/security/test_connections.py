"""Connections, as an operator manages them."""

import pytest

from security import connections
from security.connections import WrongName
from tests.relay import Relay


def add(relay: Relay, name: str) -> str:
    return relay.database.write(lambda db: connections.add(db, "key", name, relay.clock()))


@pytest.mark.parametrize("name", ["", "-a", "_a", "A", "a b", "a/b", "é", "a" * 64, "a\n", ".."])
def test_a_name_that_does_not_fit_into_the_url_is_refused(relay: Relay, name: str) -> None:
    with pytest.raises(WrongName, match="becomes part of the URL"):
        add(relay, name)


@pytest.mark.parametrize("name", ["a", "0", "crm-2", "crm_2", "a" * 63])
def test_a_name_that_fits_is_taken(relay: Relay, name: str) -> None:
    add(relay, name)
    assert name in [one.name for one in relay.database.read(connections.listed)]


def test_a_name_is_taken_once(relay: Relay) -> None:
    with pytest.raises(WrongName, match="already is a connection crm"):
        add(relay, "crm")


def test_an_unknown_connection_is_named_in_the_refusal(relay: Relay) -> None:
    for work in (
        lambda db: connections.rotate(db, "key", "nobody", 0),
        lambda db: connections.retire(db, "nobody", 0),
        lambda db: connections.switch(db, "nobody", enabled=False),
    ):
        with pytest.raises(WrongName, match="There is no connection nobody"):
            relay.database.write(work)


def test_retiring_leaves_the_newest_password_and_says_how_many_went(relay: Relay) -> None:
    for _ in range(2):
        relay.database.write(lambda db: connections.rotate(db, "key", "crm", relay.clock()))
    assert relay.database.write(lambda db: connections.retire(db, "crm", relay.clock())) == 2
    assert relay.database.write(lambda db: connections.retire(db, "crm", relay.clock())) == 0
    (listed,) = relay.database.read(connections.listed)
    assert [number for number, _made, _used in listed.passwords] == [3]


def test_a_switched_off_connection_is_listed_as_such(relay: Relay) -> None:
    relay.database.write(lambda db: connections.switch(db, "crm", enabled=False))
    assert [one.enabled for one in relay.database.read(connections.listed)] == [False]
