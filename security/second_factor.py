"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for whoever has lost it.
Passkeys, which are one as well, have a module of their own.

A code is taken once, in its own time step of 30 seconds and in the one before and after it. Recovery codes are random,
kept as keyed digests, and gone once they are used. `SECOND_FACTOR` says who has to have one. Every function of a
database runs inside a transaction of the caller's.
"""

import secrets
from collections.abc import Callable
from typing import TypeVar

import pyotp
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import Connection, delete, func, insert, select, update

import models
from config.clock import SECOND
from models.encryption import DecryptionError, Encryption
from models.insert_once import insert_once
from security import operators
from security.audit import note
from security.operators import Operator, WrongOperator
from security.secrets import key_id, keyed_digest

ISSUER = "Cohort Relay"
STEP = 30  # seconds that a code is shown
BESIDE = 1  # steps before and after its own in which a code is taken: people type slowly, and clocks differ
RECOVERY_CODES = 10
PARTS, LETTERS = 4, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # of a recovery code: 80 bits, nothing that looks alike
LONGEST = 64  # characters of what is typed that are looked at
PURPOSE = "recovery-code"
BY_CODE, BY_RECOVERY_CODE = "password and code", "password and recovery code"
WRONG = "This code is not right, or it has been used. A new one comes every 30 seconds."

View = TypeVar("View", bound=Callable[..., object])


def before_set_up(view: View) -> View:
    """Mark a view for the guard: whoever still has to set a second factor up passes."""
    view.before_set_up = True  # type: ignore[attr-defined]
    return view


def is_before_set_up(view: Callable[..., object]) -> bool:
    return bool(getattr(view, "before_set_up", False))


def is_demanded(setting: str, operator: Operator) -> bool:
    """Tell whether this operator has to have a second factor, by the setting SECOND_FACTOR."""
    return setting == "everyone" or (setting == "admins" and operator.role == "admin")


def is_asked(setting: str, operator: Operator) -> bool:
    """Tell whether a sign-in of this operator takes a second factor."""
    return setting != "off" and operator.second_factor_at is not None


def prepare(db: Connection, cipher: Encryption, operator: Operator, now: int) -> None:
    """Make a secret for an authenticator app, which counts once `confirm` has seen a code of it. Raises WrongOperator
    where one is confirmed already."""
    _forget_unconfirmed(db, operator)
    if has_app(db, operator):
        raise WrongOperator("password", "There is an authenticator app already. Remove the second factor first.")
    sealed = cipher.encrypt(pyotp.random_base32())
    values = {"operator_id": operator.id, "sealed": sealed, "created_at": now}
    insert_once(db, models.Authenticator, "operator_id", values)  # one of two presses at once


def prepared(db: Connection, operator: Operator) -> str | None:
    """Return the sealed secret that waits for a first code, if there is one."""
    waits = (models.Authenticator.operator_id == operator.id, models.Authenticator.confirmed_at.is_(None))
    return db.execute(select(models.Authenticator.sealed).where(*waits)).scalar_one_or_none()


def has_app(db: Connection, operator: Operator) -> bool:
    """Tell whether an authenticator app is set up."""
    theirs = (models.Authenticator.operator_id == operator.id, models.Authenticator.confirmed_at.is_not(None))
    return db.execute(select(models.Authenticator.operator_id).where(*theirs)).first() is not None


def start_asking(db: Connection, operator: Operator, now: int) -> None:
    """Have sign-ins take a second factor from now on; the first one of an operator signs out every browser."""
    if operator.second_factor_at is None:
        operators.set_second_factor(db, operator, now)


def address(secret: str, operator: Operator) -> str:
    """Return what an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=operator.email, issuer_name=ISSUER)


def confirm(db: Connection, cipher: Encryption, operator: Operator, code: str, now: int) -> None:
    """Set the app up by a first code of it. Raises WrongOperator."""
    if prepared(db, operator) is None or not _takes(db, cipher, operator, code, now):
        raise WrongOperator("code", WRONG)
    confirmed = update(models.Authenticator).where(models.Authenticator.operator_id == operator.id)
    db.execute(confirmed.values(confirmed_at=now))
    note(db, now, operator.email, "operator.second_factor", operator.email, after={"second_factor": "codes of an app"})
    start_asking(db, operator, now)


