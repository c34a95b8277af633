"""`/healthz`: the process lives. `/readyz`: it can serve, because the database answers and has our tables, or those of
a newer version: tables are upgraded while the old version serves.

A Redis that is away keeps nobody from serving: limits are counted in memory then, and `/readyz` says so. A full disk or
a standby that is waited for is named, and readers are served: without calls nobody would find out that it is over.
"""

from flask import jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from blueprints.health import blueprint
from config.durations import roughly
from models.database import DatabaseUnavailable
from models.database_errors import NO_ROOM, NO_STANDBY
from models.maintenance.close_for_writes import SENTENCE, is_closed
from models.maintenance.schema import is_new_enough, stored_revision
from models.synchronous_standby import is_awaited
from runtime import current_runtime
from security import rate_limits
from security.key_check import WrongKey, guard


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when all that serving needs is `ok`; 503 with what is wrong."""
    runtime = current_runtime()
    checks = {"database": _database(), "migrations": "unknown"}
    if checks["database"] == "ok":
        checks["migrations"] = _migrations()
    if checks["migrations"] == "ok":
        checks["key"] = _key()
    if runtime.stopping.is_set():
        checks["process"] = "stopping"
    ready = set(checks.values()) == {"ok"}
    if trouble := _trouble_of_writes():
        checks["writes"] = trouble
    if moved := runtime.clock_watch.moved():
        checks["clock"] = f"set {'forward' if moved > 0 else 'back'} by {roughly(abs(moved))}"
    if runtime.settings.redis_url:
        checks["limits"] = "ok" if rate_limits.are_as_set() else "in memory"
    return jsonify(status="ok" if ready else "unavailable", checks=checks), 200 if ready else 503


def _database() -> str:
    try:
        return current_runtime().database.read(_answer)
    except DatabaseUnavailable as error:
        return error.trouble


def _answer(db: Connection) -> str:
    db.execute(text("SELECT 1"))
    return SENTENCE if is_closed(db) else "ok"


def _trouble_of_writes() -> str:
    """Return why nothing new is kept although the database answers; nothing where it is."""
    database = current_runtime().database
    if database.is_full:
        return NO_ROOM
    try:
        return NO_STANDBY if database.read(is_awaited, one_statement=True) else ""
    except DatabaseUnavailable:
        return ""


def _migrations() -> str:
    try:
        stored = current_runtime().database.read(stored_revision)
    except DatabaseUnavailable:
        return "unknown"
    return "ok" if is_new_enough(stored) else "run flask db upgrade"


def _key() -> str:
    try:
        guard().look()
    except WrongKey:
        return "SECRET_KEY is not the database's: run flask doctor"
    except DatabaseUnavailable:
        return "unknown"
    return "ok"
