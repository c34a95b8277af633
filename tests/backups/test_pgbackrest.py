"""pgBackRest by the recipe: a stanza, a full backup, the archive of the log, and a moment of it brought back."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from app import create_app
from models.maintenance import schema
from tests import servers
from tests.conftest import settings_for
from tests.failing.books import Books
from tests.failing.cluster import SYSTEM_USER, Cluster, private_cluster
from tests.failing.server import ROOT, wait_until
from tests.relay import Relay, TestClock

pytestmark = [pytest.mark.slow, pytest.mark.server]

LOG = """
unix_socket_directories = '{folder}'
wal_level = replica
archive_mode = on
archive_command = 'pgbackrest --config={folder}/pgbackrest.conf --stanza=cohort-relay archive-push %p'
"""
OURS = {
    "/var/lib/pgbackrest": "{folder}/repository",
    "/var/lib/postgresql/15/main": "{data}",
    "5432": "{port}",
    "/var/run/postgresql": "{folder}",
    "[cohort-relay]": "lock-path={folder}/lock\nspool-path={folder}/spool\n\n[cohort-relay]",
}


@dataclass(frozen=True)
class Archived:
    """A cluster whose log is archived, and pgBackRest as its user."""

    cluster: Cluster
    folder: Path

    @property
    def data(self) -> Path:
        return self.cluster.folder / "data"

    def run(self, *words: str) -> str:
        as_user = ["runuser", "-u", SYSTEM_USER, "--"] if os.geteuid() == 0 else []
        command = [*as_user, "pgbackrest", f"--config={self.folder}/pgbackrest.conf", "--stanza=cohort-relay", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write_recipe(self) -> None:
        """The file of `deploy/`, with places of this test's own."""
        recipe = (ROOT / "deploy" / "pgbackrest.conf").read_text()
        for theirs, ours in OURS.items():
            assert theirs in recipe
            recipe = recipe.replace(theirs, ours.format(folder=self.folder, data=self.data, port=self.cluster.port))
        (self.folder / "pgbackrest.conf").write_text(recipe)


@pytest.fixture
def archived() -> Iterator[Archived]:
    if shutil.which("pgbackrest") is None:
        servers.missing("pgBackRest")
    folder = Path(tempfile.mkdtemp(prefix="cohort-relay-pgbackrest-"))
    if os.geteuid() == 0:
        user = pwd.getpwnam(SYSTEM_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        with private_cluster(LOG.format(folder=folder)) as cluster:
            one = Archived(cluster, folder)
            one.write_recipe()
            one.run("stanza-create")
            one.run("check")
            yield one
    finally:
        shutil.rmtree(folder)


def test_the_relay_is_brought_back_as_it_was_at_a_moment_before_a_mishap(archived: Archived, tmp_path: Path) -> None:
    url = archived.cluster.new_database()
    app = create_app(settings_for(tmp_path, database_url=url))
    app.extensions["runtime"].database.alter(schema.upgrade)
    relay = Relay(app, TestClock())
    relay.refresh({"ada", "bob"})
    archived.run("--type=full", "backup")
    made = time.time()
    wait_until(lambda: int(time.time()) > int(made), 5, "the next second: backups are told apart by whole ones")
    relay.refresh({"ada", "cid"}, session="s2")  # is in the archive of the log alone
    with psycopg.connect(url, autocommit=True) as db:
        (moment,) = db.execute("SELECT clock_timestamp()").fetchone()
        db.execute("DELETE FROM membership_change")
        db.execute("DELETE FROM membership")
        db.execute("SELECT pg_switch_wal()")
    relay.database.dispose()
    archived.cluster.stop("fast")
    shutil.rmtree(archived.data)

    archived.data.mkdir(mode=0o700)
    shutil.chown(archived.data, SYSTEM_USER, SYSTEM_USER)
    archived.run("--type=time", f"--target={moment:%Y-%m-%d %H:%M:%S.%f%z}", "--target-action=promote", "restore")
    archived.cluster.start()
    wait_until(lambda: takes_writes(url), 60, "the end of the recovery")

    assert relay.members() == {"ada", "cid"}
    Books(url).assert_balanced()
    relay.add({"dan"}, session="s3")  # with the same password, and numbers that go on
    assert relay.members() == {"ada", "cid", "dan"}
    relay.database.dispose()


def takes_writes(url: str) -> bool:
    with psycopg.connect(url) as db:
        return db.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
