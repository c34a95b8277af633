"""By which names the relay answers browsers, and that machines are answered under any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security import allowed_hosts as host_names
from tests.conftest import MakeRelay
from tests.relay import Relay

MISDIRECTED = 421
PAGES = ["/", "/sign-in", "/send", "/nowhere", "/static/page.js"]


def status(relay: Relay, path: str, host: str, **headers: str) -> int:
    return relay.client.get(path, headers={"Host": host, **headers}).status_code


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "host", ["evil.example", "relay.example.evil.example", "localhost.evil.example:8000", "a b", "["]
)
def test_a_browser_that_was_led_here_by_another_name_gets_nothing(relay: Relay, path: str, host: str) -> None:
    answer = relay.client.get(path, headers={"Host": host})
    assert answer.status_code in {400, MISDIRECTED}
    assert "Set-Cookie" not in answer.headers


def test_the_refusal_says_what_to_do(relay: Relay) -> None:
    answer = relay.client.get("/sign-in", headers={"Host": "evil.example", "Accept": "text/html"})
    assert "ALLOWED_HOSTS" in answer.text
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "relay.example",
        "RELAY.example:443",
        "relay.example.",
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.0.2.7",
        "inner.lan:8000",
        "other.lan",
    ],
)
def test_every_name_of_ours_is_answered(make_relay: MakeRelay, host: str) -> None:
    relay = make_relay(public_url="https://relay.example", host="inner.lan", allowed_hosts="other.lan, third.lan")
    assert status(relay, "/sign-up", host) == 200


def test_a_star_lets_any_name_in(make_relay: MakeRelay) -> None:
    assert status(make_relay(allowed_hosts="*"), "/sign-up", "whatever.example") == 200


def test_a_proxy_that_counts_says_which_name_was_asked_for(make_relay: MakeRelay) -> None:
    behind = make_relay(public_url="https://relay.example", trusted_proxies=1)
    assert status(behind, "/sign-up", "upstream", **{"X-Forwarded-Host": "relay.example"}) == 200
    assert status(behind, "/sign-up", "127.0.0.1", **{"X-Forwarded-Host": "evil.example"}) == MISDIRECTED


def test_mixpanel_programs_and_probes_are_answered_under_any_name(relay: Relay) -> None:
    """A refusal would pause a customer's sync for good; a call without credentials is refused for those alone."""
    for host in ("evil.example", "10.1.2.3:8000", "upstream"):
        answer = relay.post_raw(b'{"action": "members"}', {"Host": host})
        assert answer.status_code == 400, "the body is looked at"
        assert "action" in answer.json
        assert relay.client.post("/webhooks/mixpanel/crm", headers={"Host": host}).status_code == 401
        assert relay.client.post("/v1/mixpanel/cohort/sync", headers={"Host": host}).status_code == 401
        assert relay.api("/cohorts", headers={"Host": host}).status_code == 200
        assert [status(relay, path, host) for path in ("/healthz", "/readyz")] == [200, 200]


@given(st.text(max_size=60))
def test_no_text_for_a_host_is_a_fault_or_a_way_in(host: str) -> None:
    names = frozenset({"localhost", "relay.example"})
    if host_names.goes_by(names, host):
        assert any(one in host.lower() for one in names) or any(mark in host for mark in "0123456789:")
