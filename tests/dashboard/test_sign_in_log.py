"""Each try to sign in leaves a line in the log: from where, and how it ended; never with what, nor as whom."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from tests.conftest import MakeRelay
from tests.relay import PASSWORD, Relay

ELSEWHERE = "203.0.113.9"
WRONG = "not the right password"
MOST = 4


def tries(relay: Relay, path: str, count: int = 1, **typed: str) -> list[int]:
    """The statuses of so many tries from elsewhere, each in a browser of its own."""
    found = []
    for _ in range(count):
        client = relay.app.test_client()
        (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
        answer = client.post(path, data={"csrf_token": token, **typed}, environ_base={"REMOTE_ADDR": ELSEWHERE})
        found.append(answer.status_code)
    return found


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    logged = capfd.readouterr().err
    for secret in (PASSWORD, WRONG, "@example.org"):
        assert secret not in logged
    return [one for one in map(json.loads, logged.splitlines()) if one["event"] == "sign_in"]


def test_every_try_is_a_line_with_its_address_and_outcome(
    make_relay: MakeRelay, capfd: pytest.CaptureFixture[str]
) -> None:
    relay = make_relay(log_level="info", operator_sign_in_limit=f"{MOST} per minute")
    email = relay.sign_in("operator").email
    capfd.readouterr()
    assert tries(relay, "/sign-in", email=email, password=PASSWORD) == [302]
    assert tries(relay, "/sign-in", email=email, password=WRONG) == [422]
    assert tries(relay, "/sign-in", email="nobody@example.org", password=WRONG) == [422]
    more = tries(relay, "/sign-in", 6, email=email, password=WRONG)
    found = lines(capfd)
    assert {one["address"] for one in found} == {ELSEWHERE}
    outcomes = Counter(one["outcome"] for one in found)
    assert outcomes == {"accepted": 1, "refused": 2 + more.count(422), "too_often": more.count(429)}
    assert more.count(429) > 0
    assert len(found) == 3 + len(more)


def test_so_is_each_try_of_the_first_operators_code(make_relay: MakeRelay, capfd: pytest.CaptureFixture[str]) -> None:
    relay = make_relay(log_level="info", operator_sign_in_limit=f"{MOST} per minute")
    capfd.readouterr()
    typed = {"email": "first@example.org", "password": "quite a long phrase", "code": "guessed"}
    statuses = tries(relay, "/sign-up", 6, **typed)
    found = lines(capfd)
    outcomes = Counter(one["outcome"] for one in found)
    assert outcomes == {"refused": statuses.count(422), "too_often": statuses.count(429)}
    assert {one["address"] for one in found} == {ELSEWHERE}
