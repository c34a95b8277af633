"""The servers that tests talk to. Where one is missing the test skips with its reason; in CI that is a failure."""

import getpass
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
SECRET_KEY = "tests-Jc0vX9mQ2u7hTq4ZrW8yLb5NdPk3SgF6aEu1oMiRxYtVz0"
MYSQL = os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; CI must have it")
    pytest.skip(f"{what} is not there")


def postgresql_admin() -> psycopg.Connection:
    try:
        return psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        missing("PostgreSQL on 127.0.0.1:5432")
        raise


@contextmanager
def postgresql_database(template: str = "template1") -> Iterator[str]:
    """The address of a new database, empty or a copy of one to which nobody is connected; dropped afterwards."""
    name = f"cohort_relay_{uuid.uuid4().hex[:12]}"
    with postgresql_admin() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        # These databases outlive no server: what a crash leaves is tested on clusters of their own.
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        try:
            yield POSTGRESQL.rsplit("/", 1)[0] + f"/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def mysql_admin() -> pymysql.connections.Connection:
    parts = urlsplit(MYSQL)
    try:
        return pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username, connect_timeout=2)
    except pymysql.OperationalError:
        missing("MariaDB on 127.0.0.1:3306")
        raise


@contextmanager
def mysql_database() -> Iterator[str]:
    """The address of a new, empty database of MariaDB or MySQL, dropped afterwards."""
    name = f"cohort_relay_{uuid.uuid4().hex[:12]}"
    with closing(mysql_admin()) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{MYSQL}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def sftp_server(folder: Path) -> Iterator["SftpServer"]:
    """OpenSSH's server with a key of its own, which takes this process's user by a key."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if sshd is None:
        missing("OpenSSH's sshd")
    host, private = new_ssh_key(), new_ssh_key()
    for name, content in (("host", host.private), ("allowed", private.public)):
        (folder / name).write_text(f"{content}\n")
        (folder / name).chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/allowed\nPidFile none\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd wants it to be there
    process = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield SftpServer(port, getpass.getuser(), host.public, private.private)
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class SftpServer:
    """Where it listens, and who may come in; keys as OpenSSH writes them."""

    port: int
    user: str
    host_key: str
    private_key: str


@dataclass(frozen=True)
class SshKey:
    public: str
    private: str


def new_ssh_key() -> SshKey:
    made = Ed25519PrivateKey.generate()
    public = made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return SshKey(public, made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode())


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail("the server does not listen")


def redis_url() -> str:
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.ConnectionError:
        missing("Redis on 127.0.0.1:6379")
    return REDIS
