"""Operators, for a program: under the scope `manage` alone. What is done is in the audit trail as the token's."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response
from sqlalchemy import Connection

from blueprints.api import blueprint, bodies
from blueprints.api.managing_types import (
    OperatorChange,
    OperatorDraft,
    OperatorRemoved,
    OperatorShown,
    OperatorsShown,
)
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, once
from blueprints.json_types import moment
from config.clock import iso
from runtime import current_runtime
from security import operators, second_factor
from security.operators import Operator, WrongOperator
from security.tokens import token_name

T = TypeVar("T")

OPERATOR = "/operators/<int:operator_id>"


@operation(blueprint, "/operators", summary="Operators", answer=OperatorsShown, errors=(403,), scope="manage")
def list_operators(_query: NoQuery) -> OperatorsShown:
    """Everybody who may sign in at the dashboard, by e-mail."""
    found = current_runtime().database.read(operators.listed, one_statement=True)
    return OperatorsShown([_shown(one) for one in found])


@operation(
    blueprint,
    "/operators",
    summary="Add an operator",
    takes=OperatorDraft,
    answer=OperatorShown,
    errors=(403, 413),
    scope="manage",
)
def add_operator(_query: NoQuery) -> Response:
    """Let somebody sign in with this password; one that is easily guessed is refused."""
    given = bodies.read(OperatorDraft)
    email, password_hash = _right(lambda: operators.checked(given.email, given.password))
    now, who = current_runtime().clock(), f"token {token_name()}"
    return once(_written(lambda db: operators.add(db, email, password_hash, given.role, who, now)))


@operation(
    blueprint,
    OPERATOR,
    summary="Change an operator",
    takes=OperatorChange,
    answer=OperatorShown,
    errors=(403, 404, 413),
    scope="manage",
    method="PATCH",
)
def change_operator(_query: NoQuery, operator_id: int) -> Response:
    """Give them another role or password; every browser of theirs is signed out. The only admin stays one."""
    given = bodies.read(OperatorChange)
    known = current_runtime().database.read(lambda db: _found(db, operator_id))
    new = given.password
    password_hash = None if new is None else _right(lambda: operators.hashed(new, known.email))
    now, who = current_runtime().clock(), f"token {token_name()}"

    def work(db: Connection) -> Operator:
        if given.role is not None and given.role != _found(db, operator_id).role:
            operators.set_role(db, _found(db, operator_id), given.role, who, now)
        if password_hash is not None:
            operators.set_password(db, _found(db, operator_id), password_hash, who, now)
        return _found(db, operator_id)

    return once(_written(work))


@operation(
    blueprint,
    f"{OPERATOR}/reset-second-factor",
    summary="Reset a second factor",
    answer=OperatorShown,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def reset_second_factor(_query: NoQuery, operator_id: int) -> Response:
    """Remove the second factor and the recovery codes of somebody who has lost both. 400 where there is none."""
    now, who = current_runtime().clock(), f"token {token_name()}"

    def work(db: Connection) -> Operator:
        second_factor.remove(db, _found(db, operator_id), who, now)
        return _found(db, operator_id)

    return once(_written(work))


@operation(
    blueprint,
    f"{OPERATOR}/remove",
    summary="Remove an operator",
    answer=OperatorRemoved,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def remove_operator(_query: NoQuery, operator_id: int) -> Response:
    """Let somebody in no more; they are signed out at once. The only admin cannot be removed."""
    now, who = current_runtime().clock(), f"token {token_name()}"

    def work(db: Connection) -> Operator:
        known = _found(db, operator_id)
        operators.remove(db, known, who, now)
        return known

    return once(OperatorRemoved(_right(lambda: current_runtime().database.write(work)).email, removed=True))


def _written(work: Callable[[Connection], Operator]) -> OperatorShown:
    return _shown(_right(lambda: current_runtime().database.write(work)))


def _right(work: Callable[[], T]) -> T:
    """Raises Problem (400) where something cannot be taken."""
    try:
        return work()
    except WrongOperator as error:
        raise Problem(400, str(error)) from None


def _found(db: Connection, operator_id: int) -> Operator:
    """Raises Problem (404)."""
    known = operators.by_id(db, operator_id)
    if known is None:
        raise Problem(404, "There is no such operator.")
    return known


def _shown(known: Operator) -> OperatorShown:
    return OperatorShown(
        known.id,
        known.email,
        known.role,
        moment(known.created_at),
        iso(known.last_signed_in_at),
        iso(known.second_factor_at),
    )
