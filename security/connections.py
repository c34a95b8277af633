"""Connections as an operator manages them. A rotation overlaps: the old password stays live until it is retired,
because Mixpanel's side is changed by hand and the URL can never change."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, text

import models
from models.profile_choice import ProfileChoice, of_column
from security import simulation_jobs
from security.secrets import key_id, keyed_digest, new_secret
from security.webhook import NAME, PURPOSE

_OTHERS = re.compile(r"[^a-z0-9_]+")
RESERVED = {"new"}  # /connections/new is a page of the dashboard


class WrongName(ValueError):
    """The name cannot be used, or is taken, or there is no such connection; the message says which."""


class OnlyPassword(ValueError):
    """Without this password nobody could sign in any more."""


class Password(NamedTuple):
    """A live password; `last_used_at` is known to the minute."""

    id: int
    created_at: int
    last_used_at: int | None


@dataclass(frozen=True)
class Listed:
    """A connection with its live passwords, oldest first; `last_call_at` by any password that it ever had. `projects`
    are the Mixpanel projects that it may write, none of them for all; `keeps` is the column."""

    id: int
    name: str
    enabled: bool
    created_at: int
    last_call_at: int | None
    passwords: list[Password]
    projects: tuple[str, ...] = ()
    keeps: str | None = None

    @property
    def choice(self) -> ProfileChoice:
        """Return what it keeps of profiles that arrive."""
        return of_column(self.keeps)


MOST_PROJECTS = 100
LONGEST_PROJECT = 255  # bytes, as an id that a page may have

_FIND = text("SELECT id FROM connection WHERE name = :name")
_LIVE = text("""
    SELECT id, created_at, last_used_at FROM connection_password
    WHERE connection_id = :connection_id AND retired_at IS NULL ORDER BY id""")
_RETIRE = text("UPDATE connection_password SET retired_at = :now WHERE id = :id AND retired_at IS NULL")
_SWITCH = text("UPDATE connection SET enabled = :enabled WHERE id = :id")
_ALL_LIVE = text("""
    SELECT connection_id, id, created_at, last_used_at FROM connection_password WHERE retired_at IS NULL ORDER BY id""")
_BIND = text("UPDATE connection SET projects = :projects WHERE id = :id")
_KEEP = text("UPDATE connection SET keeps = :keeps WHERE id = :id")
_COLUMNS = """id, name, enabled, created_at, projects, keeps,
    (SELECT max(last_used_at) FROM connection_password p WHERE p.connection_id = connection.id) AS last_call_at"""
_ALL = text(f"SELECT {_COLUMNS} FROM connection ORDER BY name")  # noqa: S608
_ONE = text(f"SELECT {_COLUMNS} FROM connection WHERE name = :name")  # noqa: S608


def spelt(typed: str) -> str:
    """Return the name that can be used instead of one that people would write: `crm-prod` for `CRM Prod`."""
    return typed if NAME.fullmatch(typed) else _OTHERS.sub("-", typed.lower()).strip("-_")


def add(db: Connection, key: str, name: str, now: int) -> str:
    """Make a connection, and return its password, which is shown once. Raises WrongName."""
    if not NAME.fullmatch(name):
        raise WrongName(
            "A name has 1 to 63 characters of a-z, 0-9, - and _, and begins with a letter or digit: it becomes part of"
            " the URL."
        )
    if name in RESERVED:
        raise WrongName(f"The name {name} is kept for a page of the dashboard.")
    if db.execute(_FIND, {"name": name}).one_or_none() is not None:
        raise WrongName(f"There already is a connection {name}.")
    row = insert(models.Connection).values(name=name, enabled=True, created_at=now).returning(models.Connection.id)
    return _add_password(db, key, db.execute(row).scalar_one(), now)[1]


def rotate(db: Connection, key: str, name: str, now: int) -> str:
    """Make a further password, shown once; those before it stay live. Raises WrongName."""
    return _add_password(db, key, _id(db, name), now)[1]


def temporary(db: Connection, key: str, name: str, now: int) -> tuple[int, str]:
    """Make a further password, and return it with its id for `retire_one`. Raises WrongName."""
    return _add_password(db, key, _id(db, name), now)


def retire(db: Connection, name: str, now: int) -> int:
    """Retire all passwords but the newest; returns how many. Raises WrongName.

    The temporary password of a simulated export that runs is left alone: as the newest it would lock Mixpanel out.
    """
    lent = simulation_jobs.passwords_lent(db, name)
    live = [
        password.id for password in db.execute(_LIVE, {"connection_id": _id(db, name)}).all() if password.id not in lent
    ]
    return sum(retire_one(db, password_id, now) for password_id in live[:-1])


def retire_one(db: Connection, password_id: int, now: int) -> bool:
    """Retire this password; whether it was live."""
    return db.execute(_RETIRE, {"id": password_id, "now": now}).rowcount == 1


def switch(db: Connection, name: str, *, enabled: bool) -> None:
    """Enable or disable; a disabled connection answers 503, and Mixpanel catches up later. Raises WrongName."""
    db.execute(_SWITCH, {"id": _id(db, name), "enabled": enabled})


def bind(db: Connection, name: str, projects: Iterable[str]) -> None:
    """Let it write cohorts of these Mixpanel projects alone; of all where none is named. Raises WrongName,
    also for what can be no project's id."""
    wanted = sorted({project.strip() for project in projects} - {""})
    if len(wanted) > MOST_PROJECTS or any(
        len(project.encode()) > LONGEST_PROJECT or "\0" in project for project in wanted
    ):
        raise WrongName(f"At most {MOST_PROJECTS} projects, each by its id of at most {LONGEST_PROJECT} bytes.")
    db.execute(_BIND, {"id": _id(db, name), "projects": json.dumps(wanted) if wanted else None})


