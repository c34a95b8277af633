"""The servers that tests talk to. Where one is missing the test skips with its reason; in CI that is a failure."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
import redis

POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
SECRET_KEY = "tests-Jc0vX9mQ2u7hTq4ZrW8yLb5NdPk3SgF6aEu1oMiRxYtVz0"
MYSQL = os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; CI must have it")
    pytest.skip(f"{what} is not there")


def postgresql_admin() -> psycopg.Connection:
    try:
        return psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        missing("PostgreSQL on 127.0.0.1:5432")
        raise


@contextmanager
def postgresql_database() -> Iterator[str]:
    """The address of a new, empty database, dropped afterwards."""
    name = f"cohort_relay_{uuid.uuid4().hex[:12]}"
    with postgresql_admin() as admin:
        admin.execute(f"CREATE DATABASE {name}")
        # These databases outlive no server: what a crash leaves is tested on clusters of their own.
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        try:
            yield POSTGRESQL.rsplit("/", 1)[0] + f"/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def mysql_admin() -> pymysql.connections.Connection:
    parts = urlsplit(MYSQL)
    try:
        return pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username, connect_timeout=2)
    except pymysql.OperationalError:
        missing("MariaDB on 127.0.0.1:3306")
        raise


@contextmanager
def mysql_database() -> Iterator[str]:
    """The address of a new, empty database of MariaDB or MySQL, dropped afterwards."""
    name = f"cohort_relay_{uuid.uuid4().hex[:12]}"
    with closing(mysql_admin()) as admin, admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{MYSQL}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def redis_url() -> str:
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.ConnectionError:
        missing("Redis on 127.0.0.1:6379")
    return REDIS
