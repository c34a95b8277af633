"""A database whose distributed tables are partitions by hash, as a distributed engine's shards are, and what the app
asks of it. PostgreSQL refuses a key without the partitions' column, as such an engine does, and its plans tell which
partitions a statement goes to."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event, make_url

from models import distribution
from models.maintenance import distribute
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4
_NAMED = re.compile(rf"\b({'|'.join(distribution.DISTRIBUTED)})\b")
_PARTITION = re.compile(rf"({'|'.join(distribution.DISTRIBUTED)})_\d+")
# A few rows are read whole and hashed; of millions, row by row by their keys.
_AS_IF_LARGE = "; ".join(f"SET LOCAL enable_{way} = off" for way in ("hashjoin", "mergejoin", "material"))
_LOOK = "EXPLAIN (ANALYZE, FORMAT JSON, COSTS OFF, TIMING OFF, SUMMARY OFF) "


@contextmanager
def partitioned_database(template: str) -> Iterator[str]:
    """The address of a database with the tables of `template`, prepared for the move and partitioned."""
    with servers.postgresql_database(template.rpartition("/")[2]) as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as alone:
            distribute.prepare(alone)
            for statement in _partitioning():
                alone.exec_driver_sql(statement)
        engine.dispose()
        yield url


def _partitioning() -> Iterator[str]:
    yield "ALTER SEQUENCE person_id_seq OWNED BY NONE"
    for table, column in distribution.DISTRIBUTED.items():
        yield f"ALTER TABLE {table} RENAME TO whole"
        yield f"CREATE TABLE {table} (LIKE whole INCLUDING ALL) PARTITION BY HASH ({column})"
        yield "DROP TABLE whole"
        for number in range(PARTITIONS):
            values = f"(MODULUS {PARTITIONS}, REMAINDER {number})"
            yield f"CREATE TABLE {table}_{number} PARTITION OF {table} FOR VALUES WITH {values}"


@dataclass(frozen=True)
class Ran:
    """A statement that names a distributed table: the file and the function that ran it, with what, and PostgreSQL's
    plan with what it came to."""

    where: tuple[str, str]
    sql: str
    values: Any
    plan: dict[str, Any]

    @property
    def spanned(self) -> set[str]:
        return set(spanned(self.plan))


def spanned(node: dict[str, Any]) -> Iterator[str]:
    """The tables of which one look went to more than one partition."""
    children = node.get("Plans", [])
    if node["Node Type"] in {"Append", "Merge Append"}:
        parts = [(child, table) for child in children if (table := _scanned(child))]
        if sum(child["Actual Loops"] for child, _ in parts) > node["Actual Loops"]:
            yield from {table for _, table in parts}
    for child in children:
        yield from spanned(child)


def _scanned(node: dict[str, Any]) -> str:
    """The table of which a step gives a partition's rows, perhaps in order."""
    while "Relation Name" not in node and len(node.get("Plans", [])) == 1:
        node = node["Plans"][0]
    found = _PARTITION.fullmatch(node.get("Relation Name", ""))
    return found[1] if found else ""


def touched(node: dict[str, Any]) -> Iterator[str]:
    """The partitions that a plan has gone to."""
    name = node.get("Relation Name", "")
    if _PARTITION.fullmatch(name) and node["Actual Loops"]:
        yield name
    for child in node.get("Plans", []):
        yield from touched(child)


def planned(there: psycopg.Connection[Any], sql: str, values: Any) -> dict[str, Any]:
    """PostgreSQL's plan of a statement with what each step came to; whatever it does is taken back."""
    with there.transaction(force_rollback=True):
        there.execute(_AS_IF_LARGE)
        ((plan,),) = there.execute(_LOOK + sql, values).fetchone()
    return dict(plan["Plan"])


@contextmanager
def recorded(*engines: Engine) -> Iterator[list[Ran]]:
    """What is run meanwhile of statements that name a distributed table, in order."""
    found: list[Ran] = []

    def note(_db: Any, cursor: psycopg.Cursor[Any], statement: str, values: Any, _context: Any, many: bool) -> None:
        if _NAMED.search(statement):
            values = values[0] if many else values
            found.append(
                Ran(_caller(), " ".join(statement.split()), values, planned(cursor.connection, statement, values))
            )

    listening: list[tuple[Engine, str, Callable[..., None]]] = [
        (engine, "before_cursor_execute", note) for engine in set(engines)
    ]
    for one in listening:
        event.listen(*one)
    try:
        yield found
    finally:
        for one in listening:
            event.remove(*one)


_ABOVE = {"models/statement.py", "models/database.py"}  # what runs the statements of others


def _caller() -> tuple[str, str]:
    """Name the function of ours that runs the statement: its file, and its name."""
    frame = sys._getframe(2)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and ".venv" not in path.parts:
            name, called = str(path.relative_to(ROOT)), frame.f_code.co_qualname.partition(".<locals>")[0]
            if name not in _ABOVE and called != "<lambda>":
                return name, called.rpartition(".")[2]
        frame = frame.f_back  # type: ignore[assignment]
    raise LookupError("a statement that nobody of ours has run")
