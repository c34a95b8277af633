"""Passkeys: added and removed under one's account, and asked for as the second step of a sign-in.

The browser's part is static/passkeys.js. A challenge waits in the database and is taken by the first answer to it.
"""

import json
import secrets
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from blueprints.dashboard import blueprint, sign
from blueprints.dashboard.passwords import expect_password
from blueprints.dashboard.second_factor import begun, stay_signed_in
from blueprints.dashboard.sign_in import take_second_step
from runtime import current_runtime
from security import first_step, handover, passkeys, second_factor, sign_in_guard
from security.operators import Operator, WrongOperator
from security.passkeys import Passkey, Site
from security.roles import needs

CHALLENGE = 32  # bytes
TOO_LATE = "That took too long, or was used before. Try again."


@blueprint.get("/account/second-factor/passkeys/new")
@second_factor.before_set_up
def show_new_passkey() -> ResponseReturnValue:
    return _new({}) if _there_are_any() else _say_why_not(302)


@blueprint.post("/account/second-factor/passkeys/begin")
@needs("viewer")
@second_factor.before_set_up
def begin_passkey() -> ResponseReturnValue:
    """Ask for the password; then the browser asks the device."""
    if not _there_are_any():
        return _say_why_not()
    try:
        expect_password(request.form.get("password", ""))
    except WrongOperator as error:
        return _new({error.field: str(error)}), 422
    return redirect(url_for("dashboard.show_begun_passkey", begun=_leave(_challenge())), 303)


@blueprint.get("/account/second-factor/passkeys/begun")
@second_factor.before_set_up
def show_begun_passkey() -> ResponseReturnValue:
    """What the browser needs to make a passkey."""
    challenge = handover.find("challenge", request.args.get("begun", ""))
    if challenge is None:
        return redirect(url_for("dashboard.show_new_passkey"))
    return _begun(request.args["begun"], challenge, {})


@blueprint.post("/account/second-factor/passkeys")
@needs("viewer")
@second_factor.before_set_up
def add_passkey() -> ResponseReturnValue:
    runtime, who, name = current_runtime(), sign_in_guard.operator(), request.form.get("name", "")
    if not _there_are_any():
        return _say_why_not()
    challenge = handover.take("challenge", request.form.get("begun", ""))
    if challenge is None:
        return _once_more({"passkey": TOO_LATE})
    made = (site(), bytes.fromhex(challenge), request.form.get("credential", ""))
    try:
        runtime.database.write(lambda db: passkeys.add(db, who, name, made, runtime.clock()))
    except WrongOperator as error:
        return _once_more({error.field: str(error)})
    return begun(passkeys.BY_PASSKEY, "Sign-ins take your passkey from now on.")


@blueprint.get("/account/second-factor/passkeys/<int:passkey_id>/remove")
def ask_remove_passkey(passkey_id: int) -> ResponseReturnValue:
    if not any(one.id == passkey_id for one in _mine()):  # removed in another tab
        flash("This passkey is not there any more.")
        return redirect(url_for("dashboard.show_second_factor"))
    return _ask(passkey_id, {})


@blueprint.post("/account/second-factor/passkeys/<int:passkey_id>/remove")
@needs("viewer")
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    runtime, who = current_runtime(), sign_in_guard.operator()
    try:
        expect_password(request.form.get("password", ""))
        runtime.database.write(lambda db: passkeys.remove(db, who, passkey_id, runtime.clock()))
    except WrongOperator as error:
        if error.field == "passkey":  # removed in another tab
            flash(str(error))
            return redirect(url_for("dashboard.show_second_factor"), 303)
        return _ask(passkey_id, {error.field: str(error)}), 422
    stay_signed_in(sign_in_guard.this_browser().way)
    flash("The passkey is removed.")
    return redirect(url_for("dashboard.show_second_factor"), 303)


@sign.post("/sign-in/passkey/challenge")
def challenge_passkey() -> ResponseReturnValue:
    """What the browser needs to ask the device, for whoever has given the right password; JSON for a script of ours."""
    operator = first_step.who()
    if operator is None:
        return {"error": "Begin again: that was too long ago."}, 403
    known = current_runtime().database.read(lambda db: passkeys.of_operator(db, operator.id), one_statement=True)
    challenge = _challenge()
    options = json.loads(passkeys.to_answer(site(), known, bytes.fromhex(challenge)))
    return {"begun": _leave(challenge, operator.id), "options": options}


@sign.post("/sign-in/passkey")
def second_step_by_passkey() -> ResponseReturnValue:
    def passed(operator: Operator) -> str:
        runtime = current_runtime()
        challenge = handover.take("challenge", request.form.get("begun", ""), operator.id)
        if challenge is None:
            raise WrongOperator("passkey", TOO_LATE)
        answered = (site(), bytes.fromhex(challenge), request.form.get("credential", ""))
        way = runtime.database.write(lambda db: passkeys.passed_by(db, operator, answered, runtime.clock()))
        if way is None:
            raise WrongOperator("passkey", passkeys.REFUSED)
        return way

    return take_second_step("passkey", passed)


def _there_are_any() -> bool:
    return passkeys.site(current_runtime().settings.public_url) is not None


def _say_why_not(status: int = 303) -> ResponseReturnValue:
    return redirect(url_for("dashboard.show_second_factor"), status)


def site() -> Site:
    """Return what passkeys are kept for; where browsers keep none, nobody can be asked for one."""
    found = passkeys.site(current_runtime().settings.public_url)
    if found is None:
        raise NotFound
    return found


def _new(wrong: dict[str, str]) -> str:
    return render_template("dashboard/new_passkey.html", wrong=wrong, is_demanded=sign_in_guard.lacks_second_factor())


def _challenge() -> str:
    return secrets.token_bytes(CHALLENGE).hex()


def _leave(challenge: str, operator_id: int | None = None) -> str:
    """Leave it for the answer; returns the key that the form has."""
    return handover.leave("challenge", challenge, operator_id)


def _once_more(wrong: dict[str, str]) -> ResponseReturnValue:
    """The page with what was wrong, and another challenge: the one before is used up."""
    challenge = _challenge()
    return _begun(_leave(challenge), challenge, wrong), 422


def _begun(key: str, challenge: str, wrong: dict[str, str]) -> str:
    who = sign_in_guard.operator()
    known = _mine()
    options = passkeys.to_create(site(), who, known, bytes.fromhex(challenge))
    context: dict[str, Any] = {"begun": key, "options": options, "name": request.form.get("name", "")}
    is_demanded = sign_in_guard.lacks_second_factor()
    return render_template("dashboard/begun_passkey.html", wrong=wrong, is_demanded=is_demanded, **context)


def _ask(passkey_id: int, wrong: dict[str, str]) -> str:
    found = next((one for one in _mine() if one.id == passkey_id), None)
    if found is None:
        raise NotFound
    return render_template("dashboard/remove_passkey.html", passkey=found, wrong=wrong)


def _mine() -> list[Passkey]:
    who = sign_in_guard.operator().id
    return current_runtime().database.read(lambda db: passkeys.of_operator(db, who), one_statement=True)
