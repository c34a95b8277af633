"""Reading the body: any Content-Type, gzip, and never more than the cap."""

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest

from tests.conftest import MakeRelay
from tests.relay import Relay, basic, body

MB = 1024 * 1024
PAGE = json.dumps(body("members", ["A"])).encode()


def padded(size: int) -> bytes:
    """A page of exactly `size` bytes."""
    return PAGE + b" " * (size - len(PAGE))


def post_stream(relay: Relay, sent: bytes, length: int | None, **headers: str) -> Any:
    """A body whose length is not what its sender says (None: a chunked body, as a server hands it over)."""
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO(sent), "wsgi.input_terminated": length is None}
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    signed = basic(relay.name, relay.password) | headers
    return relay.client.post("/webhooks/mixpanel/crm", headers=signed, environ_overrides=environ)


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    return make_relay(max_body_mb=1)


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "x"]
)
def test_any_content_type_is_read_as_json(relay: Relay, content_type: str) -> None:
    assert relay.post_raw(PAGE, {"Content-Type": content_type}).status_code == 200
    assert relay.members() == {"A"}


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", " gzip "])
def test_a_gzipped_body_is_accepted(relay: Relay, encoding: str) -> None:
    assert relay.post_raw(gzip.compress(PAGE), {"Content-Encoding": encoding}).status_code == 200
    assert relay.members() == {"A"}


def test_a_gzipped_body_may_have_several_parts(relay: Relay) -> None:
    sent = gzip.compress(PAGE[:50]) + gzip.compress(PAGE[50:])
    assert relay.post_raw(sent, {"Content-Encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize(
    "sent", [PAGE, gzip.compress(PAGE, mtime=0)[:-9], gzip.compress(PAGE, mtime=0) + b"more", b"\x1f\x8b"]
)
def test_what_says_gzip_and_is_none_is_400(relay: Relay, sent: bytes) -> None:
    answer = relay.post_raw(sent, {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json["status"]) == (400, "failure")
    assert relay.failures()[0]["cause"] == "not_gzip"


def test_another_encoding_is_400(relay: Relay) -> None:
    assert relay.post_raw(PAGE, {"Content-Encoding": "br"}).status_code == 400


def test_p32_a_body_of_exactly_the_cap_is_accepted(relay: Relay) -> None:
    assert relay.post_raw(padded(MB)).status_code == 200


def test_p16_p32_a_body_over_the_cap_is_400_and_not_413(relay: Relay) -> None:
    answer = relay.post_raw(padded(MB + 1))
    assert (answer.status_code, answer.json["action"]) == (400, None)
    assert relay.failures()[0]["cause"] == "too_large"


def test_p32_a_length_over_the_cap_is_refused_before_the_body_is_read(relay: Relay) -> None:
    assert post_stream(relay, b"", length=10**12).status_code == 400
    assert relay.failures()[0]["cause"] == "too_large"


def test_p32_the_cap_holds_while_reading_a_body_of_unknown_length(relay: Relay) -> None:
    assert post_stream(relay, padded(MB), length=None).status_code == 200
    assert post_stream(relay, padded(MB + 1), length=None).status_code == 400


@pytest.mark.parametrize("sent", [PAGE[:-5], gzip.compress(PAGE)[:-5]], ids=["plain", "gzip"])
def test_a_body_whose_connection_is_cut_is_503_because_mixpanel_sends_it_again(relay: Relay, sent: bytes) -> None:
    encoding = {} if sent in PAGE else {"Content-Encoding": "gzip"}
    answer = post_stream(relay, sent, length=len(sent) + 5, **encoding)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, 503)
    assert answer.headers["Retry-After"]
    assert relay.failures()[0]["cause"] == "cut_short"
    assert relay.rows("SELECT * FROM cohort") == []


def test_p32_the_cap_holds_while_gunzipping(relay: Relay) -> None:
    gzipped = {"Content-Encoding": "gzip"}
    assert relay.post_raw(gzip.compress(padded(MB)), gzipped).status_code == 200
    assert relay.post_raw(gzip.compress(padded(MB + 1)), gzipped).status_code == 400


@pytest.mark.slow
def test_p32_a_zip_bomb_costs_no_more_memory_than_the_cap(relay: Relay) -> None:
    bomb = gzip.compress(b" " * 200 * MB)
    tracemalloc.start()
    answer = relay.post_raw(bomb, {"Content-Encoding": "gzip"})
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 400
    assert peak < 20 * MB


def test_a_byte_order_mark_is_no_mistake(relay: Relay) -> None:
    assert relay.post_raw(b"\xef\xbb\xbf" + PAGE).status_code == 200


def test_the_bytes_of_a_refused_body_are_counted(relay: Relay) -> None:
    relay.post_raw(b"[1, 2]")
    assert relay.failures()[0]["body_bytes"] == 6
