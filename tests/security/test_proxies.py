"""Whose address counts: the caller's own, or what as many proxies as we trust say of it."""

import pytest

from tests.conftest import MakeRelay
from tests.relay import Relay, basic

WRONG = basic("crm", "wrong")


def wrong_sign_ins(relay: Relay, *forwarded: str) -> list[int]:
    """The statuses of sign-ins with a wrong password, each with its own X-Forwarded-For."""
    return [
        relay.post_raw(b"{}", headers=WRONG | {"X-Forwarded-For": addresses}).status_code for addresses in forwarded
    ]


def test_without_trusted_proxies_a_caller_cannot_give_itself_another_address(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_failure_limit="2 per minute")
    assert wrong_sign_ins(relay, "192.0.2.1", "192.0.2.2", "192.0.2.3") == [401, 401, 429]


def test_behind_one_proxy_the_last_address_counts_whatever_the_caller_puts_before_it(make_relay: MakeRelay) -> None:
    relay = make_relay(sign_in_failure_limit="2 per minute", trusted_proxies=1)
    claims = ["192.0.2.1, 198.51.100.7", "192.0.2.2, 198.51.100.7", "198.51.100.7"]
    assert wrong_sign_ins(relay, *claims) == [401, 401, 429]
    assert wrong_sign_ins(relay, "198.51.100.7, 198.51.100.8") == [401], "another caller is counted for itself"


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_prefix_or_a_host_that_nobody_forwarded_changes_no_address_that_we_print(
    make_relay: MakeRelay, proxies: int
) -> None:
    relay = make_relay(trusted_proxies=proxies)
    answer = relay.client.get("/", headers={"X-Forwarded-Prefix": "/elsewhere"})
    assert answer.status_code == 302
    assert "elsewhere" not in answer.headers["Location"]
    if proxies == 0:
        answer = relay.client.get("/", headers={"X-Forwarded-Host": "evil.example"})
        assert "evil" not in answer.headers["Location"]
