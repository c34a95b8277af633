"""A PgBouncer of the tests' own before the PostgreSQL of the tests: a server's session for each transaction only."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests import servers
from tests.failing.server import free_port, wait_until

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
SYSTEM_USER = "postgres"  # it refuses to run as root

SETTINGS = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 200
server_reset_query_always = 0
{more}
"""


@contextmanager
def pgbouncer(url: str, *, more: str = "", sessions: int = 4) -> Iterator[str]:
    """The address of the database at `url` through a pooler that lends it so many sessions; `more` are lines of
    settings."""
    if not Path(PROGRAM).exists():
        servers.missing("PgBouncer")
    server, port = urlsplit(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="cohort-relay-pooler-"))
    lines = SETTINGS.format(
        host=server.hostname, server_port=server.port or 5432, port=port, sessions=sessions, more=more
    )
    # `any` ignores who asks, so that the user of the server is named with the database.
    (folder / "pgbouncer.ini").write_text(lines.replace("* = ", f"* = user={server.username} "))
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, SYSTEM_USER)
        as_user = ["runuser", "-u", SYSTEM_USER, "--"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*as_user, PROGRAM, str(folder / "pgbouncer.ini")], stdout=log, stderr=log)
    through = server._replace(netloc=f"{server.username}@127.0.0.1:{port}").geturl()
    try:
        wait_until(lambda: _serves(through), 20, "the start of PgBouncer")
        yield through
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _serves(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2, prepare_threshold=None).close()
    except psycopg.OperationalError:
        return False
    return True
