"""An answer of a passkey that is forged, damaged, repeated or somebody else's opens nothing."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security import operators, passkeys
from security.operators import Operator, WrongOperator
from tests.conftest import MakeRelay
from tests.dashboard.passkey_device import ORIGIN, Device, b64
from tests.dashboard.test_passkeys import add, challenged, is_in, show, shows
from tests.dashboard.test_second_factor import first_step
from tests.relay import Relay


@pytest.fixture
def named(make_relay: MakeRelay) -> Relay:
    return make_relay(public_url=ORIGIN)


FORGED: dict[str, dict[str, Any]] = {
    "for another page": {"origin": "https://relay.example.com.evil.example"},
    "for another host": {"host": "evil.example"},
    "by another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "to the making of one": {"kind": "webauthn.create"},
    "while nobody is there": {"flags": 0},
}


@pytest.mark.parametrize("kind", FORGED)
def test_an_answer_is_not_taken(named: Relay, kind: str) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    assert not shows(named, ada.operator.email, device, **FORGED[kind])
    assert shows(named, ada.operator.email, device)


def test_an_answer_is_taken_once(named: Relay) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    client, _answer = first_step(named, ada.operator.email)
    key, challenge = challenged(client)
    said = device.answer(challenge)
    assert show(client, key, said).status_code == 303
    again, _answer = first_step(named, ada.operator.email)
    assert show(again, key, said).status_code == 422
    other_key, _challenge = challenged(again)
    assert show(again, other_key, said).status_code == 422
    assert not is_in(again)


def test_a_copied_device_is_found_by_its_counter(named: Relay) -> None:
    ada, device = named.sign_in("viewer"), Device()
    add(ada, device)
    assert shows(named, ada.operator.email, device, uses=7)
    assert not shows(named, ada.operator.email, device, uses=7)
    assert shows(named, ada.operator.email, device, uses=8)


def test_a_passkey_of_somebody_else_opens_nothing(named: Relay) -> None:
    ada, device = named.sign_in("viewer"), Device()
    bob, his = named.sign_in("admin"), Device()
    add(ada, device)
    add(bob, his)
    assert not shows(named, bob.operator.email, device)
    assert shows(named, bob.operator.email, his)


HERE, CHALLENGE = passkeys.Site("relay.example.com", ORIGIN), b"c" * 32
ADA = Operator(1, "ada@example.org", "viewer", 1, 0, None)
odd = st.none() | st.booleans() | st.integers() | st.text(max_size=40) | st.lists(st.integers(), max_size=2)
searched = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def none_yet(relay: Relay) -> None:
    """Each example begins with an operator who has no passkey."""
    relay.database.write(lambda db: operators.forget_second_factor(db, ADA.id))


def added(relay: Relay, said: Any) -> None:
    made = (HERE, CHALLENGE, json.dumps(said))
    relay.database.write(lambda db: passkeys.add(db, ADA, "laptop", made, 1))


def passed(relay: Relay, said: Any) -> str | None:
    answered = (HERE, CHALLENGE, json.dumps(said))
    found: str | None = relay.database.write(lambda db: passkeys.passed_by(db, ADA, answered, 1))
    return found


@given(part=st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]), bit=st.integers(0, 2**16))
@searched
def test_an_answer_of_which_one_bit_is_another_is_not_taken(named: Relay, part: str, bit: int) -> None:
    device = Device()
    none_yet(named)
    added(named, device.made(b64(CHALLENGE)))
    said = device.answer(b64(CHALLENGE))
    wrong = bytearray(base64.urlsafe_b64decode(said["response"][part] + "=="))
    wrong[bit // 8 % len(wrong)] ^= 1 << bit % 8
    assert passed(named, said | {"response": said["response"] | {part: b64(bytes(wrong))}}) is None
    assert passed(named, said) == passkeys.BY_PASSKEY


def _places(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    return [path, *(place for name, part in inner for place in _places(part, (*path, name)))]


def _with(value: Any, path: tuple[str, ...], other: Any) -> Any:
    return value | {path[0]: _with(value[path[0]], path[1:], other)} if path else other


@given(data=st.data())
@searched
def test_whatever_a_browser_says_in_whatever_place_is_refused_and_not_a_fault(
    named: Relay, data: st.DataObject
) -> None:
    device = Device()
    none_yet(named)
    added(named, device.made(b64(CHALLENGE)))
    for said, told in ((device.answer(b64(CHALLENGE)), passed), (Device().made(b64(CHALLENGE)), added)):
        place = data.draw(st.sampled_from(_places(said)))
        with suppress(WrongOperator):
            told(named, _with(said, place, data.draw(odd)))
