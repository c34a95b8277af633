"""A PostgreSQL cluster of the tests' own, which they may stop and whose log they may read."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests import servers
from tests.failing.server import free_port

SYSTEM_USER = "postgres"  # PostgreSQL refuses to run as root

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
logging_collector = off
"""


def binaries() -> Path:
    """The folder of initdb and pg_ctl; skips the test where the machine has none."""
    found = []
    if pg_config := shutil.which("pg_config"):
        done = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(done.stdout.strip()))
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    for folder in found:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    servers.missing("A PostgreSQL of the tests' own (initdb and pg_ctl)")
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class Cluster:
    """A cluster in `folder`, listening on 127.0.0.1 only; anybody is let in as `postgres`."""

    bin: Path
    folder: Path
    port: int
    log_on: Path | None = None  # where its write-ahead log lies, if not with the rest

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when it takes connections."""
        if not self.is_up:
            self.run("pg_ctl", "start", "-w", "-t", "60", "-D", self._data, "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """`fast` throws everybody out, `immediate` is a crash. Returns when it is down."""
        if self.is_up:
            self.run("pg_ctl", "stop", "-w", "-t", "60", "-m", mode, "-D", self._data)

    @property
    def is_up(self) -> bool:
        return (Path(self._data) / "postmaster.pid").exists()

    @property
    def is_serving(self) -> bool:
        """Whether it takes connections; it may be up and still recover from a crash."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def new_database(self) -> str:
        """The address of a new, empty database."""
        name = f"relay_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def write_ahead(self) -> None:
        """Write log until something breaks."""
        with psycopg.connect(self.url(), autocommit=True) as db, contextlib.suppress(psycopg.Error):
            while True:
                db.execute("SELECT pg_logical_emit_message(true, 'tests', repeat('x', 100000))")

    def _make(self, more: str) -> None:
        small = [] if more else ["--wal-segsize", "1"]  # megabytes
        if self.log_on is not None:
            small += ["--waldir", str(self.log_on / "wal")]
        who = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        self.run("initdb", "-D", self._data, *who, *small, "--no-sync")
        with (Path(self._data) / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS.format(port=self.port) + more)

    def run(self, program: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", SYSTEM_USER, "--"] if os.geteuid() == 0 else []
        command = [*as_user, str(self.bin / program), *arguments]
        with tempfile.TemporaryFile() as output:  # a pipe would stay open in the server
            done = subprocess.run(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
            output.seek(0)
            assert done.returncode == 0, f"{program}: {output.read().decode()}"


@contextmanager
def private_cluster(more: str = "", parent: Path | None = None, log_on: Path | None = None) -> Iterator[Cluster]:
    """A new cluster that runs, with `more` lines of settings, in a folder below `parent`, or with its write-ahead log
    below `log_on`; stopped and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cohort-relay-cluster-", dir=parent))
    if os.geteuid() == 0:
        user = pwd.getpwnam(SYSTEM_USER)
        for one in filter(None, (folder, log_on)):
            os.chown(one, user.pw_uid, user.pw_gid)
    cluster = Cluster(binaries(), folder, free_port(), log_on)
    try:
        cluster._make(more)
        cluster.start()
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(folder)
