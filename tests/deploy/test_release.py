"""What stops a release, and what `flask doctor --upgrade` says before an upgrade."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from app import create_app
from models.maintenance import schema
from tests.commands.conftest import terminal_of
from tests.conftest import settings_for
from tests.relay import Relay

ROOT = Path(__file__).resolve().parents[2]
NOTES = "# Changelog\n\n## 1.2.3\n\n* New.\n\n### Upgrading\n\n* Nothing.\n\n## 1.2.2\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with its release script, committed."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "release", tmp_path / ".ci" / "release")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(NOTES)
    (tmp_path / "tests/failing/released").mkdir(parents=True)
    (tmp_path / "tests/failing/released/1.2.3.sqlite.sql").touch()
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "All of it")


def refused(folder: Path) -> str:
    environ = {"PATH": "/usr/bin:/bin", "CHECK_ONLY": "1"}
    return subprocess.run([folder / ".ci/release"], env=environ, capture_output=True, text=True, check=False).stderr


def test_a_release_needs_a_clean_tree_a_version_notes_and_its_tag(project: Path) -> None:
    assert refused(project) == ""
    (project / "new").touch()
    assert "not committed" in refused(project)
    commit(project)
    for file, before, after, said in (
        ("CHANGELOG.md", "### Upgrading", "### Else", "below \"### Upgrading\""),
        ("CHANGELOG.md", "## 1.2.3", "## 1.2.30", "no heading \"## 1.2.3\""),
        ("pyproject.toml", "1.2.3", "1.3.0.dev0", "take .dev away"),
    ):  # fmt: skip
        (project / file).write_text((project / file).read_text().replace(before, after, 1))
        commit(project)
        assert said in refused(project)
        git(project, "reset", "-q", "--hard", "HEAD^")
    git(project, "mv", "tests/failing/released/1.2.3.sqlite.sql", "tests/failing/released/1.2.2.sqlite.sql")
    commit(project)
    assert "tests.failing.releases . 1.2.3" in refused(project)
    git(project, "reset", "-q", "--hard", "HEAD^")
    git(project, "tag", "v1.2.3")
    assert refused(project) == ""
    (project / "newer").touch()
    commit(project)
    assert "the tag v1.2.3 is another commit" in refused(project)


def told(relay_app, *words: str) -> dict[str, tuple[str, str]]:
    report = json.loads(terminal_of(relay_app)("doctor", "--upgrade", "--json", *words).output)
    return {one["name"]: (one["state"], one["found"]) for one in report["checks"]}


def test_before_an_upgrade_doctor_names_what_waits_and_changes_nothing(empty_database: str, tmp_path: Path) -> None:
    app = create_app(settings_for(tmp_path, database_url=empty_database))
    database = app.extensions["runtime"].database
    assert told(app)["tables"] == ("warn", "the database is empty")
    database.alter(lambda connection: schema.upgrade(connection, "0018"))
    found = told(app)
    waiting = [one.revision for one in schema.waiting("0018")]
    assert found["tables"] == ("warn", f"revision 0018; {len(waiting)} migrations to run")
    assert [name for name in found if name.startswith("migration")] == [f"migration {one}" for one in waiting]
    assert found["under the old code"][0] == "ok"
    assert database.read(schema.stored_revision) == "0018"
    database.dispose()


def test_tables_of_a_newer_release_and_of_nobody_are_told_apart(relay: Relay) -> None:
    assert told(relay.app)["tables"][1].endswith("nothing to do")
    for revision, state in (
        ("9999", "ok"),
        ("0000x", "fail"),
        (schema.newest_revision(), "ok"),
    ):  # as it was, at the end
        relay.database.write(
            lambda db, revision=revision: db.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        )
        assert told(relay.app)["tables"][0] == state


def test_a_contract_is_said_to_need_that_the_old_code_has_stopped(relay: Relay, monkeypatch) -> None:
    waits = [schema.Migration("0050", "contract: drop x, unused since 1.2.3", contract=True)]
    monkeypatch.setattr(schema, "waiting", lambda _stored: waits)
    found = told(relay.app)
    assert found["migration 0050"][0] == "warn"
    assert found["under the old code"] == ("warn", "0050 may not run under code that still uses what they remove")


def test_upgrade_prints_no_settings(relay: Relay) -> None:
    printed = terminal_of(relay.app)("doctor", "--upgrade").output
    assert "Settings" not in printed
    assert printed.startswith("ok    release: this code is ")
