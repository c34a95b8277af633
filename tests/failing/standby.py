"""A primary and its synchronous standby, two PostgreSQL servers of the tests' own."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.failing.cluster import SYSTEM_USER, Cluster, binaries, private_cluster
from tests.failing.server import free_port, wait_until

NAME = "standby"
PRIMARY = f"""
wal_level = replica
max_wal_senders = 4
synchronous_commit = on
synchronous_standby_names = '{NAME}'
"""


@dataclass(frozen=True)
class Pair:
    """`primary` commits when `standby` has it; `url` names a database on whichever of the two takes writes."""

    primary: Cluster
    standby: Cluster

    def url(self, database: str) -> str:
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://postgres@{hosts}/{database}"

    def new_database(self) -> str:
        """The name of a new, empty database."""
        return urlsplit(self.primary.new_database()).path.removeprefix("/")

    def kill_primary(self) -> None:
        """SIGKILL to its first process; the others end when they see that it has gone. Until then they answer."""
        pid = int((self.primary.folder / "data" / "postmaster.pid").read_text().split()[0])
        sessions = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(_runs, sessions)), 20, "the end of the primary's sessions")
        wait_until(lambda: not self.primary.is_serving, 20, "the end of the primary")

    def promote(self) -> None:
        """Let the standby take writes, and wait for nobody any more."""
        with psycopg.connect(self.standby.url(), autocommit=True) as db:
            db.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            db.execute("SELECT pg_reload_conf()")
            db.execute("SELECT pg_promote(true, 60)")


@contextmanager
def primary_and_standby() -> Iterator[Pair]:
    # Nobody waits for a standby that is not there yet: the name is set once it follows.
    with private_cluster(PRIMARY.replace(f"'{NAME}'", "''")) as primary:
        folder = Path(tempfile.mkdtemp(prefix="cohort-relay-standby-"))
        if os.geteuid() == 0:
            user = pwd.getpwnam(SYSTEM_USER)
            os.chown(folder, user.pw_uid, user.pw_gid)
        standby = Cluster(binaries(), folder, free_port())
        try:
            _follow(primary, standby)
            yield Pair(primary, standby)
        finally:
            standby.stop("immediate")
            shutil.rmtree(folder)
            (primary.folder / "data" / "postmaster.pid").unlink(missing_ok=True)


def _follow(primary: Cluster, standby: Cluster) -> None:
    """Copy the primary, start the copy as its standby, and let commits wait for it from then on."""
    source = f"host=127.0.0.1 port={primary.port} user=postgres application_name={NAME}"
    data = standby.folder / "data"
    standby.run("pg_basebackup", "-d", source, "-D", str(data), "--write-recovery-conf", "--checkpoint=fast")
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(f"\nport = {standby.port}\n")
    standby.start()
    with psycopg.connect(primary.url(), autocommit=True) as db:
        db.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        db.execute("SELECT pg_reload_conf()")
        wait_until(lambda: _is_synchronous(db), 30, "the standby's following")


def _runs(pid: str) -> bool:
    """Whether there is such a process. One that ended may stay in the list until somebody asks for its result."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _is_synchronous(db: psycopg.Connection) -> bool:
    row = db.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone()
    return row == (1,)
