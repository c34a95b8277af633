"""A company's database whose certificate is not to be trusted is named as that, and nothing is sent to it."""

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from destinations.contract import Refusal
from tests.destinations.far_end import FEED, change
from tests.destinations.test_sql import adapter
from tests.failing.certificates import DAY, Authority, new_authority
from tests.failing.cluster import Cluster, private_cluster
from tests.failing.test_certificates import encrypt
from tests.outbound.talking_server import talking_server

EXPIRED: dict[str, timedelta] = {"until": -DAY / 2}
# What MariaDB says first: its version, a challenge, and that it can be talked to over TLS (0x0800).
GREETING = (
    b"\x0a5.5.5-10.11-MariaDB\0" + b"\1\0\0\0" + b"challeng\0" + b"\x00\xaa" + b"\x21\2\0" + b"\x00\x80" + b"\x15"
    b"\0\0\0\0\0\0\0\0\0\0" + b"is-twelve-ab\0" + b"mysql_native_password\0"
)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that every client on this machine trusts."""
    made = new_authority(tmp_path)
    monkeypatch.setenv("PGSSLROOTCERT", str(made.file))
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with private_cluster() as one:
        yield one


def told_by(url: str) -> Refusal:
    """What its check says, and what comes of a change; both are the same."""
    one = adapter(url)
    checked, answer = one.check(), one.send(FEED, [change()])
    one.close()
    assert (checked.ok, answer.verdicts) == (False, {})
    assert answer.refusal is not None
    assert checked.told == answer.refusal.told
    return answer.refusal


def postgresql(cluster: Cluster) -> str:
    return f"postgresql://postgres@localhost:{cluster.port}/postgres?sslmode=verify-full"


@pytest.mark.parametrize(
    ("name", "times", "says"),
    [
        ("localhost", EXPIRED, "its certificate is not to be trusted: it may have expired"),
        ("elsewhere", {}, "its certificate is for another name"),
    ],
)
def test_that_of_postgresql(
    cluster: Cluster, authority: Authority, name: str, times: dict[str, timedelta], says: str
) -> None:
    encrypt(cluster, *authority.sign(name, **times))
    refusal = told_by(postgresql(cluster))
    assert (refusal.kind, refusal.reason) == ("unavailable", "certificate")
    assert refusal.told.startswith(f"It could not be reached: {says}")


def test_one_that_cannot_be_checked_is_no_table_that_is_missing(
    cluster: Cluster, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    encrypt(cluster, *authority.sign("localhost"))
    monkeypatch.setenv("PGSSLROOTCERT", str(authority.folder / "nowhere"))
    refusal = told_by(postgresql(cluster))
    assert (refusal.kind, refusal.reason) == ("unavailable", "certificate")
    assert "whom to trust" in refusal.told


def greet(context: ssl.SSLContext, connection: socket.socket) -> None:
    """As MariaDB begins, up to where TLS does."""
    connection.sendall(len(GREETING).to_bytes(3, "little") + b"\0" + GREETING)
    connection.recv(36)
    context.wrap_socket(connection, server_side=True)


@pytest.mark.parametrize(
    ("name", "times", "says"),
    [
        ("localhost", EXPIRED, "its certificate has expired"),
        ("elsewhere", {}, "its certificate is for another name"),
    ],
)
def test_that_of_mariadb(authority: Authority, name: str, times: dict[str, Any], says: str) -> None:
    context = authority.server_context(name, **times)
    with talking_server(lambda connection: greet(context, connection)) as port:
        refusal = told_by(f"mysql://relay@localhost:{port}/their?sslmode=verify-full")
    assert (refusal.kind, refusal.reason) == ("unavailable", "certificate")
    assert refusal.told.startswith(f"It could not be reached: {says}")
