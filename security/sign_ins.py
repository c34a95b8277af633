"""Sign-ins: the browsers in which somebody is signed in, each by a random secret of its own.

The secret is in the browser's cookie and nowhere else; a keyed digest of it finds the row. A row ends when its browser
signs out, when it was not used for `SIGN_IN_IDLE_HOURS`, `SIGN_IN_LONGEST_HOURS` after it began whatever happens, and
with every change of the operator's password or role. Each function runs inside a transaction of the caller's.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, text

from config.clock import HOUR
from config.settings import Settings
from security.operators import COLUMNS, Operator
from security.secrets import keyed_digest, new_secret

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
    """One browser in which an operator is signed in; `last_seen_at` is known to the minute."""

    id: int
    operator_id: int
    address: str
    browser: str
    started_at: int
    last_seen_at: int


@dataclass(frozen=True)
class SignInOrigin:
    """Where somebody signs in: the address that called, and the browser in words."""

    address: str
    browser: str


_OURS = "id, operator_id, address, browser, started_at, last_seen_at"
_LIVE = "s.last_seen_at > :idle_since AND s.started_at > :begun_since"
_ADD = text("""
    INSERT INTO sign_in (digest, operator_id, sign_ins, address, browser, started_at, last_seen_at)
    VALUES (:digest, :operator_id, :sign_ins, :address, :browser, :now, :now)""")
_BOTH = ", ".join(
    [*(f"o.{column}" for column in COLUMNS.split(", ")), *(f"s.{column}" for column in _OURS.split(", "))]
)
_FIND = text(f"""
    SELECT {_BOTH} FROM sign_in s JOIN operator o ON o.id = s.operator_id AND o.sign_ins = s.sign_ins
    WHERE s.digest = :digest AND {_LIVE}""")  # noqa: S608 - our own words
_LISTED = text(f"""
    SELECT {_OURS} FROM sign_in s WHERE s.operator_id = :operator_id AND {_LIVE}
        AND s.sign_ins = (SELECT o.sign_ins FROM operator o WHERE o.id = s.operator_id)
    ORDER BY s.last_seen_at DESC, s.id DESC""")  # noqa: S608
_END = text("DELETE FROM sign_in WHERE id = :id AND operator_id = :operator_id")
_END_OVER = text("DELETE FROM sign_in WHERE last_seen_at <= :idle_since OR started_at <= :begun_since")
_END_BEYOND = text("""
    DELETE FROM sign_in WHERE operator_id = :operator_id AND id NOT IN (
        SELECT id FROM sign_in WHERE operator_id = :operator_id ORDER BY last_seen_at DESC, id DESC LIMIT :most)""")
SEEN = text("UPDATE sign_in SET last_seen_at = :now WHERE id = :id")


def start(db: Connection, key: str, operator: Operator, place: SignInOrigin, now: int) -> str:
    """Sign this operator in; returns the secret for the browser's cookie. More than `MOST` are never kept."""
    secret = new_secret()
    values = {"digest": keyed_digest(key, PURPOSE, secret), "operator_id": operator.id, "sign_ins": operator.sign_ins}
    db.execute(_ADD, values | {"address": place.address, "browser": place.browser, "now": now})
    db.execute(_END_BEYOND, {"operator_id": operator.id, "most": MOST})
    return secret


def find(db: Connection, key: str, secret: str, ends: Ends, now: int) -> tuple[Operator, SignIn] | None:
    """Return whose secret this is, if that sign-in is not over; one statement."""
    values = {"digest": keyed_digest(key, PURPOSE, secret), **_since(ends, now)}
    row = db.execute(_FIND, values).one_or_none()
    many = len(COLUMNS.split(", "))
    return (Operator(*row[:many]), SignIn(*row[many:])) if row is not None else None


def listed(db: Connection, operator_id: int, ends: Ends, now: int) -> list[SignIn]:
    """Return where this operator is signed in, the browser that called last first."""
    return [SignIn(*row) for row in db.execute(_LISTED, {"operator_id": operator_id, **_since(ends, now)})]


def end(db: Connection, operator_id: int, sign_in_id: int) -> bool:
    """Sign one of this operator's browsers out; whether it was signed in."""
    return db.execute(_END, {"id": sign_in_id, "operator_id": operator_id}).rowcount == 1


def forget_ended(db: Connection, ends: Ends, now: int) -> None:
    """Remove what is over, of everybody."""
    db.execute(_END_OVER, _since(ends, now))


def _since(ends: Ends, now: int) -> dict[str, int]:
    return {"idle_since": now - ends.idle, "begun_since": now - ends.longest}


def browser_in_words(agent: str) -> str:
    """Return what a User-Agent says, in a few words of ours, so that nobody's text is kept: `Firefox on Linux`."""
    program = next((words for mark, words in _PROGRAMS if re.search(rf"\b{mark}\w{{0,3}}/", agent)), "another program")
    system = next((words for mark, words in _SYSTEMS if mark in agent), None)
    return f"{program} on {system}" if system else program
