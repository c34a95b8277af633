"""The account of whoever is signed in: their role, and a change of password."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.dashboard import blueprint
from security import operators, sign_in
from security.house import house
from security.limits import count_operator_sign_in
from security.operators import Wrong
from security.roles import MEANINGS, needs


@blueprint.get("/account")
def show_account() -> str:
    return _page({})


@blueprint.post("/account/password")
@needs("viewer")
def change_password() -> ResponseReturnValue:
    """Asks for the old password, signs out every other browser, and keeps this one."""
    try:
        _change(request.form.get("old", ""), request.form.get("password", ""), request.form.get("again", ""))
    except Wrong as error:
        return _page({error.field: str(error)}), 422
    flash("Your password is changed. Every other browser is signed out.")
    return redirect(url_for("dashboard.show_account"))


def _change(old: str, new: str, again: str) -> None:
    here, operator = house(), sign_in.operator()
    count_operator_sign_in(operator.email)
    if operators.signing_in(here.database, operator.email, old) is None:
        raise Wrong("old", "This is not your present password.")
    if new != again:
        raise Wrong("again", "The two new passwords differ.")
    password_hash = operators.hashed(new)
    here.database.write(lambda db: operators.set_password(db, operator, password_hash, operator.email, here.clock()))
    fresh = here.database.read(lambda db: operators.by_id(db, operator.id), one_statement=True)
    if fresh is not None:
        sign_in.start(fresh)


def _page(wrong: dict[str, str]) -> str:
    return render_template("dashboard/account.html", wrong=wrong, meanings=MEANINGS)
