"""Bar: a certificate that is not to be trusted is named as that where an operator looks, and nothing is lost by it."""

import os
import pwd
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from requests import adapters

from app import create_app
from destinations import destinations
from destinations.destinations import NewDestination
from outbound.operations.types import Request
from outbound.transport.addresses import anywhere
from outbound.transport.client import Client, Unreached
from tests.commands.conftest import terminal_of
from tests.conftest import MakeRelay, settings_for
from tests.destinations.conftest import Relaying
from tests.failing.certificates import DAY, Authority, new_authority
from tests.failing.cluster import SYSTEM_USER, Cluster
from tests.failing.redis_server import private_redis
from tests.outbound.talking_server import talking_server, whole_request
from tests.relay import MINUTE

WRONG = {
    "expired": ({"until": -DAY / 2}, "its certificate has expired"),
    "not valid yet": ({"valid_from": DAY}, "its certificate is not valid yet"),
    "another name": ({}, "its certificate is for another name"),
    "another authority": ({}, "nobody whom this machine trusts has signed its certificate"),
}


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that whoever calls out trusts."""
    made = new_authority(tmp_path)
    monkeypatch.setattr(adapters, "DEFAULT_CA_BUNDLE_PATH", str(made.file))
    return made


@dataclass
class Secure:
    """A server over TLS, as `localhost`, that says 204 to whatever comes."""

    context: ssl.SSLContext
    heard: list[bytes] = field(default_factory=list)
    url: str = ""

    def talk(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(connection, server_side=True) as secured:
            self.heard.append(whole_request(secured))
            secured.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@contextmanager
def behind(context: ssl.SSLContext) -> Iterator[Secure]:
    server = Secure(context)
    with talking_server(server.talk) as port:
        server.url = f"https://localhost:{port}"
        yield server


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_the_certificate_of_mixpanels_side_is_said(
    wrong: str, authority: Authority, tmp_path: Path
) -> None:
    times, said = WRONG[wrong]
    signer = new_authority(tmp_path, "another") if wrong == "another authority" else authority
    name = "elsewhere.example.com" if wrong == "another name" else "localhost"
    with behind(signer.server_context(name, **times)) as server:
        client = Client(5, frozenset({("https", server.url.removeprefix("https://"))}), policy=anywhere)
        with pytest.raises(Unreached, match=said):
            client.call(Request("GET", server.url, "/track"))
        assert server.heard == []


def test_a_destination_whose_certificate_has_expired_says_so_and_loses_nothing(
    make_relay: MakeRelay, authority: Authority
) -> None:
    relay = make_relay(allow_private_destinations="on")
    relaying, viewer = Relaying(relay), relay.sign_in("viewer")
    relay.refresh([])
    with behind(authority.server_context("localhost", until=-DAY / 2)) as receiver:
        settings = {"url": f"{receiver.url}/hook", "retry_seconds": ", ".join(["40"] * 100), "rate": 1000}
        draft = NewDestination("hook", "webhook", settings, {})
        relay.database.write(lambda db: destinations.add(db, relaying.runtime.cipher, draft, relay.clock()))
        subscription = relaying.subscribe("hook", start="now")
        relay.add(["ada"], session="came")
        relaying.work()
        assert "its certificate has expired" in viewer.page(f"/destinations/{relaying.of('hook').id}")
        for _ in range(24):
            relaying.work(MINUTE)
        viewer.sign_in()
        assert "has failed for too long: It could not be reached: its certificate has expired" in viewer.page("/")
        receiver.context = authority.server_context("localhost")
        relaying.work(60 * MINUTE)
        assert len(receiver.heard) == 1
    assert relaying.counts(subscription)["applied"] == 1
    assert "certificate" not in viewer.page("/")


def test_a_database_whose_certificate_has_expired_is_not_used_and_readyz_says_so(
    cluster: Cluster, authority: Authority, tmp_path: Path
) -> None:
    encrypt(cluster, *authority.sign("localhost", until=-DAY / 2))
    url = cluster.url().replace("127.0.0.1", "localhost") + f"?sslmode=verify-full&sslrootcert={authority.file}"
    app = create_app(settings_for(tmp_path, database_url=url))
    says = "has a certificate that is not to be trusted: it may have expired"
    ready = app.test_client().get("/readyz")
    assert (ready.status_code, ready.json["checks"]["database"]) == (503, says)
    assert f"The database {says}" in app.test_client().get("/", headers={"Accept": "text/html"}).text
    assert "certificate verify failed" in terminal_of(app)("doctor").output
    app.extensions["runtime"].database.dispose()


def encrypt(cluster: Cluster, certificate: Path, key: Path) -> None:
    user = pwd.getpwnam(SYSTEM_USER)
    for file, name in ((certificate, "server.crt"), (key, "server.key")):
        there = Path(shutil.copy(file, cluster.folder / "data" / name))
        there.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(there, user.pw_uid, user.pw_gid)
    with psycopg.connect(cluster.url(), autocommit=True) as db:
        db.execute("ALTER SYSTEM SET ssl = on")
        db.execute("SELECT pg_reload_conf()")


def test_a_redis_whose_certificate_has_expired_refuses_no_call_and_doctor_says_why(
    make_relay: MakeRelay, authority: Authority
) -> None:
    with private_redis(*authority.sign("localhost", until=-DAY / 2)) as redis:
        relay = make_relay(redis_url=f"{redis.url}?ssl_ca_certs={authority.file}")
        relay.refresh(["ada"])
        assert "<strong>Redis does not answer.</strong>" in relay.sign_in("viewer").page("/")
        assert "its certificate has expired" in terminal_of(relay.app)("doctor").output
