"""Sign-ins: the browsers in which somebody is signed in, each by a random secret of its own.

The secret is in the browser's cookie and nowhere else; a keyed digest of it finds the row. A row ends when its browser
signs out, when it was not used for `SIGN_IN_IDLE_HOURS`, `SIGN_IN_LONGEST_HOURS` after it began whatever happens, and
with every change of the operator's password, role or second factor. Each function runs inside a transaction of the
caller's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, text

import models
from config.clock import HOUR
from config.settings import Settings
from models.columns import columns_of
from security.operators import COLUMNS, Operator
from security.secrets import key_id, keyed_digest, keyed_digests, new_secret

PURPOSE = "sign-in"
MOST = 20  # browsers of one operator; the one that was used the longest ago gives way
_PROGRAMS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Ends:
    """When sign-ins are over, in milliseconds: after so long without a call, and after so long in any case."""

    idle: int
    longest: int

    @classmethod
    def of(cls, settings: Settings) -> "Ends":
        return cls(settings.sign_in_idle_hours * HOUR, settings.sign_in_longest_hours * HOUR)


@dataclass(frozen=True)
class SignIn:
    """One browser in which an operator is signed in; `last_seen_at` is known to the minute, `way` None for a password
    alone."""

    id: int
    operator_id: int
    address: str
    browser: str
    started_at: int
    last_seen_at: int
    way: str | None


@dataclass(frozen=True)
class SignInOrigin:
    """Where somebody signs in: the address that called, and the browser in words."""

    address: str
    browser: str


_COLUMNS = columns_of(models.SignIn, SignIn)
_IS_LIVE = (
    models.SignIn.sign_ins == models.Operator.sign_ins,
    models.SignIn.last_seen_at > bindparam("idle_since"),
    models.SignIn.started_at > bindparam("begun_since"),
)
_OF_OPERATOR = models.Operator.id == models.SignIn.operator_id
_FIND = select(*COLUMNS, *_COLUMNS).where(
    _OF_OPERATOR, models.SignIn.digest.in_(bindparam("digests", expanding=True)), *_IS_LIVE
)
_LISTED = (
    select(*_COLUMNS)
    .where(_OF_OPERATOR, models.SignIn.operator_id == bindparam("operator_id"), *_IS_LIVE)
    .order_by(models.SignIn.last_seen_at.desc(), models.SignIn.id.desc())
)
_END_BEYOND = text("""
    DELETE FROM sign_in WHERE operator_id = :operator_id AND id NOT IN (
        SELECT id FROM sign_in WHERE operator_id = :operator_id ORDER BY last_seen_at DESC, id DESC LIMIT :most)""")
SEEN = text("UPDATE sign_in SET last_seen_at = :now WHERE id = :id")


def start(db: Connection, key: str, operator: Operator, place: SignInOrigin, now: int, way: str | None = None) -> str:
    """Sign this operator in; returns the secret for the browser's cookie. More than `MOST` are never kept."""
    secret = new_secret()
    values = {"digest": keyed_digest(key, PURPOSE, secret), "operator_id": operator.id, "sign_ins": operator.sign_ins}
    values |= {"address": place.address, "browser": place.browser, "started_at": now, "last_seen_at": now, "way": way}
    values |= {"key_id": key_id(key)}
    db.execute(insert(models.SignIn).values(values))
    db.execute(_END_BEYOND, {"operator_id": operator.id, "most": MOST})
    return secret


def find(db: Connection, keys: Sequence[str], secret: str, ends: Ends, now: int) -> tuple[Operator, SignIn] | None:
    """Return whose secret this is, if that sign-in is not over; one statement."""
    values = {"digests": keyed_digests(keys, PURPOSE, secret), **_since(ends, now)}
    row = db.execute(_FIND, values).one_or_none()
    return (Operator(*row[: len(COLUMNS)]), SignIn(*row[len(COLUMNS) :])) if row is not None else None


def listed(db: Connection, operator_id: int, ends: Ends, now: int) -> list[SignIn]:
    """Return where this operator is signed in, the browser that called last first."""
    return [SignIn(*row) for row in db.execute(_LISTED, {"operator_id": operator_id, **_since(ends, now)})]


def end(db: Connection, operator_id: int, sign_in_id: int) -> bool:
    """Sign one of this operator's browsers out; whether it was signed in."""
    theirs = (models.SignIn.id == sign_in_id, models.SignIn.operator_id == operator_id)
    return db.execute(delete(models.SignIn).where(*theirs)).rowcount == 1


def forget_ended(db: Connection, ends: Ends, now: int) -> None:
    """Remove what is over, of everybody."""
    since = _since(ends, now)
    is_idle = models.SignIn.last_seen_at <= since["idle_since"]
    db.execute(delete(models.SignIn).where(is_idle | (models.SignIn.started_at <= since["begun_since"])))


def _since(ends: Ends, now: int) -> dict[str, int]:
    return {"idle_since": now - ends.idle, "begun_since": now - ends.longest}


def browser_in_words(agent: str) -> str:
    """Return what a User-Agent says, in a few words of ours, so that nobody's text is kept: `Firefox on Linux`."""
    program = next((words for mark, words in _PROGRAMS if re.search(rf"\b{mark}\w{{0,3}}/", agent)), "another program")
    system = next((words for mark, words in _SYSTEMS if mark in agent), None)
    return f"{program} on {system}" if system else program
