"""One's own second factor: an authenticator app is set up, recovery codes are made anew, and it is removed."""

import segno
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.passwords import expect_password
from models.encryption import DecryptionError
from runtime import current_runtime
from security import handover, operators, second_factor, sign_in_guard
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
    """Every other browser is signed out, and the recovery codes are shown once."""
    runtime, who, code = current_runtime(), sign_in_guard.operator(), request.form.get("code", "")
    key, cipher = runtime.settings.secret_key, runtime.cipher
    count_second_factor(who.email, sign_in_guard.known_device(who.email))
    try:
        codes = runtime.database.write(lambda db: second_factor.confirm(db, cipher, key, who, code, runtime.clock()))
    except WrongOperator as error:
        return _page({error.field: str(error)}), 422
    _stay_signed_in(second_factor.BY_CODE)
    flash("Sign-ins take a code of your app from now on. Every other browser is signed out.")
    return _show_once(codes)


@blueprint.post("/account/second-factor/codes")
@needs("viewer")
def make_recovery_codes() -> ResponseReturnValue:
    runtime, who = current_runtime(), sign_in_guard.operator()
    key = runtime.settings.secret_key
    if who.second_factor_at is None:
        return redirect(url_for("dashboard.show_second_factor"), 303)
    try:
        expect_password(request.form.get("password", ""))
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
    _stay_signed_in(None)
    flash("The second factor is removed. Every other browser is signed out.")
    return redirect(url_for("dashboard.show_second_factor"), 303)


def _stay_signed_in(way: str | None) -> None:
    """Sign this browser in anew: a change of the second factor has signed all of them out."""
    runtime, who = current_runtime(), sign_in_guard.operator()
    fresh = runtime.database.read(lambda db: operators.by_id(db, who.id), one_statement=True)
    if fresh is not None:
        sign_in_guard.start(fresh, way)


def _show_once(codes: list[str]) -> ResponseReturnValue:
    return redirect(url_for("dashboard.show_recovery_codes", once=handover.leave("secret", codes)), 303)


def _page(wrong: dict[str, str]) -> str:
    runtime, who = current_runtime(), sign_in_guard.operator()

    def read(db: Connection) -> tuple[str | None, int]:
        return second_factor.prepared(db, who), second_factor.codes_left(db, who)

    sealed, left = runtime.database.read(read)
    try:
        secret = runtime.cipher.decrypt(sealed) if sealed is not None else None
    except DecryptionError:
        secret = None
    context = {"secret": secret, "left": left, "is_demanded": sign_in_guard.lacks_second_factor()}
    settings, picture = runtime.settings, _picture(secret)
    return render_template("dashboard/second_factor.html", wrong=wrong, picture=picture, settings=settings, **context)


def _picture(secret: str | None) -> Markup | None:
    """The QR code, as an image in the page itself: no other address has the secret, and no style is needed."""
    if secret is None:
        return None
    code = segno.make(second_factor.address(secret, sign_in_guard.operator()), error="m", micro=False)
    words = "QR code of the secret, which stands beside it as text"
    return Markup(code.svg_inline(scale=5, light="#fff", title=words))  # noqa: S704 - drawn by the library
