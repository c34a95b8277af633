"""Every test of receiving runs on SQLite and on PostgreSQL: ask for the fixture `relay`."""

import fcntl
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from app import create_app
from config.settings import Settings, load
from models.database import db
from models.maintenance import schema
from tests import servers
from tests.relay import Relay, TestClock

BROWSER, FAILING = Path(__file__).parent / "browser", Path(__file__).parent / "failing"
SERVERS = {
    "postgresql_template",
    "server",
    "make_server",
    "make_worker",
    "redis_url",
    "sftp_server",
}  # fixtures that need or start one
MakeRelay = Callable[..., Relay]
EMPTIED = count()
MUCH = 2 * 1024**3  # bytes; a run leaves some 200 MB


def _compile_each_address_once() -> None:
    """Each test has an app of its own, all with the same addresses. Compiling these is most of making an app."""
    compile_rule, compiled = Rule.compile, {}

    def compile_once(rule: Rule) -> None:
        key = (rule.rule, repr(rule.defaults), rule.subdomain, rule.merge_slashes)
        if key not in compiled:
            before = dict(vars(rule))
            compile_rule(rule)
            changed = {name: value for name, value in vars(rule).items() if before.get(name) is not value}
            compiled[key] = (changed, frozenset(rule.arguments))
        else:
            changed, arguments = compiled[key]
            vars(rule).update(changed)
            rule.arguments.update(arguments)

    Rule.compile = compile_once  # type: ignore[method-assign]


_compile_each_address_once()
# The same for templates: without it compiling them is a third of the time of all tests of pages.
Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": FileSystemBytecodeCache()}


def _keep_files_in_memory() -> None:
    """SQLite waits for the disk at each commit, and several processes wait for one another: a third of the time of the
    long searches. A machine that loses its memory is no subject of these tests."""
    memory = Path("/dev/shm")  # noqa: S108 - pytest makes a folder there that only we may read
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > MUCH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


_keep_files_in_memory()


def settings_for(instance: Path, **changed: Any) -> Settings:
    """Settings as the environment would give them, with an instance folder of their own."""
    environ = {"INSTANCE_PATH": str(instance), "LOG_LEVEL": "error", "SECRET_KEY": servers.SECRET_KEY}
    return load(environ | {name.upper(): str(value) for name, value in changed.items()})


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` has filled, once for all processes of this run; the others wait for the first one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / f"made-once-{name}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a process left that broke off
            folder.mkdir()
            make(folder)
            (folder / "whole").touch()
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "template", _make_tables) / "cohort-relay.db"


def _make_tables(folder: Path) -> None:
    database = create_app(settings_for(folder)).extensions["runtime"].database
    database.alter(schema.upgrade)
    database.dispose()


@pytest.fixture(scope="session")
def played_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance in which `flask demo` has run; to be copied."""
    from tests.played_demo import play  # needs this module

    return made_once(tmp_path_factory, "demo", play)


@pytest.fixture(scope="session")
def postgresql_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgresql_database() as url:
        app = create_app(settings_for(tmp_path_factory.mktemp("template"), database_url=url))
        app.extensions["runtime"].database.alter(schema.upgrade)
        app.extensions["runtime"].database.dispose()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def empty_database(dialect: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, which no other test uses."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path}/cohort-relay.db"
        return
    with servers.postgresql_database() as url:
        yield url


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with empty tables."""
    if dialect == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "cohort-relay.db")
        return f"sqlite:///{tmp_path}/cohort-relay.db"
    url: str = request.getfixturevalue("postgresql_template")
    empty(url)
    return url


def empty(url: str) -> None:
    """Leave no rows in a database of PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_emptied(connection))
        if next(EMPTIED) % 20 == 0:
            connection.execute("VACUUM")  # not every server does so by itself, and what was deleted is in the way


def _emptied(connection: psycopg.Connection) -> str:
    """What empties every table and starts its numbers anew: 3 ms, where TRUNCATE takes 80 and more."""
    numbers = connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall()
    return "; ".join(
        [
            "BEGIN; SET LOCAL session_replication_role = replica",  # in any order, whatever refers to what
            *(f'DELETE FROM "{table}"' for table in db.metadata.tables),
            *(f"SELECT setval('\"{name}\"', 1, false)" for (name,) in numbers),
            "COMMIT",
        ]
    )


@pytest.fixture
def make_relay(database_url: str, tmp_path: Path) -> Iterator[MakeRelay]:
    """Makes a relay with other settings: ``make_relay(settle_seconds=5)``."""
    made: list[Relay] = []

    def make(**changed: Any) -> Relay:
        clock = TestClock()
        made.append(Relay(create_app(settings_for(tmp_path, database_url=database_url, **changed), clock), clock))
        return made[-1]

    yield make
    for one in made:
        one.database.dispose()


@pytest.fixture
def relay(make_relay: MakeRelay) -> Relay:
    return make_relay()


def pytest_collection_finish() -> None:
    """Ten thousand tests are not looked through again for garbage: that was a tenth of the time of their processes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say at once what has failed: a run that is ended from outside has no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        *_, last = report.longreprtext.strip().splitlines() or [""]
        print(f"\n{report.outcome}: {report.nodeid} ({report.when}, {report.duration:.0f} s): {last}")  # noqa: T201


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say of each test what it needs, so that `make check` can leave it out (see pyproject.toml). Those that wait for
    servers to fail come first: at the end nothing would be left to do meanwhile."""
    items.sort(key=lambda item: FAILING not in item.path.parents)
    for item in items:
        for mark in _needs(item):
            item.add_marker(mark)


def _needs(item: pytest.Item) -> Iterator[str]:
    if BROWSER in item.path.parents:
        yield "browser"
    if FAILING in item.path.parents or "postgresql" in item.name or "mysql" in item.name or _fixtures(item) & SERVERS:
        yield "server"
    if getattr(getattr(item, "function", None), "is_hypothesis_test", False):
        yield "search"


def _fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))
