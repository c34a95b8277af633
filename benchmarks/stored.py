"""Databases for the measurements: empty tables, or people stored beforehand, by the fastest way in."""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg
import xxhash

from app import create_app
from benchmarks.key import SECRET_KEY
from benchmarks.pages import PROJECT, member
from config.settings import load
from models.maintenance import schema

COLUMNS = """id, project_id, distinct_id, digest, named_fields, email, first_name, last_name, phone_number, properties,
    created_at, updated_at"""


def rows(ids: list[str]) -> Iterator[tuple[object, ...]]:
    for number, distinct_id in enumerate(ids, start=1):
        one = member(distinct_id)
        digest = xxhash.xxh3_64_intdigest(json.dumps(one).encode()) - (1 << 63)  # as its page will have it
        properties = msgspec.json.encode({"plan": one["plan"], "city": one["city"], "seats": one["seats"]}).decode()
        fields = (one["email"], one["first_name"], one["last_name"], one["phone_number"])
        yield number, PROJECT, distinct_id, digest, 15, *fields, properties, 1, 1


def migrate(url: str, folder: Path) -> None:
    environ = {"INSTANCE_PATH": str(folder), "DATABASE_URL": url, "LOG_LEVEL": "error", "SECRET_KEY": SECRET_KEY}
    database = create_app(load(environ)).extensions["runtime"].database
    database.alter(schema.upgrade)
    database.dispose()


@contextmanager
def database(dialect: str, folder: Path, server: str) -> Iterator[str]:
    """The address of a new database with our tables, removed afterwards."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    if dialect == "sqlite":
        url = f"sqlite:///{folder}/{name}.db"
        migrate(url, folder)
        yield url
        for path in folder.glob(f"{name}.db*"):
            path.unlink()
        return
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        url = f"{server.rsplit('/', 1)[0]}/{name}"
        migrate(url, folder)
        try:
            yield url
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fill(url: str, ids: list[str]) -> None:
    """Store these people; nobody is in a cohort."""
    if not ids:
        return
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
            db.executemany(f"INSERT INTO person ({COLUMNS}) VALUES ({', '.join('?' * 12)})", rows(ids))
        db.close()
        return
    with psycopg.connect(url, autocommit=True) as db:
        with db.cursor().copy(f"COPY person ({COLUMNS}) FROM STDIN") as copy:
            for row in rows(ids):
                copy.write_row(row)
        db.execute("SELECT setval(pg_get_serial_sequence('person', 'id'), %s)", (len(ids),))
        db.execute("VACUUM ANALYZE person")
