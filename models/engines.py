"""The engines, as both databases want them: time limits, pool, pragmas, and how a transaction begins."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine, event, make_url

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


def engine_options(url: str, pool_size: int, statement_seconds: int = 60) -> dict[str, object]:
    """Options of the default engine, which reads (and on PostgreSQL also writes)."""
    shared: dict[str, object] = {"hide_parameters": True, "pool_timeout": WAIT_SECONDS, "pool_use_lifo": True}
    if make_url(url).get_backend_name() == "sqlite":
        return shared | {"pool_size": 32, "max_overflow": 0, "connect_args": {"timeout": WAIT_SECONDS}}
    limits = {
        "lock_timeout": WAIT_SECONDS,
        "statement_timeout": statement_seconds,
        "idle_in_transaction_session_timeout": max(60, statement_seconds),
    }
    server = " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())
    arguments = {"connect_timeout": WAIT_SECONDS, "options": server, "application_name": "cohort-relay"} | SILENCE
    return shared | {"pool_size": pool_size, "max_overflow": 0, "connect_args": arguments}


def writer_options(options: dict[str, object]) -> dict[str, object]:
    """Options of SQLite's writing engine, which has a single connection."""
    return options | {"pool_size": 1}


def prepare(reader: Engine, writer: Engine) -> None:
    """Hang the pragmas and the way a transaction begins on SQLite's engines."""
    if writer.dialect.name != "sqlite":
        return
    for engine, cache_mb in ((reader, 2), (writer, 48)):
        event.listen(engine, "connect", _pragmas(cache_mb))
    event.listen(reader, "begin", lambda connection: _begin(connection, "BEGIN"))
    event.listen(writer, "begin", lambda connection: _begin(connection, "BEGIN IMMEDIATE"))


def _pragmas(cache_mb: int) -> Callable[[object, object], None]:
    """WAL so that readers never wait, FULL so that what was answered survives a power cut, and a checkpoint every
    64 MB instead of every 4 MB: a page of random ids dirties some 1,000 leaves (0.56 of the time per page)."""

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
