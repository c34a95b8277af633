"""What a browser may do with our pages."""

import pytest

from tests.relay import Relay


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/api/v1/cohorts"])
def test_every_answer_tells_the_browser_what_it_may_do(relay: Relay, path: str) -> None:
    headers = relay.client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
