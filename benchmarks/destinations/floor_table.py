"""The floor of a table in a company's database: the same two rows for each change, in one transaction a call."""

import sqlite3
from collections.abc import Sequence

import psycopg

from benchmarks.destinations.floor import Row, Tell

MEMBERS = """
    CREATE TABLE floor_membership (project_id TEXT, cohort_id TEXT, identity TEXT, distinct_id TEXT NOT NULL,
        entry_number INTEGER NOT NULL, entered_at TEXT NOT NULL, fields TEXT, updated_at TEXT NOT NULL,
        PRIMARY KEY (project_id, cohort_id, identity))"""
POSITIONS = """
    CREATE TABLE floor_position (table_name TEXT, project_id TEXT, cohort_id TEXT, identity TEXT,
        position BIGINT NOT NULL, kind TEXT NOT NULL, distinct_id TEXT NOT NULL, entry_number INTEGER NOT NULL,
        ours SMALLINT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (table_name, project_id, cohort_id, identity))"""
PUT = """
    INSERT INTO floor_membership VALUES ('1', 'bench', {0}, {0}, {0}, {0}, '{{}}', {0})
    ON CONFLICT (project_id, cohort_id, identity) DO UPDATE SET entry_number = excluded.entry_number,
        entered_at = excluded.entered_at, updated_at = excluded.updated_at"""
KEEP = """
    INSERT INTO floor_position VALUES ('floor_membership', '1', 'bench', {0}, {0}, 'entered', {0}, {0}, 1, {0})
    ON CONFLICT (table_name, project_id, cohort_id, identity) DO UPDATE SET position = excluded.position,
        kind = excluded.kind, entry_number = excluded.entry_number, updated_at = excluded.updated_at"""
NOW = "2026-01-01T00:00:00.000Z"


def _members(rows: Sequence[Row]) -> list[Row]:
    return [(row[2], row[2], row[4], str(row[6]), NOW) for row in rows]


def _positions(rows: Sequence[Row]) -> list[Row]:
    return [(row[2], row[0], row[2], row[4], NOW) for row in rows]


def sqlite_table(path: str) -> Tell:
    """Put rows into a SQLite file."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(MEMBERS)
    db.execute(POSITIONS)

    def tell(rows: Sequence[Row]) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(PUT.format("?"), _members(rows))
        db.executemany(KEEP.format("?"), _positions(rows))
        db.execute("COMMIT")

    return tell


def postgresql_table(url: str) -> Tell:
    """Put rows into a PostgreSQL database."""
    db = psycopg.connect(url)
    with db.transaction():
        db.execute(MEMBERS)
        db.execute(POSITIONS)

    def tell(rows: Sequence[Row]) -> None:
        with db.transaction(), db.cursor() as cursor:
            cursor.executemany(PUT.format("%s"), _members(rows))
            cursor.executemany(KEEP.format("%s"), _positions(rows))

    return tell
