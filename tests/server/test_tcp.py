"""The kernel's account of a connection says what happened on it."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server import tcp
from tests.failing.server import wait_until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux keeps the account")

Line = tuple[socket.socket, socket.socket]


@pytest.fixture
def line() -> Iterator[Line]:
    """Both ends of a connection: the client's and ours."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        client = socket.create_connection(listening.getsockname(), timeout=20)
        ours, _ = listening.accept()
        with client, ours:
            yield client, ours


@given(st.integers(1, 20_000), st.integers(1, 20_000))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_are_counted_both_ways(line: Line, sent: int, received: int) -> None:
    client, ours = line
    before = tcp.account(ours)
    client.sendall(b"x" * received)
    ours.recv(received, socket.MSG_WAITALL)
    ours.sendall(b"x" * sent)
    client.recv(sent, socket.MSG_WAITALL)
    wait_until(lambda: not tcp.waits_for_reader(ours), 20, "the last acknowledgement")
    after = tcp.account(ours)
    assert after.bytes_received - before.bytes_received == received
    assert after.bytes_acked - before.bytes_acked == sent


def test_who_was_heard_last_is_told_by_the_times(line: Line) -> None:
    client, ours = line
    ours.sendall(b"x")
    began = time.monotonic()
    wait_until(lambda: tcp.account(ours).last_data_sent >= 50, 20, "some time without a word of ours")
    client.sendall(b"x")
    ours.recv(1)
    info, passed = tcp.account(ours), (time.monotonic() - began) * 1000
    assert info.last_data_recv < info.last_data_sent <= passed + 50  # the kernel's clock has steps of 4 to 10 ms


def test_what_nobody_takes_waits_for_its_reader(line: Line) -> None:
    client, ours = line
    ours.setblocking(False)
    with suppress(BlockingIOError):
        while ours.send(b"x" * 65_536):
            pass
    assert tcp.waits_for_reader(ours)
    taken = tcp.account(ours).bytes_acked
    client.recv(4_000_000, socket.MSG_WAITALL)
    wait_until(lambda: tcp.account(ours).bytes_acked > taken, 20, "the reader's progress")


def test_an_account_that_is_cut_short_is_no_account(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.tcp.ctypes.sizeof", lambda _kind: 104)  # as before Linux 4.1
    with pytest.raises(ValueError, match="too small"):
        tcp.account(line[1])
