"""Links that work once: an admin gives one to somebody who then chooses a password, so that nobody else ever knows it.

What is stored is a digest of the secret in the link. A link ends when it is used, revoked or too old, when whoever made
it is no admin any more, and where it gives a new password, when that operator's password or role has changed. Whoever
has forgotten a password may have such a link sent to their own e-mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, text

from config.clock import DAY, MINUTE
from models.one_time_links import OneTimeLink
from security import operators
from security.audit import note
from security.operators import Operator, WrongOperator
from security.roles import ROLES
from security.secrets import key_id, keyed_digest, keyed_digests, new_secret

INVITATION, PASSWORD = "invitation", "password"
LASTS = {INVITATION: 7 * DAY, PASSWORD: DAY}  # milliseconds
APART = 5 * MINUTE  # between two links that somebody asks for: a mail that is late is not answered with more
PURPOSE = "one-time-link"
LONGEST_SECRET = 64

_LIVE = """
    FROM one_time_link l JOIN operator m ON m.id = l.made_by_id AND (m.role = 'admin' OR m.id = l.operator_id)
    LEFT JOIN operator o ON o.id = l.operator_id
    WHERE l.expires_at > :now AND (l.operator_id IS NULL OR o.sign_ins = l.sign_ins)"""
_COLUMNS = "l.id, l.kind, l.email, l.role, l.operator_id, m.email AS made_by, l.created_at, l.expires_at"
_FIND = text(f"SELECT {_COLUMNS} {_LIVE} AND l.digest IN :digests").bindparams(bindparam("digests", expanding=True))
_LISTED = text(f"SELECT {_COLUMNS} {_LIVE} ORDER BY l.id")
_TAKE = text("DELETE FROM one_time_link WHERE id = :id")
_OTHERS = text("DELETE FROM one_time_link WHERE email = :email OR expires_at <= :now")


@dataclass(frozen=True)
class Link:
    """A link that still works; see `models.one_time_links.OneTimeLink`."""

    id: int
    kind: str
    email: str
    role: str | None
    operator_id: int | None
    made_by: str
    created_at: int
    expires_at: int


def invite(db: Connection, key: str, email: str, role: str, admin: Operator, now: int) -> str:
    """Return the secret of a link by which somebody becomes an operator; an earlier one ends. Raises WrongOperator."""
    email = operators.address(email)
    if role not in ROLES:
        raise WrongOperator("role", f"A role is one of {', '.join(ROLES)}.")
    if operators.by_email(db, email) is not None:
        raise WrongOperator("email", f"There already is an operator {email}.")
    secret = _made(db, key, {"kind": INVITATION, "email": email, "role": role}, admin, now)
    note(db, now, admin.email, "operator.invite", email, after={"role": role})
    return secret


def offer_password(db: Connection, key: str, operator: Operator, admin: Operator, now: int) -> str:
    """Return the secret of a link by which an operator chooses another password; an earlier one ends."""
    whose = {"email": operator.email, "operator_id": operator.id, "sign_ins": operator.sign_ins}
    secret = _made(db, key, {"kind": PASSWORD, **whose}, admin, now)
    note(db, now, admin.email, "operator.password_link", operator.email)
    return secret


def ask_for_password(db: Connection, key: str, operator: Operator, now: int) -> str | None:
    """Return the secret of a link that whoever owns the operator's mailbox asked for; None where one is on its way."""
    live = listed(db, now)
    if any(link.operator_id == operator.id and link.created_at > now - APART for link in live):
        return None
    whose = {"email": operator.email, "operator_id": operator.id, "sign_ins": operator.sign_ins}
    secret = _made(db, key, {"kind": PASSWORD, **whose}, operator, now)
    note(db, now, operators.VISITOR, "operator.password_forgotten", operator.email)
    return secret


def _made(db: Connection, key: str, values: dict[str, object], admin: Operator, now: int) -> str:
    secret = new_secret()
    db.execute(_OTHERS, {"email": values["email"], "now": now})
    ends = {"created_at": now, "expires_at": now + LASTS[str(values["kind"])]}
    made = {"digest": keyed_digest(key, PURPOSE, secret), "key_id": key_id(key), "made_by_id": admin.id}
    db.execute(insert(OneTimeLink).values(values | made | ends))
    return secret


def find(db: Connection, keys: Sequence[str], secret: str, now: int) -> Link | None:
    """Return the link of this secret; None where it does not work (any more)."""
    values = {"digests": keyed_digests(keys, PURPOSE, secret[:LONGEST_SECRET]), "now": now}
    row = db.execute(_FIND, values).one_or_none()
    return None if row is None else Link(*row)


def listed(db: Connection, now: int) -> list[Link]:
    """Return the links that still work, the oldest first."""
    return [Link(*row) for row in db.execute(_LISTED, {"now": now})]


def revoke(db: Connection, link: Link, who: str, now: int) -> None:
    if db.execute(_TAKE, {"id": link.id}).rowcount:
        note(db, now, who, "operator.link_revoke", link.email, before={"kind": link.kind})


def use(db: Connection, link: Link, password_hash: str, now: int) -> Operator | None:
    """Use the link up: whoever it is for is an operator with this password. None where somebody was faster. Raises
    WrongOperator."""
    if db.execute(_TAKE, {"id": link.id}).rowcount == 0:
        return None
    if link.operator_id is None:
        return operators.add(db, link.email, password_hash, link.role or "", link.email, now)
    known = operators.by_id(db, link.operator_id)
    if known is not None:
        operators.set_password(db, known, password_hash, known.email, now)
    return operators.by_id(db, link.operator_id)
