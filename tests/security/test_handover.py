"""What a request leaves for the next page: sealed, bound to its operator, short-lived and bounded, on every process."""

import random
import secrets
from typing import Any

import pytest
from flask import g
from sqlalchemy import text

from app import create_app
from security import handover
from security.operators import Operator
from tests.conftest import settings_for
from tests.relay import MINUTE, Relay

HOUR = 60 * MINUTE
SECRET = "ada@example.org"


@pytest.fixture
def browser(relay: Relay):
    return relay.sign_in("operator")


class As:
    """A request of this operator."""

    def __init__(self, app, operator: Operator) -> None:
        self.context = app.test_request_context()
        self.operator = operator

    def __enter__(self) -> None:
        self.context.push()
        g.operator = self.operator

    def __exit__(self, *_error: object) -> None:
        self.context.pop()


def rows(relay: Relay) -> int:
    return int(scalar(relay, "SELECT count(*) FROM handover"))


def scalar(relay: Relay, statement: str) -> Any:
    return relay.database.read(lambda db: db.execute(text(statement)).scalar())


def test_another_process_finds_what_was_left_and_the_table_holds_nothing_readable(relay: Relay, browser) -> None:
    with As(relay.app, browser.operator):
        key = handover.leave("search", {"q": SECRET})
    settings = relay.app.extensions["runtime"].settings
    other = create_app(settings, relay.clock)
    with As(other, browser.operator):
        assert handover.find("search", key) == {"q": SECRET}
        assert handover.find("search", key) == {"q": SECRET}
    other.extensions["runtime"].database.dispose()
    sealed = scalar(relay, "SELECT sealed FROM handover")
    assert SECRET.encode() not in bytes(sealed)
    assert key.encode() not in bytes(sealed)


def test_a_secret_is_taken_once(relay: Relay, browser) -> None:
    with As(relay.app, browser.operator):
        key = handover.leave("secret", SECRET)
        assert [handover.take("secret", key) for _ in range(2)] == [SECRET, None]
    assert rows(relay) == 0


def test_nobody_else_finds_it_nor_under_another_kind_or_key(relay: Relay, browser) -> None:
    other = relay.sign_in("admin")
    with As(relay.app, browser.operator):
        key = handover.leave("search", SECRET)
        assert handover.find("form", key) is None
        assert handover.find("search", key[:-1]) is None
    with As(relay.app, other.operator):
        assert handover.find("search", key) is None
        assert handover.take("search", key) is None
    assert rows(relay) == 1


@pytest.mark.parametrize(("kind", "lasts"), [("search", HOUR), ("form", HOUR), ("secret", 5 * MINUTE)])
def test_it_is_gone_after_its_time(relay: Relay, browser, kind: str, lasts: int) -> None:
    with As(relay.app, browser.operator):
        key = handover.leave(kind, SECRET)
        relay.clock.time += lasts - 1
        assert handover.find(kind, key) == SECRET
        relay.clock.time += 1
        assert handover.find(kind, key) is None
        handover.leave(kind, "new")
    assert rows(relay) == 1


def test_the_newest_hundred_of_an_operator_are_kept(relay: Relay, browser) -> None:
    other = relay.sign_in("admin")
    with As(relay.app, other.operator):
        theirs = handover.leave("search", "theirs")
    with As(relay.app, browser.operator):
        keys = []
        for number in range(handover.MOST + 5):
            relay.clock.time += 1
            keys.append(handover.leave("search", number))
        assert [handover.find("search", key) for key in (keys[4], keys[5], keys[-1])] == [None, 5, handover.MOST + 4]
    with As(relay.app, other.operator):
        assert handover.find("search", theirs) == "theirs"


def test_large_forms_make_room_for_the_newest(relay: Relay, browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "MOST_BYTES", 5000)
    filled = random.Random(13).randbytes(4000).hex()
    with As(relay.app, browser.operator):
        keys = []
        for number in range(3):
            relay.clock.time += 1
            keys.append(handover.leave("form", filled + str(number)))
        found = [handover.find("form", key) for key in keys]
    assert [one is not None for one in found] == [False, False, True]


def test_what_another_secret_key_sealed_is_as_if_it_were_gone(relay: Relay, browser, tmp_path) -> None:
    with As(relay.app, browser.operator):
        key = handover.leave("search", SECRET)
        relay.app.extensions["runtime"].settings = settings_for(tmp_path, secret_key=secrets.token_hex(32))
        assert handover.find("search", key) is None
