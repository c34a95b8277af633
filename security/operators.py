"""Operators as they are kept: password hashes, roles, and the first one's code.

Passwords are chosen by people, so they are hashed slowly (`security.passwords`); signing in is rare. Everything here
runs inside a transaction of the caller's and leaves its entry in the audit trail.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, text, update

import models
from models.columns import columns_of
from models.database import Database, DatabaseUnavailable
from models.insert_once import insert_once
from security import passwords
from security.audit import note, note_often
from security.passwords import Weak
from security.roles import ROLES

LONGEST_EMAIL = 256  # characters that are looked at; no address has as many
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
_NOBODY = passwords.NOBODY


class WrongOperator(ValueError):
    """What was typed cannot be taken; `field` names the field, the message says what would be right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Operator:
    """A person who may sign in; `sign_ins` is the number that each of their sign-ins must hold."""

    id: int
    email: str
    role: str
    sign_ins: int
    created_at: int
    last_signed_in_at: int | None
    time_zone: str | None = None
    second_factor_at: int | None = None
    provider_subject: str | None = None


VISITOR = "a visitor"  # who tried to sign in, in the audit trail
COLUMNS = columns_of(models.Operator, Operator)
_ONE_AT_A_TIME = text("LOCK TABLE operator IN SHARE ROW EXCLUSIVE MODE")


def there_are_any(db: Connection) -> bool:
    return db.execute(select(models.Operator.id).limit(1)).first() is not None


def by_id(db: Connection, operator_id: int) -> Operator | None:
    row = db.execute(select(*COLUMNS).where(models.Operator.id == operator_id)).one_or_none()
    return Operator(*row) if row is not None else None


def by_email(db: Connection, email: str) -> Operator | None:
    row = db.execute(select(*COLUMNS).where(models.Operator.email == as_kept(email))).one_or_none()
    return Operator(*row) if row is not None else None


def as_kept(email: str) -> str:
    """Write it in lower case, and without NUL, which PostgreSQL takes in no text; of a longer text than an address its
    head."""
    return email.strip()[:LONGEST_EMAIL].lower().replace("\0", "")[:LONGEST_EMAIL]


def listed(db: Connection) -> list[Operator]:
    return [Operator(*row) for row in db.execute(select(*COLUMNS).order_by(models.Operator.email))]


def signing_in(database: Database, email: str, password: str) -> Operator | None:
    """Whoever has this e-mail and password. Takes as long where there is no such operator, and holds no connection
    while it hashes."""
    found = select(*COLUMNS, models.Operator.password_hash).where(models.Operator.email == as_kept(email))
    row = database.read(lambda db: db.execute(found).one_or_none(), one_statement=True)
    kept = row.password_hash if row is not None else None
    if not passwords.belongs(kept, password) or row is None:
        return None
    if passwords.is_old(row.password_hash):
        _hash_anew(database, row.id, row.password_hash, password)
    return Operator(*row[:-1])


def _hash_anew(database: Database, operator_id: int, before: str, password: str) -> None:
    """An older hash becomes one of today's; a sign-in does not fail because the database is busy."""
    is_still = (models.Operator.id == operator_id, models.Operator.password_hash == before)
    anew = update(models.Operator).where(*is_still).values(password_hash=passwords.made(password))
    with suppress(DatabaseUnavailable):
        database.write(lambda db: db.execute(anew))


def note_sign_in(db: Connection, operator: Operator, place: Mapping[str, str], now: int) -> None:
    """`place` says from where, for the audit trail."""
    _set(db, operator, last_signed_in_at=now)
    note(db, now, operator.email, "operator.sign_in", operator.email, after=place)


def note_failed_sign_in(db: Connection, email: str, place: Mapping[str, str], now: int) -> None:
    """One entry an hour for each account that is tried, and one for all that do not exist, whose e-mails are nobody's
    business."""
    known = by_email(db, email)
    subject = known.email if known is not None else "an unknown e-mail"
    note_often(db, now, VISITOR, "operator.sign_in_failed", subject, after=place)


def checked(email: str, password: str) -> tuple[str, str]:
    """Return the e-mail in lower case, and the password's hash. Raises WrongOperator. Slow by intent: not for a
    transaction."""
    email = address(email)
    return email, hashed(password, email)


def address(email: str) -> str:
    """Return the e-mail in lower case. Raises WrongOperator."""
    email = as_kept(email)
    if not _EMAIL.fullmatch(email):
        raise WrongOperator("email", "This is not an e-mail address.")
    return email


def hashed(password: str, email: str = "") -> str:
    """Return the password's hash. Raises WrongOperator where it is easily guessed, also by whoever knows the e-mail."""
    try:
        return passwords.hashed(password, email)
    except Weak as error:
        raise WrongOperator("password", str(error)) from None