def first_codes(db: Connection, key: str, operator: Operator) -> list[str]:
    """Return recovery codes, which nobody can read again, where an operator has none; else none."""
    return [] if codes_left(db, operator) else _made(db, key, operator)


def passed_by(db: Connection, cipher: Encryption, operator: Operator, code: str, now: int) -> str | None:
    """Use a code up; returns in words by what they sign in, None where it is none of theirs."""
    code = as_typed(code)
    if code.isdigit():
        return BY_CODE if _takes(db, cipher, operator, code, now) else None
    digests = [bytes.fromhex(one) for one in cipher.digests(PURPOSE, _said(operator, code).encode())]
    used = delete(models.RecoveryCode).where(
        models.RecoveryCode.operator_id == operator.id, models.RecoveryCode.digest.in_(digests)
    )
    if db.execute(used).rowcount == 0:
        return None
    left = {"recovery_codes_left": codes_left(db, operator)}
    note(db, now, operator.email, "operator.recovery_code", operator.email, after=left)
    return BY_RECOVERY_CODE


def as_typed(code: str) -> str:
    """Return a code without what people put between its parts."""
    return "".join(letter for letter in code[:LONGEST].upper() if letter.isascii() and letter.isalnum())


def make_codes(db: Connection, key: str, operator: Operator, now: int) -> list[str]:
    """Return new recovery codes; the earlier ones end."""
    db.execute(delete(models.RecoveryCode).where(models.RecoveryCode.operator_id == operator.id))
    note(db, now, operator.email, "operator.recovery_codes", operator.email)
    return _made(db, key, operator)


def codes_left(db: Connection, operator: Operator) -> int:
    """Return how many recovery codes have not been used."""
    theirs = models.RecoveryCode.operator_id == operator.id
    return int(db.execute(select(func.count()).select_from(models.RecoveryCode).where(theirs)).scalar_one())


def remove(db: Connection, operator: Operator, who: str, now: int) -> None:
    """Remove the second factor with its recovery codes; every browser is signed out. Raises WrongOperator where there
    is none."""
    if operator.second_factor_at is None:
        raise WrongOperator("second_factor", f"{operator.email} has no second factor.")
    operators.forget_second_factor(db, operator.id)
    operators.set_second_factor(db, operator, None)
    note(db, now, who, "operator.second_factor_removed", operator.email)


def _takes(db: Connection, cipher: Encryption, operator: Operator, code: str, now: int) -> bool:
    """Use a code of the app up, if it is one of now and none as new was taken before."""
    theirs = models.Authenticator.operator_id == operator.id
    sealed = db.execute(select(models.Authenticator.sealed).where(theirs)).scalar_one_or_none()
    step = None if sealed is None else _step_of(cipher, sealed, as_typed(code), now)
    if step is None:
        return False
    is_newer = models.Authenticator.last_step.is_(None) | (models.Authenticator.last_step < step)
    return db.execute(update(models.Authenticator).where(theirs, is_newer).values(last_step=step)).rowcount == 1


def _step_of(cipher: Encryption, sealed: str, code: str, now: int) -> int | None:
    """Return the time step that this is the code of, if that is now or beside now."""
    try:
        codes = pyotp.TOTP(cipher.decrypt(sealed), interval=STEP)
        return codes.verify_and_get_timecode(code, for_time=now // SECOND, valid_window=BESIDE)
    except (DecryptionError, OTPVerificationError):  # one that is sealed under a lost key is reset by an admin
        return None


def _made(db: Connection, key: str, operator: Operator) -> list[str]:
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    digests = [keyed_digest(key, PURPOSE, _said(operator, as_typed(code))) for code in codes]
    rows = [{"operator_id": operator.id, "digest": digest, "key_id": key_id(key)} for digest in digests]
    db.execute(insert(models.RecoveryCode), rows)
    return codes


def _new_code() -> str:
    """Return a recovery code. One of digits alone would be taken for a code of the app, and is not made."""
    code = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(PARTS))
    return _new_code() if as_typed(code).isdigit() else code


def _said(operator: Operator, code: str) -> str:
    """Return what a recovery code is kept as a digest of."""
    return f"{operator.id} {code}"


def _forget_unconfirmed(db: Connection, operator: Operator) -> None:
    waits = (models.Authenticator.operator_id == operator.id, models.Authenticator.confirmed_at.is_(None))
    db.execute(delete(models.Authenticator).where(*waits))
