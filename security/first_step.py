"""Between the two steps of a sign-in: this browser has given the right password, and not yet a code."""

from flask import session
from sqlalchemy import Connection

from config.clock import MINUTE
from runtime import current_runtime
from security import operators
from security.operators import Operator

LASTS = 10 * MINUTE
NAME = "first_step"


def remember(operator: Operator) -> None:
    """Remember it in the cookie, which is signed; it alone opens nothing."""
    session[NAME] = [operator.id, operator.sign_ins, current_runtime().clock()]


def who() -> Operator | None:
    """Return who has given the password; None where that is too long ago, or they have another one by now."""
    found, now = session.get(NAME), current_runtime().clock()
    if not (isinstance(found, list) and len(found) == 3 and all(isinstance(part, int) for part in found)):  # noqa: PLR2004
        return None
    operator_id, sign_ins, at = found
    if not 0 <= now - at < LASTS:
        return None

    def read(db: Connection) -> Operator | None:
        return operators.by_id(db, operator_id)

    operator = current_runtime().database.read(read, one_statement=True)
    return operator if operator is not None and operator.sign_ins == sign_ins else None


def forget() -> None:
    session.pop(NAME, None)
