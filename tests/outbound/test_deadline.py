"""Every call out ends in time, however slowly the other side talks and at whatever stage.

The servers here would give a good answer in the end, a byte at a time: whoever waits for each read alone gets it.
"""

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from alerts import calls as alert_calls
from alerts import channels
from alerts.messages import Logged
from outbound.downloads.receiver import Receiver, nobody_is_told
from outbound.downloads.targets import StreamTarget
from outbound.operations.registry import OPERATIONS
from outbound.operations.types import Request
from outbound.request.masking import Mask
from outbound.transport.addresses import anywhere
from outbound.transport.client import Broken, Client, Unreached
from tests.conftest import settings_for
from tests.outbound.talking_server import Talk, talking_server, whole_request

pytestmark = pytest.mark.slow

PAUSE, LONG = 0.05, 20.0  # seconds between two bytes, and until a server has said all
WITHIN = 0.5
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FILLED = b" " * round(LONG / PAUSE)


def slowly(connection: socket.socket, said: bytes) -> None:
    for one in said:
        connection.sendall(bytes([one]))
        time.sleep(PAUSE)


def answering(at_once: bytes, then_slowly: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        whole_request(connection)
        connection.sendall(at_once)
        slowly(connection, then_slowly)

    return talk


LENGTH = b"Content-Length: %d\r\n\r\n" % (len(FILLED) + 1)
TALKS: dict[str, Talk] = {
    "status line": answering(b"HTTP/1.1 200 ", b"K" * len(FILLED) + b"\r\nContent-Length: 1\r\n\r\n1"),
    "headers": answering(HEAD + b"X-Slow: ", FILLED + b"\r\nContent-Length: 1\r\n\r\n1"),
    "body of known length": answering(HEAD + LENGTH, FILLED + b"1"),
    "body without a length": answering(HEAD + b"\r\n", FILLED + b"1"),
    "chunks": answering(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n1\r\n" * (len(FILLED) // 6) + b"0\r\n\r\n"
    ),
    "an interim answer": answering(b"", b"HTTP/1.1 100 Continue\r\n" + b"X: " + FILLED + b"\r\n\r\n"),
}


def hanging(connection: socket.socket) -> None:
    """Takes nothing of the request, and says nothing."""
    time.sleep(LONG)


def handshaking(connection: socket.socket) -> None:
    """A TLS record of 16 KB, a byte at a time."""
    connection.sendall(b"\x16\x03\x03\x40\x00")
    slowly(connection, b"\x02" + FILLED)


def client(port: int, scheme: str = "http", receiver: Receiver | None = None) -> tuple[Client, str]:
    allowed = frozenset({(scheme, f"127.0.0.1:{port}")})
    return Client(WITHIN, allowed, policy=anywhere, receiver=receiver), f"{scheme}://127.0.0.1:{port}"


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_an_answer_that_trickles_is_cut_at_the_deadline_wherever_it_is(talk: Talk) -> None:
    with talking_server(talk) as port:
        calls, base = client(port)
        with pytest.raises(Broken, match="within the time limit"):
            calls.call(Request("GET", base, "/me"))


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
def test_a_stream_has_a_deadline_too(talk: Talk) -> None:
    with talking_server(talk) as port:
        calls, base = client(port)
        with (
            pytest.raises(Broken, match="within the time limit"),
            calls.stream(Request("GET", base, "/export"), WITHIN) as (_status, pieces),
        ):
            list(pieces)


def test_a_long_answer_that_comes_on_and_on_ends_only_when_it_falls_silent() -> None:
    """Silent for as long as another call may take altogether."""

    def talk(connection: socket.socket) -> None:
        whole_request(connection)
        connection.sendall(HEAD + b"\r\n")
        for _ in range(6):
            time.sleep(WITHIN / 2)
            connection.sendall(b'{"event": "e", "properties": {}}'.ljust(100_000) + b"\n")
        time.sleep(LONG)

    with talking_server(talk) as port:
        receiver = Receiver(
            OPERATIONS["raw-event-export"], Mask(), StreamTarget(lambda _piece: None), nobody_is_told, lasting=True
        )
        calls, base = client(port, receiver=receiver)
        began = time.monotonic()
        received = calls.call(Request("GET", base, "/export")).received
        assert 3 * WITHIN <= time.monotonic() - began < LONG / 2
    assert received is not None
    assert (received.records, received.is_whole) == (5, False)


def test_a_request_that_nobody_reads_is_cut_and_may_have_arrived() -> None:
    with talking_server(hanging) as port:
        calls, base = client(port)
        with pytest.raises(Broken, match="within the time limit"):
            calls.call(Request("POST", base, "/import", body=b"x" * 32 * 1024 * 1024))


def test_a_handshake_that_trickles_is_cut_and_nothing_was_sent() -> None:
    with talking_server(handshaking) as port:
        calls, base = client(port, "https")
        with pytest.raises(Unreached, match="within the time limit"):
            calls.call(Request("GET", base, "/me"))


def test_a_connection_that_is_used_again_has_the_deadline_of_its_second_call() -> None:
    def talk(connection: socket.socket) -> None:
        whole_request(connection)
        connection.sendall(HEAD + b"Content-Length: 1\r\n\r\n1")
        whole_request(connection)
        connection.sendall(HEAD + LENGTH)
        slowly(connection, FILLED + b"1")

    with talking_server(talk) as port:
        calls, base = client(port)
        assert calls.call(Request("GET", base, "/me")).body == b"1"
        with pytest.raises(Broken, match="within the time limit"):
            calls.call(Request("GET", base, "/me"))


# --- alerts

ALERT = Logged(1, 0, "subject", "test", "title", "message", "link", "email", "waiting", 1, None, None)


def taking_mail(connection: socket.socket) -> None:
    """Takes a mail as fast as it comes."""
    while said := connection.recv(65536):
        connection.sendall(b"354 go on\r\n" if said.upper().startswith(b"DATA") else b"250 OK\r\n")


def mail_server_slow_to_greet(connection: socket.socket) -> None:
    slowly(connection, b"220 " + FILLED + b"\r\n")
    taking_mail(connection)


def mail_server_slow_to_answer(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")
    connection.recv(65536)
    slowly(connection, b"250-" + FILLED + b"\r\n250 OK\r\n")
    taking_mail(connection)


@pytest.mark.parametrize(
    ("channel", "scheme", "talk"),
    [
        ("email", "smtp", mail_server_slow_to_greet),
        ("email", "smtp", mail_server_slow_to_answer),
        ("email", "smtps", handshaking),
        *[("webhook", "http", TALKS[name]) for name in ("status line", "headers", "an interim answer")],
        ("webhook", "https", handshaking),
        ("slack", "http", TALKS["headers"]),
    ],
)
def test_no_channel_of_alerts_waits_for_a_server_that_trickles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: str, scheme: str, talk: Talk
) -> None:
    monkeypatch.setattr(alert_calls, "WITHIN", WITHIN)
    with talking_server(talk) as port:
        url = f"{scheme}://127.0.0.1:{port}"
        settings = settings_for(
            tmp_path,
            smtp_url=url if channel == "email" else "",
            alert_email_to="ops@example.com" if channel == "email" else "",
            alert_slack_url=url if channel == "slack" else "",
            alert_webhook_url=url if channel == "webhook" else "",
        )
        with pytest.raises(alert_calls.NotDelivered):
            channels.deliver(channels.of_settings(settings)[channel], replace(ALERT, channel=channel), 0)
