"""The engines, as both databases want them: time limits, pool, pragmas, and how a transaction begins."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, event

# A webhook call must be answered within 10 s: one wait for the guard's read and one for the page fit into that.
WAIT_SECONDS = 4
# A server that vanishes from the network sends no goodbye; without these a call would wait for it for a quarter of an
# hour: bytes not acknowledged (milliseconds), and probes while we wait for an answer (seconds, seconds, probes).
SILENCE = {
    "tcp_user_timeout": WAIT_SECONDS * 1000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}
SHARED: dict[str, object] = {"hide_parameters": True, "pool_timeout": WAIT_SECONDS, "pool_use_lifo": True}


def sqlite_url(file: Path) -> URL:
    """Return the engine's address of a SQLite file, whatever characters its name has."""
    return URL.create("sqlite", database=str(file))


def postgresql_url(parameters: dict[str, str]) -> URL:
    """Return the engine's address, as far as an URL of SQLAlchemy can say it. What counts are the options: PostgreSQL's
    client library reads more than that."""
    user, password, host, port, name = map(parameters.get, ("user", "password", "host", "port", "dbname"))
    return URL.create("postgresql+psycopg", user, password, host, int(port) if port and port.isdigit() else None, name)


def sqlite_options() -> dict[str, object]:
    """Return the options of SQLite's default engine, which reads."""
    return SHARED | {"pool_size": 32, "max_overflow": 0, "connect_args": {"timeout": WAIT_SECONDS}}


def postgresql_options(parameters: dict[str, str], pool_size: int, role: str = "read-write") -> dict[str, object]:
    """Return the options of an engine of PostgreSQL. `parameters` are those of the address, and win over ours. Of
    several hosts the one is taken that has the `role`, as the client library names it."""
    hosts = parameters.get("host", "").count(",") + 1
    # Each host in turn gets so long; two seconds are the least that the client library takes.
    ours = {"connect_timeout": max(2, WAIT_SECONDS // hosts), "application_name": "cohort-relay"} | SILENCE
    if hosts > 1:  # a standby takes connections too, and would answer reads of a while ago and refuse every page
        ours |= {"target_session_attrs": role}
    overflow = 1 if pool_size == 1 else 0  # changing the tables takes two: one to work, one that holds the lock
    return SHARED | {"pool_size": pool_size, "max_overflow": overflow, "connect_args": ours | parameters}


def postgresql_limits(statement_seconds: int) -> dict[str, int]:
    """Return the server's time limits in seconds, by name."""
    return {
        "lock_timeout": WAIT_SECONDS,
        "statement_timeout": statement_seconds,
        "idle_in_transaction_session_timeout": max(60, statement_seconds),
    }


def writer_options(options: dict[str, object]) -> dict[str, object]:
    """Return the options of SQLite's writing engine, which has a single connection."""
    return options | {"pool_size": 1}


def prepare(reader: Engine, writer: Engine) -> None:
    """Set the pragmas, and how a transaction begins, of SQLite's engines."""
    for engine, cache_mb in ((reader, 2), (writer, 48)):
        event.listen(engine, "connect", _pragmas(cache_mb))
    event.listen(reader, "begin", lambda connection: _begin(connection, "BEGIN"))
    event.listen(writer, "begin", lambda connection: _begin(connection, "BEGIN IMMEDIATE"))


def _pragmas(cache_mb: int) -> Callable[[object, object], None]:
    """Return what sets WAL, so that readers never wait, FULL, so that what was answered survives a power cut, and a
    checkpoint every 64 MB instead of every 4 MB: a page of random ids dirties some 1,000 leaves (0.56 of the time per
    page)."""

    def on_connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we say BEGIN ourselves
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=16000",
            f"cache_size=-{cache_mb * 1024}",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return on_connect


def _begin(connection: Connection, statement: str) -> None:
    connection.connection.cursor().execute(statement)
