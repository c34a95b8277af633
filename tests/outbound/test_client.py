"""The socket: to the allowed servers at public addresses only, and what its troubles are called."""

import inspect
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from outbound.operations.types import Problem, Request
from outbound.request.raw import target_of
from outbound.transport import client as client_module
from outbound.transport import deadline
from outbound.transport.addresses import anywhere
from outbound.transport.client import Broken, Client, Forbidden, Unreached
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.talking_server import talking_server, whole_request

HOST = ("http", "api.mixpanel.com")


def to(base: str, path: str = "/track") -> Request:
    return Request("GET", base, path, auth=("u", "s"))


def at(mixpanel: Mixpanel) -> frozenset[tuple[str, str]]:
    return frozenset({("http", mixpanel.url.removeprefix("http://"))})


def test_another_host_is_never_called(mixpanel: Mixpanel) -> None:
    client = Client(1, frozenset({HOST}), policy=anywhere)
    with pytest.raises(Forbidden, match="none of the servers"):
        client.call(to(mixpanel.url))
    assert mixpanel.calls == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, mixpanel: Mixpanel, address: str
) -> None:
    """The check asks the connection for its other end, so the connection is what is faked here."""
    made: list[socket.socket] = []

    class Connected(socket.socket):
        def getpeername(self) -> Any:
            return (address, 443)

    def connect(*_arguments: Any, **_options: Any) -> socket.socket:
        one = Connected(socket.AF_INET, socket.SOCK_STREAM)
        made.append(one)
        return one

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(Forbidden, match="private address"):
        Client(1, frozenset({HOST})).call(to("http://api.mixpanel.com"))
    assert made[0].fileno() == -1


def test_a_dns_name_of_ours_that_really_resolves_to_this_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, mixpanel: Mixpanel
) -> None:
    port = mixpanel.url.rpartition(":")[2]
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real("127.0.0.1", *rest, **more))
    allowed = frozenset({("http", f"api.mixpanel.com:{port}")})
    with pytest.raises(Forbidden, match="private address"):
        Client(1, allowed).call(to(f"http://api.mixpanel.com:{port}"))
    assert mixpanel.calls == []


def test_a_redirect_is_an_answer_and_is_not_followed(mixpanel: Mixpanel) -> None:
    mixpanel.script("/track", Answer(302, "", {"Location": f"{mixpanel.url}/elsewhere"}))
    assert Client(1, at(mixpanel), policy=anywhere).call(to(mixpanel.url)).status == 302
    assert [call.path for call in mixpanel.calls] == ["/track"]


def test_neither_a_proxy_nor_netrc_of_the_environment_has_a_say(
    monkeypatch: pytest.MonkeyPatch, mixpanel: Mixpanel
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Client(1, at(mixpanel), policy=anywhere).call(to(mixpanel.url)).status == 200


def test_what_never_arrived_is_told_from_what_may_have(mixpanel: Mixpanel) -> None:
    mixpanel.script("/late", Answer(after=2))
    mixpanel.script("/gone", Answer(drop=True))
    client = Client(0.3, at(mixpanel) | {("http", "127.0.0.1:1")}, policy=anywhere)
    with pytest.raises(Unreached):
        client.call(to("http://127.0.0.1:1"))
    with pytest.raises(Broken, match="within the time limit"):
        client.call(to(mixpanel.url, "/late"))
    with pytest.raises(Broken):
        client.call(to(mixpanel.url, "/gone"))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/track",
        "https://api.mixpanel.com.evil.example/track",
        "https://api.mixpanel.com@evil.example/track",
        "https://evil.example#api.mixpanel.com/track",
        "https://evil.example\\@api.mixpanel.com/track",
        "http://api.mixpanel.com/track",  # not in the clear
        "https://api.mixpanel.com:8443/track",
        "https://api-eu.mixpanel.com/track",  # another region's
        "https://127.0.0.1/track",
        "https://[::1]/track",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "file:///etc/passwd",
        "//evil.example/track",
        "/\\evil.example/track",
        "/../../track",
        "https:///track",
        "https://api.mixpanel.com\r\nHost: evil.example/",
    ],
)
def test_a_raw_request_goes_to_the_servers_of_its_region_only(url: str) -> None:
    assert isinstance(target_of({"url": url}, "us", ""), Problem)


