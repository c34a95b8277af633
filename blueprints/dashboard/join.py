"""The page that a one-time link leads to: whoever has it chooses a password, and is signed in, by a code
as well where they have a second factor."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from blueprints.dashboard import sign
from blueprints.dashboard.sign_in import enter
from runtime import current_runtime
from security import one_time_links, operators, sign_in_guard
from security.one_time_links import Link
from security.operators import WrongOperator


@sign.get("/join")
def join_form() -> ResponseReturnValue:
    link = _link()
    status = 404 if link is None and "key" in request.args else 200
    return render_template("dashboard/join.html", link=link, wrong={}), status


@sign.post("/join")
def join_try() -> ResponseReturnValue:
    """A password is hashed for those alone who have a link that works."""
    link, runtime = _link(), current_runtime()
    if link is None:
        sign_in_guard.not_let_in("refused")
        return render_template("dashboard/join.html", link=None, wrong={}), 404
    try:
        password_hash = _hashed(link)
        operator = runtime.database.write(lambda db: one_time_links.use(db, link, password_hash, runtime.clock()))
    except WrongOperator as error:
        return render_template("dashboard/join.html", link=link, wrong={error.field: str(error)}), 422
    if operator is None:
        return render_template("dashboard/join.html", link=None, wrong={}), 404
    return enter(operator, 303)


def _hashed(link: Link) -> str:
    """Raises WrongOperator."""
    if request.form.get("password", "") != request.form.get("again", ""):
        raise WrongOperator("again", "The two passwords differ.")
    return operators.hashed(request.form.get("password", ""), link.email)


def _link() -> Link | None:
    runtime = current_runtime()
    keys, secret = runtime.settings.secret_keys, request.args.get("key", "")
    return runtime.database.read(lambda db: one_time_links.find(db, keys, secret, runtime.clock()), one_statement=True)