def keep(db: Connection, name: str, choice: ProfileChoice) -> None:
    """Keep this of the profiles that arrive from the next call on. Raises WrongName."""
    db.execute(_KEEP, {"id": _id(db, name), "keeps": choice.stored()})


def retire_named(db: Connection, name: str, password_id: int, now: int) -> bool:
    """Retire this one of the connection's passwords; whether it was live. Raises WrongName, and OnlyPassword where no
    other is live but the temporary one of a simulated export."""
    kept = lasting(db, one(db, name))
    if password_id not in {password.id for password in kept}:
        return False
    if len(kept) == 1:
        raise OnlyPassword("This is the only live password. Make a new one first, or disable the connection.")
    return retire_one(db, password_id, now)


def lasting(db: Connection, connection: Listed) -> list[Password]:
    """Return its live passwords, but for the temporary one of a simulated export that runs."""
    lent = simulation_jobs.passwords_lent(db, connection.name)
    return [password for password in connection.passwords if password.id not in lent]


def one(db: Connection, name: str) -> Listed:
    """Return this connection. Raises WrongName."""
    row = db.execute(_ONE, {"name": name}).one_or_none() if NAME.fullmatch(name) else None
    if row is None:
        raise WrongName(f"There is no connection {name}.")
    live = [Password(*password) for password in db.execute(_LIVE, {"connection_id": row.id})]
    return _listed(row, live)


def listed(db: Connection) -> list[Listed]:
    """Return all connections by name, in two statements however many they are."""
    live: dict[int, list[Password]] = {}
    for connection_id, *password in db.execute(_ALL_LIVE):
        live.setdefault(connection_id, []).append(Password(*password))
    return [_listed(row, live.get(row.id, [])) for row in db.execute(_ALL).all()]


def _listed(row: Row[Any], live: list[Password]) -> Listed:
    return Listed(
        row.id,
        row.name,
        bool(row.enabled),
        row.created_at,
        row.last_call_at,
        live,
        tuple(json.loads(row.projects)) if row.projects else (),
        row.keeps,
    )


def _id(db: Connection, name: str) -> int:
    row = db.execute(_FIND, {"name": name}).one_or_none()
    if row is None:
        raise WrongName(f"There is no connection {name}.")
    return int(row.id)


def _add_password(db: Connection, key: str, connection_id: int, now: int) -> tuple[int, str]:
    secret = new_secret()
    values = {"connection_id": connection_id, "digest": keyed_digest(key, PURPOSE, secret)}
    values |= {"key_id": key_id(key), "created_at": now}
    row = insert(models.ConnectionPassword).values(values).returning(models.ConnectionPassword.id)
    return db.execute(row).scalar_one(), secret