def test_a_raw_request_may_name_a_server_of_its_region_or_only_a_path() -> None:
    for region, server in (("us", "api"), ("eu", "api-eu"), ("in", "api-in")):
        whole = target_of({"url": f"https://{server.upper()}.mixpanel.com/track?ip=0"}, region, "")
        assert whole == (f"https://{server}.mixpanel.com", "/track?ip=0", ())
        assert target_of({"url": "/track"}, region, "") == (f"https://{server}.mixpanel.com", "/track", ())


# --- connections that are kept

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"


@contextmanager
def closing_server(*, heard: bool) -> Iterator[tuple[str, list[bytes], threading.Semaphore]]:
    """A server that answers once on each connection, and then closes it: at once, or when it has `heard` more. Its
    address, the methods that it answered, and how many connections it has closed."""
    answered: list[bytes] = []
    closed = threading.Semaphore(0)

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            answered.append(whole_request(connection).split(b" ")[0])
            connection.sendall(GOOD)
            if heard:
                connection.recv(65536)
        connection.close()
        closed.release()

    with talking_server(talk) as port:
        yield f"http://127.0.0.1:{port}", answered, closed


def caller(base: str) -> Client:
    return Client(30, frozenset({("http", base.removeprefix("http://"))}), policy=anywhere)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_kept_connection_that_is_found_closed_is_no_try(method: str) -> None:
    with closing_server(heard=False) as (base, answered, closed):
        calls = caller(base)
        for count in range(1, 4):
            assert calls.call(Request(method, base, "/me", body=b"x" if method == "POST" else None)).body == b"1"
            assert len(answered) == count
            assert closed.acquire(timeout=10)


def test_a_kept_connection_that_its_server_closes_meanwhile_is_no_try_of_a_call_that_reads() -> None:
    with closing_server(heard=True) as (base, answered, _):
        calls = caller(base)
        assert [calls.call(Request("GET", base, "/me")).body for _ in range(5)] == [b"1"] * 5
        assert len(answered) == 5


def test_a_call_that_writes_is_not_sent_twice_because_of_a_kept_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "KEPT_FOR", 60.0)  # on a busy machine seconds may pass between the two
    with closing_server(heard=True) as (base, answered, _):
        calls = caller(base)
        calls.call(Request("POST", base, "/track", body=b"1"))
        with pytest.raises(Broken, match="broke off before an answer"):
            calls.call(Request("POST", base, "/track", body=b"2"))
        assert len(answered) == 1


def test_a_connection_that_was_not_used_for_a_while_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may be closing it just now, and of a call that writes nobody would know whether it was taken."""
    monkeypatch.setattr(deadline, "KEPT_FOR", 0.0)
    with closing_server(heard=True) as (base, answered, _):
        calls = caller(base)
        for count in range(1, 4):
            assert calls.call(Request("POST", base, "/track", body=b"1")).body == b"1"
            assert len(answered) == count


def test_nothing_of_a_library_is_overridden_that_is_not_offered() -> None:
    own = [
        one
        for module in (client_module, deadline)
        for _, one in inspect.getmembers(module, inspect.isclass)
        if one.__module__ == module.__name__ and any(base.__module__.startswith("urllib3") for base in one.__mro__)
    ]
    assert len(own) >= 4
    for one in own:
        theirs = {name for base in one.__mro__ if base.__module__.startswith("urllib3") for name in vars(base)}
        assert not {name for name in vars(one) if name[0] == "_" and name[:2] != "__"} & theirs, one
