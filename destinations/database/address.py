"""The address of a database, as people write it, and a connection to it at an address that may be called."""

import sqlite3
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
import pymysql
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from destinations.transport import WrongAddress
from outbound.transport.addresses import Policy, connection_to, permitted

PORTS = {"postgresql": 5432, "mysql": 3306}
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
NAMES = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "postgresql+psycopg": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mysql+pymysql": "mysql",
    "mariadb+pymysql": "mysql",
    "sqlite": "sqlite",
}
SSL_MODES = ("disable", "prefer", "require", "verify-full")
CONNECT_WITHIN = 10  # seconds
KEPT_FOR = 300  # seconds that a connection is used


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database is: `kind` is postgresql, mysql or sqlite; for sqlite `name` is the file."""

    kind: str
    name: str
    host: str = ""
    port: int = 0
    user: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def read(url: str) -> DatabaseAddress:
    """Return what an address says. Raises WrongAddress."""
    try:
        parts = urlsplit(url)
        port, host, query = (
            parts.port,
            parts.hostname or "",
            dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
        )
    except ValueError:
        raise WrongAddress("This is no address of a database.") from None
    kind = NAMES.get(parts.scheme)
    if kind is None:
        raise WrongAddress("An address begins with postgresql://, mysql://, mariadb:// or sqlite:////.")
    if parts.password:
        raise WrongAddress("An address is no place for a password; give it as the secret `password`.")
    if kind == "sqlite":
        return _file(parts.netloc, unquote(parts.path), query)
    name = unquote(parts.path.removeprefix("/"))
    if not host or not name or "/" in name or parts.fragment:
        raise WrongAddress(f"An address names a server and a database: {kind}://user@server:{PORTS[kind]}/database.")
    if query.keys() - {"sslmode"} or query.get("sslmode", "prefer") not in SSL_MODES:
        raise WrongAddress(f"The only option of an address is sslmode, one of {', '.join(SSL_MODES)}.")
    return DatabaseAddress(kind, name, host, port or PORTS[kind], unquote(parts.username or ""), query)


def _file(netloc: str, path: str, query: Mapping[str, str]) -> DatabaseAddress:
    file = path.removeprefix("/")
    if netloc or query or not Path(file).is_absolute() or "\0" in file:
        raise WrongAddress("A SQLite file is named from the root: sqlite:////var/lib/app/cohorts.db.")
    return DatabaseAddress("sqlite", file)


def engine(address: DatabaseAddress, password: str, policy: Policy, seconds: float) -> Engine:
    """Return an engine with one connection, which is made when it is first asked for, at an address that `policy`
    permits. Each wait for the server ends after `seconds`."""
    isolation: dict[str, Any] = {} if address.kind == "sqlite" else {"isolation_level": "READ COMMITTED"}
    made = create_engine(
        URL.create(DRIVERS[address.kind]),
        creator=lambda: _connected(address, password, policy, seconds),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_recycle=KEPT_FOR,
        pool_pre_ping=True,
        hide_parameters=True,
        **isolation,
    )
    if address.kind == "sqlite":
        event.listen(made, "begin", _take_the_lock)
    return made


def _take_the_lock(connection: Connection) -> None:
    """SQLite's writers wait here instead of failing in the middle; whoever only reads says `reads`."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")


def _connected(address: DatabaseAddress, password: str, policy: Policy, seconds: float) -> Any:
    if address.kind == "sqlite":
        return sqlite3.connect(address.name, timeout=seconds, isolation_level=None, check_same_thread=False)
    if address.kind == "mysql":
        return _mysql(address, password, policy, seconds)
    return _postgresql(address, password, policy, seconds)


def _postgresql(address: DatabaseAddress, password: str, policy: Policy, seconds: float) -> psycopg.Connection[Any]:
    """The client library is told which addresses to take, and looks no name up by itself; nothing of the environment
    or of a password file has a say."""
    places = permitted(address.host, policy)
    return psycopg.connect(
        host=",".join([address.host] * len(places)),
        hostaddr=",".join(places),
        port=address.port,
        user=address.user or None,
        password=password or None,
        passfile="/dev/null",
        dbname=address.name,
        sslmode=address.options.get("sslmode", "prefer"),
        connect_timeout=round(min(seconds, CONNECT_WITHIN)) or 1,
        application_name="cohort-relay",
        prepare_threshold=None,  # a pooler may stand between
        tcp_user_timeout=round(seconds * 1000),
    )


def _mysql(address: DatabaseAddress, password: str, policy: Policy, seconds: float) -> Any:
    """On a connection that was looked at before the driver says anything."""
    made = pymysql.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=password,
        database=address.name,
        charset="utf8mb4",
        sql_mode="STRICT_ALL_TABLES",
        # The server ends what takes too long, also where this process stands still.
        init_command="SET SESSION innodb_lock_wait_timeout = {0}, wait_timeout = {0}".format(max(1, round(seconds))),
        read_timeout=seconds,
        write_timeout=seconds,
        defer_connect=True,
        **_tls(address.options.get("sslmode", "prefer")),
    )
    made.connect(connection_to(address.host, address.port, policy, min(seconds, CONNECT_WITHIN)))
    return made


def _tls(mode: str) -> dict[str, Any]:
    if mode == "disable":
        return {"ssl_disabled": True}
    if mode == "prefer":
        return {}
    context = ssl.create_default_context()
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}
