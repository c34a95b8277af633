"""Whoever has forgotten a password: a link to their own e-mail, where there is a mail server."""

from concurrent.futures import ThreadPoolExecutor

import structlog
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from alerts import account_mails
from alerts.calls import NotDelivered
from blueprints.dashboard import sign
from blueprints.dashboard.one_time_addresses import address_of
from models.database import DatabaseUnavailable
from runtime import Runtime, current_runtime
from security import one_time_links, operators, sign_in_guard
from security.operators import Operator
from security.rate_limits import TooMany, count_forgotten_password, in_words

# Looking up and mailing happen apart, so that the time of an answer tells nobody who has an account.
_apart = ThreadPoolExecutor(max_workers=2, thread_name_prefix="forgotten-password")
log = structlog.get_logger()


@sign.get("/sign-in/forgotten")
def forgotten_form() -> ResponseReturnValue:
    if not _can_be_sent():
        return redirect(url_for("sign.sign_in_form"))
    return _page("", None)


@sign.post("/sign-in/forgotten")
def forgotten_try() -> ResponseReturnValue:
    """One answer for whoever has an account and whoever has none."""
    email = operators.as_kept(request.form.get("email", ""))
    if not _can_be_sent():
        return redirect(url_for("sign.sign_in_form"), 303)
    try:
        count_forgotten_password(email)
    except TooMany as error:
        sign_in_guard.not_let_in("too_often")
        return _page(email, f"Too many tries. Try again in {in_words(error.retry_after)}."), 429
    _apart.submit(_send, current_runtime(), email, address_of("KEY"))
    return redirect(url_for("sign.forgotten_sent"), 303)


@sign.get("/sign-in/forgotten/sent")
def forgotten_sent() -> str:
    return render_template("dashboard/forgotten_sent.html")


def _page(email: str, wrong: str | None) -> str:
    return render_template("dashboard/forgotten_password.html", email=email, wrong=wrong)


def _can_be_sent() -> bool:
    settings = current_runtime().settings
    return account_mails.can_be_sent(settings) and not settings.oidc_only


def _send(runtime: Runtime, email: str, address: str) -> None:
    """Mail the link where there is such an operator, who signs in by a password. `address` has KEY for its secret."""

    def write(db: Connection) -> str | None:
        operator = operators.by_email(db, email)
        if operator is None or not _has_password(runtime, operator):
            return None
        return one_time_links.ask_for_password(db, runtime.settings.secret_key, operator, runtime.clock())

    try:
        if secret := runtime.database.write(write):
            link = address.replace("KEY", secret)
            account_mails.send(runtime.settings, one_time_links.PASSWORD, email, link, runtime.clock())
    except (NotDelivered, DatabaseUnavailable) as error:
        log.warning("forgotten_password", outcome="not sent", why=str(error))


def _has_password(runtime: Runtime, operator: Operator) -> bool:
    return operator.provider_subject is None or not runtime.settings.oidc_issuer
