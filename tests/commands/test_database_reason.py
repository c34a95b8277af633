"""Where the database lets nobody in, the terminal gives the server's own reason, and never a password."""

import subprocess
from pathlib import Path

import pytest

from commands.exit_codes import FAILED, NOT_ALL
from tests import servers
from tests.failing.server import BIN, ROOT, Server, free_port, wait_until

pytestmark = pytest.mark.slow


def refused_addresses() -> dict[str, tuple[str, str]]:
    """An address that nobody gets in by, and what the server or its client library says of it."""
    host = servers.POSTGRESQL.rsplit("/", 1)[0].split("@")[-1]
    return {
        "a database that is not there": (
            f"postgresql://postgres:planted@{host}/nobody_made_this",
            'database "nobody_made_this" does not exist',
        ),
        "a user who is not there": (
            f"postgresql://nobody_by_this_name:planted@{host}/postgres",
            'role "nobody_by_this_name" does not exist',
        ),
        "a host that is not there": ("postgresql://me:planted@relay.invalid/relay", "relay.invalid"),
        "a port where nobody listens": ("postgresql://me:planted@127.0.0.1:1/relay", "refused"),
        "several hosts of which none is there": ("postgresql://me:planted@127.0.0.1:1,127.0.0.1:2/relay", "port 2"),
        "a server without encryption": (f"postgresql://me:planted@{host}/relay?sslmode=verify-full", "SSL"),
        "a parameter with a value that is none": (f"postgresql://me:planted@{host}/relay?sslmode=maybe", "sslmode"),
    }


def assert_told(address: str, reason: str, folder: Path, *words: str) -> None:
    """The command fails with the reason, without the password and without a traceback."""
    command = [str(BIN / "flask"), *words]
    environment = Server(folder, address).environment
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == (NOT_ALL if words == ("doctor",) else FAILED)
    assert reason in said
    assert "Traceback" not in said
    assert "planted" not in said


@pytest.mark.parametrize("what", refused_addresses())
def test_doctor_gives_the_servers_reason(what: str, tmp_path: Path) -> None:
    servers.postgresql_admin().close()
    assert_told(*refused_addresses()[what], tmp_path, "doctor")


@pytest.mark.parametrize("words", [("db", "upgrade"), ("connections", "list")])
def test_every_other_command_gives_it_in_one_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    servers.postgresql_admin().close()
    assert_told(*refused_addresses()["a database that is not there"], tmp_path, *words)


def test_the_server_says_at_its_start_why_the_database_lets_nobody_in(tmp_path: Path) -> None:
    address = f"postgresql://me:planted@127.0.0.1:{free_port()}/relay"
    server = Server(tmp_path, address, (str(BIN / "flask"), "serve", "--without-worker"))
    server.start()
    try:
        wait_until(lambda: "See: flask doctor" in server.log, 60, "the reason")
        assert "refused" in server.log
        assert "planted" not in server.log
    finally:
        server.close()
