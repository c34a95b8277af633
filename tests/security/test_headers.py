"""What a browser may do with our pages."""

import pytest

from tests.conftest import MakeRelay
from tests.relay import Relay


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/api/v1/cohorts"])
def test_every_answer_tells_the_browser_what_it_may_do(relay: Relay, path: str) -> None:
    headers = relay.client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("public_url", ["", "https://relay.example"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/api/v1/cohorts", "/webhooks/mixpanel/crm"])
def test_no_answer_names_the_server_and_https_is_for_good(make_relay: MakeRelay, path: str, public_url: str) -> None:
    relay = make_relay(public_url=public_url)
    headers = relay.client.get(path).headers
    assert headers["Server"] == "cohort-relay"
    assert ("max-age=31536000" in headers.get("Strict-Transport-Security", "")) == public_url.startswith("https")


def test_a_browser_is_asked_only_for_what_it_can_do_at_a_plain_address(make_relay: MakeRelay) -> None:
    relay = make_relay(public_url="http://relay.lan:8000")
    headers = relay.client.get("/sign-in").headers
    assert "Cross-Origin-Opener-Policy" not in headers, "a browser complains of it in its console"