def add(db: Connection, email: str, password_hash: str, role: str, who: str, now: int) -> Operator:
    """Add an operator, of what `checked` has returned. Raises WrongOperator."""
    if role not in ROLES:
        raise WrongOperator("role", f"A role is one of {', '.join(ROLES)}.")
    values = {"email": email, "password_hash": password_hash, "role": role, "sign_ins": 1, "created_at": now}
    if not insert_once(db, models.Operator, "email", values):
        raise WrongOperator("email", f"There already is an operator {email}.")
    note(db, now, who, "operator.add", email, after={"role": role})
    return Operator(*db.execute(select(*COLUMNS).where(models.Operator.email == email)).one())


def add_first(db: Connection, email: str, password_hash: str, now: int) -> Operator:
    """Add the first operator, an admin. Raises WrongOperator where there is one already, also one who came at the same
    moment."""
    if db.dialect.name == "postgresql":  # SQLite has one writer at a time
        db.execute(_ONE_AT_A_TIME)
    if there_are_any(db):
        raise WrongOperator("code", "The code has been used: there is an operator already. Sign in instead.")
    return add(db, email, password_hash, "admin", email, now)


def set_password(db: Connection, operator: Operator, password_hash: str, who: str, now: int) -> None:
    """A new password; every browser that was signed in with the old one is signed out."""
    _set(db, operator, password_hash=password_hash, sign_ins=models.Operator.sign_ins + 1)
    sign_out_everywhere(db, operator)
    note(db, now, who, "operator.password", operator.email)


def set_role(db: Connection, operator: Operator, role: str, who: str, now: int) -> None:
    """Another role. Raises WrongOperator, also where nobody would be left to manage operators."""
    if role not in ROLES:
        raise WrongOperator("role", f"A role is one of {', '.join(ROLES)}.")
    if role != "admin":
        _keep_an_admin(db, operator)
    follow_role(db, operator, role, who, now)


def follow_role(db: Connection, operator: Operator, role: str, who: str, now: int) -> None:
    """Another role, as a company's directory says it, also where nobody is left to manage operators here."""
    _set(db, operator, role=role, sign_ins=models.Operator.sign_ins + 1)
    sign_out_everywhere(db, operator)
    note(db, now, who, "operator.role", operator.email, before={"role": operator.role}, after={"role": role})


def set_time_zone(db: Connection, operator: Operator, zone: str | None, now: int) -> None:
    """The zone that their pages are written in; None is UTC."""
    _set(db, operator, time_zone=zone)
    before, after = {"time_zone": operator.time_zone or "UTC"}, {"time_zone": zone or "UTC"}
    note(db, now, operator.email, "operator.time_zone", operator.email, before=before, after=after)


def remove(db: Connection, operator: Operator, who: str, now: int) -> None:
    """Remove an operator; their entries in the audit trail stay. Raises WrongOperator."""
    _keep_an_admin(db, operator)
    db.execute(delete(models.Operator).where(models.Operator.id == operator.id))
    forget_second_factor(db, operator.id)
    sign_out_everywhere(db, operator)
    note(db, now, who, "operator.remove", operator.email, before={"role": operator.role})


def set_second_factor(db: Connection, operator: Operator, at: int | None) -> None:
    """Note since when there is a second factor, or that there is none; every browser is signed out."""
    _set(db, operator, second_factor_at=at, sign_ins=models.Operator.sign_ins + 1)
    sign_out_everywhere(db, operator)


def forget_second_factor(db: Connection, operator_id: int) -> None:
    """Remove all that an operator signs in with beside the password."""
    for table in (models.Authenticator, models.Passkey, models.RecoveryCode):
        db.execute(delete(table).where(table.operator_id == operator_id))


def sign_out_everywhere(db: Connection, operator: Operator) -> int:
    """End every sign-in of an operator; returns how many there were."""
    return db.execute(delete(models.SignIn).where(models.SignIn.operator_id == operator.id)).rowcount


def _set(db: Connection, operator: Operator, **values: Any) -> None:
    db.execute(update(models.Operator).where(models.Operator.id == operator.id).values(values))


def _keep_an_admin(db: Connection, operator: Operator) -> None:
    """Raises WrongOperator where this is the only admin. Locks the rows of admins on PostgreSQL: two who remove each
    other at once must not both find the other one still there."""
    db.execute(update(models.Operator).where(models.Operator.role == "admin").values(role=models.Operator.role))
    others = select(models.Operator.id).where(models.Operator.role == "admin", models.Operator.id != operator.id)
    if operator.role == "admin" and db.execute(others.limit(1)).first() is None:
        raise WrongOperator("role", "This is the only admin; make another one first.")


def first_code(key: str) -> str:
    """Return the code that lets the first operator in, the same in every process. It is good for one operator: as soon
    as there is any, nobody signs up."""
    digest = hmac.new(key.encode(), b"first operator", hashlib.sha256).digest()
    code = base64.b32encode(digest[:10]).decode()
    return "-".join(code[place : place + 4] for place in range(0, 16, 4))


def is_first_code(key: str, given: str) -> bool:
    wanted, typed = (code.replace("-", "").replace(" ", "").upper().encode() for code in (first_code(key), given))
    return hmac.compare_digest(wanted, typed)
