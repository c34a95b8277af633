"""Operators: who may sign in, and as what. Everybody sees them, admins change them."""

from collections.abc import Callable
from typing import TypeVar

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from alerts import account_mails
from blueprints.dashboard import blueprint
from runtime import current_runtime
from security import one_time_links, operators, second_factor, sign_in_guard
from security.one_time_links import Link
from security.operators import Operator, WrongOperator
from security.roles import MEANINGS, needs

T = TypeVar("T")


@blueprint.get("/settings/operators")
def list_operators() -> str:
    return operators_page({}, {})


@blueprint.post("/settings/operators")
@needs("admin")
def add_operator() -> ResponseReturnValue:
    typed = {field: request.form.get(field, "") for field in ("email", "role")}
    try:
        email, password_hash = operators.checked(typed["email"], request.form.get("password", ""))
        _write(lambda db, who, now: operators.add(db, email, password_hash, typed["role"], who, now))
    except WrongOperator as error:
        return operators_page(typed, {error.field: str(error)}), 422
    flash(f"{email} may sign in now. Tell them the password in person.")
    return _back()


@blueprint.get("/settings/operators/<int:operator_id>")
@needs("admin")
def edit_operator(operator_id: int) -> str:
    return _edit(find_operator(operator_id), {})


@blueprint.post("/settings/operators/<int:operator_id>/role")
@needs("admin")
def change_role(operator_id: int) -> ResponseReturnValue:
    role = request.form.get("role", "")
    return _try(
        operator_id,
        "role",
        f"has the role {role} now",
        lambda db, operator, who, now: operators.set_role(db, operator, role, who, now),
    )


@blueprint.post("/settings/operators/<int:operator_id>/password")
@needs("admin")
def reset_password(operator_id: int) -> ResponseReturnValue:
    """The operator's browsers are signed out."""
    operator = find_operator(operator_id)
    try:
        password_hash = operators.hashed(request.form.get("password", ""), operator.email)
    except WrongOperator as error:
        return _edit(operator, {"password": str(error)}), 422
    return _try(
        operator_id,
        "password",
        "has another password now",
        lambda db, operator, who, now: operators.set_password(db, operator, password_hash, who, now),
    )


@blueprint.get("/settings/operators/<int:operator_id>/remove")
@needs("admin")
def ask_remove_operator(operator_id: int) -> str:
    return render_template("dashboard/settings/remove_operator.html", account=find_operator(operator_id))


@blueprint.post("/settings/operators/<int:operator_id>/remove")
@needs("admin")
def remove_operator(operator_id: int) -> ResponseReturnValue:
    return _try(operator_id, "role", "is removed", operators.remove)


@blueprint.get("/settings/operators/<int:operator_id>/second-factor/reset")
@needs("admin")
def ask_reset_second_factor(operator_id: int) -> str:
    return render_template("dashboard/settings/reset_second_factor.html", account=find_operator(operator_id))


@blueprint.post("/settings/operators/<int:operator_id>/second-factor/reset")
@needs("admin")
def reset_second_factor(operator_id: int) -> ResponseReturnValue:
    if find_operator(operator_id).second_factor_at is None:
        flash("There is no second factor any more.")
        return redirect(url_for("dashboard.edit_operator", operator_id=operator_id), 303)
    return _try(operator_id, "second_factor", "signs in with the password alone now", second_factor.remove)


def _try(
    operator_id: int, field: str, done: str, work: Callable[[Connection, Operator, str, int], None]
) -> ResponseReturnValue:
    """Do it to another operator than oneself: an admin must not lock themselves out by a slip."""
    operator = find_operator(operator_id)
    if operator.id == sign_in_guard.operator().id:
        return _edit(
            operator, {field: "This is you. Change your password under Account; the rest takes another admin."}
        ), 422
    try:
        _write(lambda db, who, now: work(db, operator, who, now))
    except WrongOperator as error:
        return _edit(operator, {error.field: str(error)}), 422
    flash(f"{operator.email} {done}.")
    return _back()


def _write(work: Callable[[Connection, str, int], T]) -> T:
    runtime, who = current_runtime(), sign_in_guard.operator().email
    return runtime.database.write(lambda db: work(db, who, runtime.clock()))


def find_operator(operator_id: int) -> Operator:
    """The operator of a page. Answers 404 where there is none."""
    found = current_runtime().database.read(lambda db: operators.by_id(db, operator_id), one_statement=True)
    return found or abort(404)


def operators_page(typed: dict[str, str], wrong: dict[str, str]) -> str:
    """Return the page with what was typed and what is wrong."""
    runtime = current_runtime()

    def read(db: Connection) -> tuple[list[Operator], list[Link]]:
        return operators.listed(db), one_time_links.listed(db, runtime.clock())

    found, links = runtime.database.read(read)
    context = {"found": found, "links": links, "mails": account_mails.can_be_sent(runtime.settings)}
    return render_template("dashboard/settings/operators.html", typed=typed, wrong=wrong, meanings=MEANINGS, **context)


def _edit(operator: Operator, wrong: dict[str, str]) -> str:
    context = {"account": operator, "mails": account_mails.can_be_sent(current_runtime().settings)}
    return render_template("dashboard/settings/operator.html", wrong=wrong, meanings=MEANINGS, **context)


def _back() -> ResponseReturnValue:
    return redirect(url_for("dashboard.list_operators"))
