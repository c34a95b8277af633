"""Bar: the tables are brought to the newest revision under the version before it, which goes on serving, exactly."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from app import create_app
from config.settings import load
from models.maintenance import schema
from tests import servers
from tests.failing.books import Books
from tests.failing.sender import Sender, export
from tests.failing.server import BIN, ROOT, Server
from tests.relay import member

PAGE = 50
everybody = [f"p{number:03}" for number in range(3 * PAGE)]
came, went = {"new1", "new2"}, set(everybody[:10])


def git(*words: str | Path) -> bytes:
    """What git prints; skips where there is no git, no repository, or no history so far back."""
    try:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        servers.missing("The history of git before the newest migration")
        raise


def before_the_newest_migration() -> str:
    """The last commit without it; the newest commit where the migration is not committed yet."""
    newest = max((ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    added = git("log", "--diff-filter=A", "--format=%H", "--", newest).decode().split()
    return f"{added[0]}^" if added else "HEAD"


@dataclass
class OldVersion:
    """The code of the version before, in a folder of its own. `insists` says that it calls newer tables not ready, as
    0.1.0 does (see CHANGELOG.md)."""

    root: Path

    @property
    def insists(self) -> bool:
        folders = (self.root / "models" / "maintenance", self.root / "models")
        schema_then = next(folder / "schema.py" for folder in folders if (folder / "schema.py").exists())
        return "is_new_enough" not in schema_then.read_text()

    def flask(self, server: Server, *words: str) -> Any:
        """What its terminal prints as JSON."""
        command = [BIN / "flask", *words, "--json"]
        done = subprocess.run(command, cwd=self.root, env=server.environment, capture_output=True, check=True)
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def old_version(tmp_path_factory: pytest.TempPathFactory) -> OldVersion:
    folder = tmp_path_factory.mktemp("old-version")
    with tarfile.open(fileobj=io.BytesIO(git("archive", before_the_newest_migration()))) as archive:
        careful = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from Python 3.11.4 on
        archive.extractall(folder, **careful)  # noqa: S202 - what our own git has packed
    return OldVersion(folder)


@pytest.fixture
def server(old_version: OldVersion, empty_database: str, tmp_path: Path) -> Iterator[Server]:
    """The old version with its own tables, running."""
    server = Server(tmp_path, empty_database, root=old_version.root)
    command = [BIN / "flask", "db", "upgrade"]
    subprocess.run(command, cwd=old_version.root, env=server.environment, capture_output=True, check=True)
    server.start()
    server.wait_ready()
    yield server
    server.close()


def upgrade(server: Server) -> None:
    """What `flask db upgrade` of this version does."""
    database = create_app(load(server.environment)).extensions["runtime"].database
    try:
        assert database.read(schema.stored_revision) != schema.newest_revision()
        database.alter(schema.upgrade)
    finally:
        database.dispose()


def read(server: Server, token: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{server.url}/api/v1/projects/1/cohorts/7{path}", headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def assert_exact(server: Server, token: str, books: Books, wanted: set[str]) -> None:
    """The database and the API say the same."""
    assert books.members() == wanted
    books.assert_balanced()
    assert read(server, token, "")["member_count"] == len(wanted)
    assert {one["distinct_id"] for one in read(server, token, "/members?limit=1000")["data"]} == wanted
    changes = read(server, token, "/changes?limit=1000")["data"]
    assert len(changes) == sum(row["change_count"] for row in books.rows("SELECT change_count FROM cohort"))


@pytest.mark.slow
def test_the_version_before_serves_exactly_on_the_newest_tables(server: Server, old_version: OldVersion) -> None:
    password = old_version.flask(server, "connections", "add", "crm")["password"]
    token = old_version.flask(server, "tokens", "add", "reader")["token"]
    crm, books = Sender(server.url, "crm", password), Books(server.database_url)
    members = [member(distinct_id, email=f"{distinct_id}@example.com") for distinct_id in everybody]

    first, *rest = export("members", members, PAGE, session="refresh")
    crm.deliver(first)
    upgrade(server)
    for page in (*rest, *export("add_members", sorted(came), 2, session="came")):
        crm.deliver(page)
    assert_exact(server, token, books, {*everybody, *came})

    server.stop()  # and a process of the old version that begins on the newest tables
    server.start()
    server.wait_ready()
    for page in export("remove_members", sorted(went), PAGE, session="went"):
        crm.deliver(page)
    assert_exact(server, token, books, {*everybody, *came} - went)
    assert crm.statuses == {200}
    ready = requests.get(f"{server.url}/readyz", timeout=10)
    assert ready.status_code == (503 if old_version.insists else 200), ready.text

    server.stop()
    server.root = ROOT  # the new version takes over
    server.start()
    server.wait_ready()
    for page in export("members", members[PAGE:], PAGE, session="next"):
        crm.deliver(page)
    assert_exact(server, token, books, set(everybody[PAGE:]))
    assert requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
