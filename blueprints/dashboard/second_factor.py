"""One's own second factor: an authenticator app is set up, recovery codes are made anew, and it is removed."""

from typing import Any

import segno
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.passwords import expect_password
from models.encryption import DecryptionError
from runtime import current_runtime
from security import handover, operators, passkeys, second_factor, sign_in_guard
from security.operators import WrongOperator
from security.rate_limits import count_second_factor
from security.roles import needs


@blueprint.get("/account/second-factor")
@second_factor.before_set_up
def show_second_factor() -> str:
    return _page({})


@blueprint.post("/account/second-factor/begin")
@needs("viewer")
@second_factor.before_set_up
def begin_second_factor() -> ResponseReturnValue:
    """Make the secret that the page shows until a code of it has come."""
    runtime, who = current_runtime(), sign_in_guard.operator()
    try:
        expect_password(request.form.get("password", ""))
        runtime.database.write(lambda db: second_factor.prepare(db, runtime.cipher, who, runtime.clock()))
    except WrongOperator as error:
        return _page({error.field: str(error)}), 422
    return redirect(url_for("dashboard.show_second_factor"), 303)


@blueprint.post("/account/second-factor/confirm")
@needs("viewer")
@second_factor.before_set_up
def confirm_second_factor() -> ResponseReturnValue:
    """Recovery codes, where there are none, are shown once."""
    runtime, who, code = current_runtime(), sign_in_guard.operator(), request.form.get("code", "")
    count_second_factor(who.email, sign_in_guard.known_device(who.email))
    try:
        runtime.database.write(lambda db: second_factor.confirm(db, runtime.cipher, who, code, runtime.clock()))
    except WrongOperator as error:
        return _page({error.field: str(error)}), 422
    return begun(second_factor.BY_CODE, "Sign-ins take a code of your app from now on.")


def begun(way: str, told: str) -> ResponseReturnValue:
    """Go on after a second factor was set up: to the recovery codes that come with the first one, shown once. That one
    has signed every browser out, and this one comes in anew by the `way` that was just shown."""
    runtime, who = current_runtime(), sign_in_guard.operator()
    key = runtime.settings.secret_key
    codes = runtime.database.write(lambda db: second_factor.first_codes(db, key, who))
    if who.second_factor_at is not None:
        flash(told)
        return redirect(url_for("dashboard.show_second_factor"), 303)
    stay_signed_in(way)
    flash(f"{told} Every other browser is signed out.")
    return _show_once(codes)


@blueprint.post("/account/second-factor/codes")
@needs("viewer")
def make_recovery_codes() -> ResponseReturnValue:
    runtime, who = current_runtime(), sign_in_guard.operator()
    key = runtime.settings.secret_key
    if who.second_factor_at is None:
        return redirect(url_for("dashboard.show_second_factor"), 303)
    try:
        expect_password(request.form.get("password", ""), "codes")
    except WrongOperator as error:
        return _page({error.field: str(error)}), 422
    return _show_once(runtime.database.write(lambda db: second_factor.make_codes(db, key, who, runtime.clock())))


@blueprint.get("/account/second-factor/codes")
@second_factor.before_set_up
def show_recovery_codes() -> ResponseReturnValue:
    """The new codes, this once."""
    codes = handover.take("secret", request.args.get("once", "")) if request.method == "GET" else None
    if not isinstance(codes, list):
        return redirect(url_for("dashboard.show_second_factor"))
    return render_template("dashboard/recovery_codes.html", codes=codes)


@blueprint.get("/account/second-factor/remove")
def ask_remove_second_factor() -> ResponseReturnValue:
    if sign_in_guard.operator().second_factor_at is None:
        return redirect(url_for("dashboard.show_second_factor"))
    return render_template("dashboard/remove_second_factor.html", wrong={})


@blueprint.post("/account/second-factor/remove")
@needs("viewer")
def remove_second_factor() -> ResponseReturnValue:
    runtime, who = current_runtime(), sign_in_guard.operator()
    if who.second_factor_at is None:  # removed in another tab
        return redirect(url_for("dashboard.show_second_factor"), 303)
    try:
        expect_password(request.form.get("password", ""))
        runtime.database.write(lambda db: second_factor.remove(db, who, who.email, runtime.clock()))
    except WrongOperator as error:
        return render_template("dashboard/remove_second_factor.html", wrong={error.field: str(error)}), 422
    stay_signed_in(None)
    flash("The second factor is removed. Every other browser is signed out.")
    return redirect(url_for("dashboard.show_second_factor"), 303)


def stay_signed_in(way: str | None) -> None:
    """Sign this browser in anew, where a change of the second factor has signed all of them out."""
    runtime, who = current_runtime(), sign_in_guard.operator()
    fresh = runtime.database.read(lambda db: operators.by_id(db, who.id), one_statement=True)
    if fresh is not None and fresh.sign_ins != who.sign_ins:
        sign_in_guard.start(fresh, way)


def _show_once(codes: list[str]) -> ResponseReturnValue:
    return redirect(url_for("dashboard.show_recovery_codes", once=handover.leave("secret", codes)), 303)


def _page(wrong: dict[str, str]) -> str:
    runtime, who = current_runtime(), sign_in_guard.operator()

    def read(db: Connection) -> tuple[str | None, dict[str, Any]]:
        return second_factor.prepared(db, who), {
            "left": second_factor.codes_left(db, who),
            "has_app": second_factor.has_app(db, who),
            "passkeys": passkeys.of_operator(db, who.id),
        }

    sealed, there = runtime.database.read(read)
    try:
        secret = runtime.cipher.decrypt(sealed) if sealed is not None else None
    except DecryptionError:
        secret = None
    context = {"secret": secret, "picture": _picture(secret), "is_demanded": sign_in_guard.lacks_second_factor()}
    site = passkeys.site(runtime.settings.public_url)
    context |= there | {"settings": runtime.settings, "wrong": wrong, "site": site}
    return render_template("dashboard/second_factor.html", **context)


def _picture(secret: str | None) -> Markup | None:
    """The QR code, as an image in the page itself: no other address has the secret, and no style is needed."""
    if secret is None:
        return None
    code = segno.make(second_factor.address(secret, sign_in_guard.operator()), error="m", micro=False)
    words = "QR code of the secret, which stands beside it as text"
    return Markup(code.svg_inline(scale=5, light="#fff", title=words))  # noqa: S704 - drawn by the library
