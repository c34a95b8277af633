"""Operators who are changed by two processes at once."""

from functools import partial
from threading import Thread

import pytest

from security import operators
from security.operators import Operator, WrongOperator
from tests.relay import PASSWORD_HASH, Relay

AT_ONCE = 0.5  # seconds that the second one has to overtake the first


def admin(relay: Relay, email: str) -> Operator:
    add = partial(operators.add, email=email, password_hash=PASSWORD_HASH, role="admin", who="tests", now=1)
    return relay.database.write(add)


@pytest.mark.parametrize("change", [operators.remove, partial(operators.set_role, role="viewer")])
def test_two_admins_who_end_each_other_at_once_leave_one(relay: Relay, change) -> None:
    ada, bob = admin(relay, "ada@example.org"), admin(relay, "bob@example.org")
    refused: list[WrongOperator] = []

    def by_bob() -> None:
        try:
            relay.database.write(partial(change, operator=ada, who=bob.email, now=2))
        except WrongOperator as error:
            refused.append(error)

    second = Thread(target=by_bob)

    def by_ada(db) -> None:
        change(db, operator=bob, who=ada.email, now=2)
        if not second.ident:
            second.start()
        second.join(AT_ONCE)

    relay.database.write(by_ada)
    second.join()
    left = relay.database.read(operators.listed)
    assert [one.email for one in left if one.role == "admin"] == ["ada@example.org"]
    assert len(refused) == 1


@pytest.mark.slow
def test_an_unknown_operator_costs_the_same_hash_as_a_known_one() -> None:
    method, _, digest = operators.hashed("a password of somebody").split("$")
    nobodys_method, _, nobodys_digest = operators._NOBODY.split("$")
    assert (method, len(digest)) == (nobodys_method, len(nobodys_digest))
