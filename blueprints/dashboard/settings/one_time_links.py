"""Invitations, and links for a new password: made by admins, shown once, revoked."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from alerts import account_mails
from alerts.calls import NotDelivered
from blueprints.dashboard import blueprint
from blueprints.dashboard.one_time_addresses import address_of
from blueprints.dashboard.settings.operators import find_operator, operators_page
from runtime import current_runtime
from security import handover, one_time_links, sign_in_guard
from security.one_time_links import Link
from security.operators import WrongOperator
from security.roles import needs


@blueprint.post("/settings/operators/invite")
@needs("admin")
def invite_operator() -> ResponseReturnValue:
    runtime, who = current_runtime(), sign_in_guard.operator()
    typed = {field: request.form.get(field, "") for field in ("email", "role")}
    key = runtime.settings.secret_key

    def write(db: Connection) -> str:
        return one_time_links.invite(db, key, typed["email"], typed["role"], who, runtime.clock())

    try:
        secret = runtime.database.write(write)
    except WrongOperator as error:
        return operators_page(typed, {f"invited_{error.field}": str(error)}), 422
    return _show_once(secret, typed["email"].strip().lower(), one_time_links.INVITATION)


@blueprint.post("/settings/operators/<int:operator_id>/link")
@needs("admin")
def offer_password(operator_id: int) -> ResponseReturnValue:
    """A link by which they choose another password themselves; until then the old one works."""
    runtime, who, operator = current_runtime(), sign_in_guard.operator(), find_operator(operator_id)
    key = runtime.settings.secret_key
    secret = runtime.database.write(lambda db: one_time_links.offer_password(db, key, operator, who, runtime.clock()))
    return _show_once(secret, operator.email, one_time_links.PASSWORD)


def _show_once(secret: str, email: str, kind: str) -> ResponseReturnValue:
    mailed = _mail(secret, email, kind) if "by_mail" in request.form else None
    once = handover.leave("secret", {"secret": secret, "email": email, "kind": kind, "mailed": mailed})
    return redirect(url_for("dashboard.show_link", once=once), 303)


def _mail(secret: str, email: str, kind: str) -> str:
    """Send the link; returns why it was not sent, nothing where it was."""
    runtime = current_runtime()
    try:
        account_mails.send(runtime.settings, kind, email, address_of(secret), runtime.clock())
    except NotDelivered as error:
        return str(error)
    return ""


@blueprint.get("/settings/operators/link")
@needs("admin")
def show_link() -> ResponseReturnValue:
    """The new link, for whoever made it, this once."""
    made = handover.take("secret", request.args.get("once", "")) if request.method == "GET" else None
    if not isinstance(made, dict):
        flash("A link is shown once. If it got lost, make another one; the earlier one ends with that.")
        return redirect(url_for("dashboard.list_operators"))
    return render_template("dashboard/settings/link.html", link=address_of(made["secret"]), **made)


@blueprint.post("/settings/operators/links/<int:link_id>/revoke")
@needs("admin")
def revoke_link(link_id: int) -> ResponseReturnValue:
    runtime, who = current_runtime(), sign_in_guard.operator().email

    def write(db: Connection) -> Link:
        links = one_time_links.listed(db, runtime.clock())
        link = next((one for one in links if one.id == link_id), None) or abort(404)
        one_time_links.revoke(db, link, who, runtime.clock())
        return link

    flash(f"The link of {runtime.database.write(write).email} does not work any more.")
    return redirect(url_for("dashboard.list_operators"), 303)
