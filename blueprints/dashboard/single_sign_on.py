"""Signing in by the company's provider, and out of it."""

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import provider, sign
from blueprints.dashboard.provider import Refused
from runtime import current_runtime
from security import provider_accounts, sign_in_guard
from security.operators import Operator, WrongOperator
from security.provider_accounts import BY_PROVIDER, NotLetIn, Person
from security.rate_limits import TooMany, count_provider_sign_in, in_words

THEN = "then"  # in the session: where the sign-in is to lead
BY_PASSWORD = {
    "sign.challenge_passkey_alone",
    "sign.sign_in_by_passkey",
    "sign.sign_in_try",
    "sign.second_step_form",
    "sign.second_step_try",
    "sign.sign_up_form",
    "sign.sign_up_try",
    "sign.join_form",
    "sign.join_try",
}
PAGE_STATUS = {"away": 502, "unreadable": 502, "issuer": 502, "too_often": 429}


@sign.before_request
def refuse_passwords() -> ResponseReturnValue | None:
    """Where OIDC_ONLY says so, no password, passkey, invitation or code lets anybody in."""
    if not current_runtime().settings.oidc_only or request.endpoint not in BY_PASSWORD:
        return None
    if request.method != "POST":
        return redirect(url_for("sign.sign_in_form"))
    sign_in_guard.not_let_in("refused")
    return _page("Passwords and passkeys are switched off here (OIDC_ONLY)."), 403


@sign.get("/sign-in/provider")
def leave_for_provider() -> ResponseReturnValue:
    settings = current_runtime().settings
    if not settings.oidc_issuer or request.method != "GET":
        return redirect(url_for("sign.sign_in_form"))
    try:
        count_provider_sign_in()
        answer = provider.redirect_to(_address("sign.arrive_from_provider"))
    except TooMany as error:
        return _refused(Refused("too_often", f"Too many tries. Try again in {in_words(error.retry_after)}."))
    except Refused as error:
        return _refused(error)
    session[THEN] = sign_in_guard.local_path(request.args.get("next", ""))
    return answer


@sign.get("/sign-in/provider/callback")
def arrive_from_provider() -> ResponseReturnValue:
    """The provider sends people here; whatever comes ends in a page."""
    runtime = current_runtime()
    if not runtime.settings.oidc_issuer or request.method != "GET" or not request.args:
        return redirect(url_for("sign.sign_in_form"))
    then = str(session.pop(THEN, ""))
    try:
        count_provider_sign_in()
        person = provider.arrived(runtime.settings)
        operator = runtime.database.write(lambda db: _let_in(db, person))
        if operator is None:
            raise Refused("no_group", _without_group())  # noqa: TRY301 - the same page
    except TooMany as error:
        return _refused(Refused("too_often", f"Too many tries. Try again in {in_words(error.retry_after)}."))
    except (NotLetIn, WrongOperator) as error:
        return _refused(Refused("not_let_in", str(error)))
    except Refused as error:
        return _refused(error)
    sign_in_guard.start(operator, BY_PROVIDER)
    return redirect(sign_in_guard.local_path(then), 303)


@sign.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    """After a sign-out here: the way out of the provider as well."""
    settings = current_runtime().settings
    there = provider.sign_out_address(settings, _address("sign.sign_in_form")) if settings.oidc_issuer else None
    return render_template("dashboard/signed_out.html", there=there, name=settings.oidc_name)


def _let_in(db: Connection, person: Person) -> Operator | None:
    runtime = current_runtime()
    return provider_accounts.let_in(db, person, runtime.settings.oidc_roles, runtime.clock())


def _without_group() -> str:
    settings = current_runtime().settings
    names = ", ".join(group for group in settings.oidc_roles if group != provider_accounts.EVERYBODY)
    return f"You are in none of the groups that may use this dashboard. Ask whoever runs them for one of: {names}."


def _refused(error: Refused) -> ResponseReturnValue:
    sign_in_guard.failed_by_provider(error.outcome)
    return _page(str(error)), PAGE_STATUS.get(error.outcome, 403)


def _page(why: str) -> str:
    return render_template("dashboard/not_signed_in.html", why=why, settings=current_runtime().settings)


def _address(endpoint: str) -> str:
    """Return one of our own addresses as the provider knows it."""
    return f"{current_runtime().settings.public_url.rstrip('/')}{url_for(endpoint)}"
