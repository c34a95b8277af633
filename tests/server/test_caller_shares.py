"""Nobody has all of a process: turns and open calls are shared out by caller."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import Any

import pytest
from flask import Flask
from flask_httpauth import HTTPBasicAuth
from hypothesis import assume, given
from hypothesis import strategies as st
from werkzeug.datastructures import Authorization

from config.environ import TOO_BUSY
from server import caller_shares
from server.caller_shares import OPEN, STRANGERS, Callers, who
from server.concurrency import Turns


def environ(name: str = "", address: str = "192.0.2.1", path: str = "/webhooks/mixpanel/crm") -> dict[str, Any]:
    """A call with the credentials of `name`, or without any."""
    call = {"wsgi.input": io.BytesIO(), "REMOTE_ADDR": address, "PATH_INFO": path}
    if name:
        call["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(f"{name}:secret".encode()).decode()
    return call


class Heavy:
    """An app whose calls of `crm` take until `done`; it notes who is one too many."""

    def __init__(self) -> None:
        self.began, self.done = Semaphore(0), Event()

    def __call__(self, call: dict[str, Any], _start: Any) -> list[bytes]:
        if TOO_BUSY in call:
            return [b"too busy"]
        if call.get("HTTP_AUTHORIZATION") == environ("crm")["HTTP_AUTHORIZATION"]:
            self.began.release()
            self.done.wait(60)
        return [b"answered"]


def call(turns: Turns, given: dict[str, Any]) -> bytes:
    return b"".join(turns(given, lambda *_: None))


def test_eight_heavy_calls_of_one_connection_leave_turns_to_another() -> None:
    app = Heavy()
    turns = Turns(app, turns=8, patience=60)
    with ThreadPoolExecutor(9) as pool:
        heavy = [pool.submit(call, turns, environ("crm")) for _ in range(8)]
        for _ in range(4):
            assert app.began.acquire(timeout=20)
        assert pool.submit(call, turns, environ("other")).result(20) == b"answered"
        assert not app.began.acquire(blocking=False), "half of the turns are its share"
        app.done.set()
        assert {one.result(20) for one in heavy} == {b"answered"}, "they waited for their turn, and had it"
    assert not len(turns.callers)


def test_who_waits_too_long_for_the_share_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_shares, "PATIENCE", 0.01)
    app = Heavy()
    turns = Turns(app, turns=2, patience=60)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(call, turns, environ("crm"))
        assert app.began.acquire(timeout=20)
        assert call(turns, environ("crm")) == b"too busy"
        app.done.set()
        assert first.result(20) == b"answered"
    assert call(turns, environ("crm")) == b"answered"


def test_one_caller_has_so_many_calls_open_and_no_more() -> None:
    here = Callers(8, 0)
    entered = [here.enter(environ("crm")) for _ in range(OPEN + 1)]
    assert [may for _, may in entered] == [True] * OPEN + [False]
    assert here.enter(environ("other"))[1]
    for caller, _ in entered:
        here.leave(caller)
    assert here.enter(environ("crm"))[1]


def test_strangers_of_however_many_addresses_have_so_many_calls_open_and_no_more() -> None:
    here = Callers(8, 0)
    entered = [here.enter(environ(address=f"192.0.{n // 250}.{n % 250}")) for n in range(STRANGERS + 1)]
    assert [may for _, may in entered] == [True] * STRANGERS + [False]
    assert here.enter(environ("crm"))[1], "a connection has its own places"
    for caller, _ in entered:
        here.leave(caller)
    assert len(here) == 1


@given(st.text(alphabet="abcXYZ 019", min_size=1))
def test_whatever_a_stranger_writes_into_its_credentials_it_is_its_address_where_forms_are_read(made_up: str) -> None:
    named = {**environ(path="/sign-in"), "HTTP_AUTHORIZATION": made_up}
    assert who(named, 0) == "address 192.0.2.1"


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_network_of_64_bits_is_one_caller(one: int, other: int) -> None:
    def address(host: int) -> str:
        return "2001:db8:1:2:" + ":".join(f"{host >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0))

    assert who(environ(address=address(one)), 0) == who(environ(address=address(other)), 0)
    assert who(environ(address="::ffff:192.0.2.1"), 0) == who(environ(address="192.0.2.1"), 0)


def test_behind_a_proxy_the_caller_is_who_the_trusted_one_names() -> None:
    forwarded = {**environ(address="10.0.0.1"), "HTTP_X_FORWARDED_FOR": "made-up, 198.51.100.7"}
    assert who(forwarded, 1) == "address 198.51.100.7"
    assert who(forwarded, 0) == "address 10.0.0.1"


# --- one caller, however it spells its credentials

BLANKS = st.text(alphabet=" \t", max_size=3)
NOISE = st.text(alphabet="!*-_.,;:\x80é\t =%$", max_size=3)
SCHEMES = st.sampled_from(["Basic", "basic", "BASIC", "bAsIc", "Bearer", "Digest", "x", ""])


@st.composite
def basic_spellings(draw: st.DrawFn) -> str:
    """The credentials of `crm` with what decoders skip, and with other bits where the last sign has some to spare."""
    encoded = base64.b64encode(b"crm:secretsecret").decode()
    if draw(st.booleans()):
        encoded = encoded.replace("dA==", draw(st.sampled_from(["dA==", "dB==", "dP==", "dA==="])))
    place = draw(st.integers(0, len(encoded)))
    return f"{draw(SCHEMES)} {draw(BLANKS)}{encoded[:place]}{draw(NOISE)}{encoded[place:]}{draw(BLANKS)}"


def as_the_webhook_reads(header: str) -> tuple[Any, Any] | None:
    with Flask("as read").test_request_context(headers={"Authorization": header}):
        found = HTTPBasicAuth().get_auth()
        return found and (found.username, found.password)


@given(basic_spellings())
def test_a_connection_is_one_caller_however_it_spells_its_credentials(header: str) -> None:
    assume(as_the_webhook_reads(header) == ("crm", "secretsecret"))
    plain = "Basic " + base64.b64encode(b"crm:secretsecret").decode()
    assert who({**environ(), "HTTP_AUTHORIZATION": header}, 0) == who({**environ(), "HTTP_AUTHORIZATION": plain}, 0)


@given(st.sampled_from(["Bearer", "bearer", "BEARER"]), BLANKS, BLANKS, st.text("abcXYZ-_", min_size=1))
def test_a_token_is_one_caller_however_it_is_spelled(scheme: str, before: str, after: str, token: str) -> None:
    header, path = f"{scheme} {before}{token}{after}", "/api/v1/cohorts"
    read = Authorization.from_header(header)
    assert read is not None
    assert read.token == token
    plain = who({**environ(path=path), "HTTP_AUTHORIZATION": f"Bearer {token}"}, 0)
    assert who({**environ(path=path), "HTTP_AUTHORIZATION": header}, 0) == plain
    assert who({**environ(path=path), "HTTP_AUTHORIZATION": f"Bearer {token}x"}, 0) != plain


@given(st.text(st.characters(max_codepoint=255), max_size=30), st.sampled_from(["/webhooks/mixpanel/crm", "/api/v1/"]))
def test_a_caller_is_named_in_few_signs_and_who_gives_nothing_is_its_address(header: str, path: str) -> None:
    found = who({**environ(path=path), "HTTP_AUTHORIZATION": header * 1000}, 0)
    assert found == "address 192.0.2.1" or len(found) == len("credentials ") + 32


def test_whoever_knows_the_name_of_a_connection_takes_nothing_of_its_share() -> None:
    wrong = "Basic " + base64.b64encode(b"crm:wrong").decode()
    assert who({**environ(), "HTTP_AUTHORIZATION": wrong}, 0) != who(environ("crm"), 0)
