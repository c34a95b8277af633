"""Operators who sign in by the company's OpenID provider: who they are here, and as what.

An account is found by the provider's own id of the person, never again by the e-mail once it is known. The provider's
groups say the role, at each sign-in anew. Every function runs inside a transaction of the caller's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

import models
from security import operators
from security.audit import note
from security.operators import Operator
from security.roles import ROLES

BY_PROVIDER = "single sign-on"
NO_PASSWORD = "!"  # noqa: S105 - a hash that no password has
EVERYBODY = "*"  # stands for any group, also for none
MOST_GROUPS, LONGEST_SUBJECT = 2000, 255


class NotLetIn(Exception):
    """Whoever the provider knows gets no account here; the message says what to ask for."""


@dataclass(frozen=True)
class Person:
    """Whom the provider says has signed in: the issuer with its id of them, their e-mail if it is verified, groups."""

    subject: str
    email: str | None
    groups: tuple[str, ...]


def role_for(groups: Iterable[str], roles: Mapping[str, str]) -> str | None:
    """Return the highest role of these groups; None where none of them gives any."""
    given = {roles[group] for group in (*groups, EVERYBODY) if group in roles}
    return max(given, key=ROLES.index, default=None)


def let_in(db: Connection, person: Person, roles: Mapping[str, str], now: int) -> Operator | None:
    """Return the operator that this person is, made or changed as the provider says; None where no group of theirs
    gives a role, which ends their sign-ins too. Raises NotLetIn."""
    known, role = by_subject(db, person.subject), role_for(person.groups, roles)
    if role is None:
        if known is not None:
            operators.sign_out_everywhere(db, known)
        return None
    if known is None:
        known = _linked(db, person, now) or _made(db, person, role, now)
    if known.role != role:
        operators.follow_role(db, known, role, BY_PROVIDER, now)
    return operators.by_id(db, known.id)


def by_subject(db: Connection, subject: str) -> Operator | None:
    found = db.execute(select(*operators.COLUMNS).where(models.Operator.provider_subject == subject)).one_or_none()
    return None if found is None else Operator(*found)


def _linked(db: Connection, person: Person, now: int) -> Operator | None:
    """Return the operator of this e-mail, who signs in by the provider from now on."""
    known = operators.by_email(db, _email(person))
    if known is None:
        return None
    if known.provider_subject is not None:
        raise NotLetIn(
            f"{known.email} belongs to another account of the provider. If that one is gone, an admin removes the"
            " operator, and you sign in again."
        )
    link = update(models.Operator).where(models.Operator.id == known.id, models.Operator.provider_subject.is_(None))
    db.execute(link.values(provider_subject=person.subject, sign_ins=models.Operator.sign_ins + 1))
    operators.sign_out_everywhere(db, known)
    note(db, now, known.email, "operator.single_sign_on", known.email)
    return operators.by_id(db, known.id)


def _made(db: Connection, person: Person, role: str, now: int) -> Operator:
    made = operators.add(db, _email(person), NO_PASSWORD, role, BY_PROVIDER, now)
    db.execute(update(models.Operator).where(models.Operator.id == made.id).values(provider_subject=person.subject))
    return made


def _email(person: Person) -> str:
    """Raises NotLetIn where there is none that the provider has verified."""
    if person.email is None:
        raise NotLetIn(
            "The provider gives no verified e-mail address for you. Ask whoever runs it to verify it, and to send the"
            " claims email and email_verified."
        )
    return operators.address(person.email)
