"""The way in and out: the first operator, signing in, signing out."""

from collections.abc import Callable

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.dashboard import blueprint, sign
from runtime import current_runtime
from security import first_step, operators, passkeys, second_factor, sign_in_guard
from security.audit import note
from security.operators import Operator, WrongOperator
from security.passkeys import Passkey
from security.provider_accounts import BY_PROVIDER
from security.rate_limits import TooMany, count_operator_sign_in, count_second_factor, in_words
from security.roles import needs


@sign.get("/sign-in")
def sign_in_form() -> ResponseReturnValue:
    runtime = current_runtime()
    if not runtime.settings.oidc_only and not runtime.database.read(operators.there_are_any, one_statement=True):
        return redirect(url_for("sign.sign_up_form"))
    return form_page("", None)


@sign.post("/sign-in")
def sign_in_try() -> ResponseReturnValue:
    """One message for a wrong e-mail and a wrong password: it tells nobody who has an account."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        count_operator_sign_in(operators.as_kept(email), sign_in_guard.known_device(email))
    except TooMany as error:
        sign_in_guard.not_let_in("too_often")
        wrong = f"Too many tries. Try again in {in_words(error.retry_after)}."
        return form_page(email, wrong), 429
    found = operators.signing_in(current_runtime().database, email, password)
    if found is None:
        sign_in_guard.failed(email)
        wrong = "This e-mail and password do not belong together."
        return form_page(email, wrong), 422
    by_provider = sent_to_provider(found)
    if by_provider:
        sign_in_guard.failed(email, "single sign-on")
        return form_page(email, by_provider), 422
    return enter(found)


def sent_to_provider(operator: Operator) -> str | None:
    """Return in words that this operator comes in by the company's provider alone; None where that is not so."""
    settings = current_runtime().settings
    if operator.provider_subject is None or not settings.oidc_issuer:
        return None
    return f"You sign in by {settings.oidc_name} now, not by a password or a passkey."


def form_page(email: str, wrong: str | None) -> str:
    settings = current_runtime().settings
    takes_passkeys = passkeys.site(settings.public_url) is not None and not settings.oidc_only
    context = {"settings": settings, "takes_passkeys": takes_passkeys}
    return render_template("dashboard/sign_in.html", email=email, wrong=wrong, **context)


@sign.get("/sign-in/code")
def second_step_form() -> ResponseReturnValue:
    """The second step, for a browser that has given the right password."""
    return second_step({}) if first_step.who() is not None else from_the_beginning()


@sign.post("/sign-in/code")
def second_step_try() -> ResponseReturnValue:
    def passed(operator: Operator) -> str:
        runtime, given = current_runtime(), request.form.get("code", "")
        way = runtime.database.write(
            lambda db: second_factor.passed_by(db, runtime.cipher, operator, given, runtime.clock())
        )
        if way is None:
            raise WrongOperator("code", second_factor.WRONG)
        return way

    return take_second_step("code", passed)


def take_second_step(step: str, passed: Callable[[Operator], str]) -> ResponseReturnValue:
    """Let whoever has given the right password in by the second step, `code` or `passkey`. `passed` returns in words by
    what they sign in, and raises WrongOperator where it is nothing of theirs."""
    operator = first_step.who()
    if operator is None:
        return from_the_beginning()
    try:
        count_second_factor(operator.email, sign_in_guard.known_device(operator.email))
        way = passed(operator)
    except TooMany as error:
        sign_in_guard.not_let_in("too_often")
        return second_step({step: f"Too many tries. Try again in {in_words(error.retry_after)}."}), 429
    except WrongOperator as error:
        sign_in_guard.failed(operator.email, step)
        return second_step({step: str(error)}), 422
    sign_in_guard.start(operator, way)
    return redirect(sign_in_guard.local_path(request.args.get("next", "")), 303)


def second_step(wrong: dict[str, str]) -> str:
    """The page of the second step: a passkey where there is one, and a code."""
    runtime, operator = current_runtime(), first_step.who()
    site = passkeys.site(runtime.settings.public_url)
    known: list[Passkey] = []
    if site and operator:
        known = runtime.database.read(lambda db: passkeys.of_operator(db, operator.id), one_statement=True)
    return render_template("dashboard/second_step.html", wrong=wrong, passkeys=known)


def from_the_beginning() -> ResponseReturnValue:
    return redirect(url_for("sign.sign_in_form", next=request.args.get("next")), 303)


@sign.get("/sign-up")
def sign_up_form() -> ResponseReturnValue:
    """Only while there is no operator at all."""
    if current_runtime().database.read(operators.there_are_any, one_statement=True):
        return redirect(url_for("sign.sign_in_form"))
    return render_template("dashboard/sign_up.html", email="", code="", wrong={})


@sign.post("/sign-up")
def sign_up_try() -> ResponseReturnValue:
    email, code = request.form.get("email", ""), request.form.get("code", "")
    try:
        count_operator_sign_in(operators.as_kept(email))
        operator = _first_operator(email, request.form.get("password", ""), code)
    except TooMany as error:
        sign_in_guard.not_let_in("too_often")
        wrong = {"code": f"Too many tries. Try again in {in_words(error.retry_after)}."}
        return render_template("dashboard/sign_up.html", email=email, code=code, wrong=wrong), 429
    except WrongOperator as error:
        sign_in_guard.not_let_in("refused")
        wrong = {error.field: str(error)}
        return render_template("dashboard/sign_up.html", email=email, code=code, wrong=wrong), 422
    return enter(operator)


def _first_operator(email: str, password: str, code: str) -> Operator:
    """The first operator, an admin. Raises WrongOperator."""
    runtime = current_runtime()
    if not operators.is_first_code(runtime.settings.secret_key, code):
        raise WrongOperator("code", "This is not the code that the server printed when it started.")
    email, password_hash = operators.checked(email, password)
    return runtime.database.write(lambda db: operators.add_first(db, email, password_hash, runtime.clock()))


def enter(operator: Operator, status: int = 302) -> ResponseReturnValue:
    """Let an operator in who has given the right password, or ask for the second factor first."""
    if second_factor.is_asked(current_runtime().settings.second_factor, operator):
        first_step.remember(operator)
        return redirect(url_for("sign.second_step_form", next=request.args.get("next")), 303)
    sign_in_guard.start(operator)
    return redirect(sign_in_guard.local_path(request.args.get("next", "")), status)


@blueprint.post("/sign-out")
@needs("viewer")
@second_factor.before_set_up
def sign_out() -> ResponseReturnValue:
    runtime = current_runtime()
    who = g.operator.email
    runtime.database.write(lambda db: note(db, runtime.clock(), who, "operator.sign_out", who))
    by_provider = sign_in_guard.this_browser().way == BY_PROVIDER
    sign_in_guard.end()
    return redirect(url_for("sign.signed_out" if by_provider else "sign.sign_in_form"))
