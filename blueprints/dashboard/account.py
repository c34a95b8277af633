"""The account of whoever is signed in: their role, a change of password, and the browsers that are signed in."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import time_zone
from blueprints.dashboard import blueprint
from blueprints.dashboard.passwords import expect_password
from runtime import current_runtime
from security import operators, sign_in_guard, signed_in_browsers
from security.audit import note
from security.operators import Operator, WrongOperator
from security.roles import MEANINGS, needs
from security.signed_in_browsers import Ends


@blueprint.get("/account")
def show_account() -> str:
    return _page({})


@blueprint.post("/account/password")
@needs("viewer")
def change_password() -> ResponseReturnValue:
    """Asks for the old password, signs out every other browser, and keeps this one."""
    try:
        _change(request.form.get("old", ""), request.form.get("password", ""), request.form.get("again", ""))
    except WrongOperator as error:
        return _page({error.field: str(error)}), 422
    flash("Your password is changed. Every other browser is signed out.")
    return redirect(url_for("dashboard.show_account"))


@blueprint.post("/account/time-zone")
@needs("viewer")
def change_time_zone() -> ResponseReturnValue:
    runtime, who, zone = current_runtime(), sign_in_guard.operator(), request.form.get("time_zone", "")
    if zone not in {"UTC", time_zone.BROWSER, *time_zone.names()}:
        return _page({"time_zone": "Choose a zone of the list."}), 422
    kept = None if zone == "UTC" else zone
    runtime.database.write(lambda db: operators.set_time_zone(db, who, kept, runtime.clock()))
    flash(f"Times are written in {'the zone of your browser' if zone == time_zone.BROWSER else zone} from now on.")
    return redirect(url_for("dashboard.show_account"))


@blueprint.post("/account/sign-ins/<int:sign_in_id>/end")
@needs("viewer")
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """Sign one of one's own browsers out."""
    runtime, who = current_runtime(), sign_in_guard.operator()
    ended = runtime.database.write(lambda db: _end(db, who, sign_in_id, runtime.clock()))
    flash("That browser is signed out." if ended else "That browser was signed out already.")
    return redirect(url_for("dashboard.show_account"))


@blueprint.post("/account/sign-ins/end")
@needs("viewer")
def end_all_sign_ins() -> ResponseReturnValue:
    """Sign all of one's own browsers out, this one too."""
    runtime, who = current_runtime(), sign_in_guard.operator()

    def end(db: Connection) -> None:
        note(db, runtime.clock(), who.email, "operator.sign_out", who.email, after={"browser": "every browser"})
        operators.sign_out_everywhere(db, who)

    runtime.database.write(end)
    return redirect(url_for("sign.sign_in_form"))


def _end(db: Connection, who: Operator, sign_in_id: int, now: int) -> bool:
    found = next(
        (browser for browser in signed_in_browsers.listed(db, who.id, _ends(), now) if browser.id == sign_in_id), None
    )
    if found is None:
        return False
    where = {"address": found.address, "browser": found.browser}
    note(db, now, who.email, "operator.sign_out", who.email, after=where)
    return signed_in_browsers.end(db, who.id, sign_in_id)


def _ends() -> Ends:
    return Ends.of(current_runtime().settings)


def _change(old: str, new: str, again: str) -> None:
    runtime, operator = current_runtime(), sign_in_guard.operator()
    expect_password(old, "old")
    if new != again:
        raise WrongOperator("again", "The two new passwords differ.")
    password_hash = operators.hashed(new, operator.email)
    runtime.database.write(
        lambda db: operators.set_password(db, operator, password_hash, operator.email, runtime.clock())
    )
    fresh = runtime.database.read(lambda db: operators.by_id(db, operator.id), one_statement=True)
    if fresh is not None:
        sign_in_guard.start(fresh, sign_in_guard.this_browser().way)


def _page(wrong: dict[str, str]) -> str:
    runtime, who = current_runtime(), sign_in_guard.operator()
    found = runtime.database.read(
        lambda db: signed_in_browsers.listed(db, who.id, _ends(), runtime.clock()), one_statement=True
    )
    context = {
        "meanings": MEANINGS,
        "sign_ins": found,
        "this": sign_in_guard.this_browser(),
        "settings": runtime.settings,
        "zones": time_zone.names(),
    }
    return render_template("dashboard/account.html", wrong=wrong, **context)
