"""Tokens of the JSON API: made, shown once, removed."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from config.words import later
from runtime import current_runtime
from security import handover, sign_in_guard, tokens
from security.audit import note
from security.roles import needs
from security.token_bounds import Bounds, WrongBound, read
from security.tokens import SCOPES, Token, WrongTokenName

NARROW = ("days", "project_id", "network", "calls_per_minute")
WORDS = {
    "read": later("Read"),
    "send": later("Send"),
    "erase": later("Erase"),
    "deliver": later("Deliver"),
    "manage": later("Manage"),
}
MEANINGS = {
    "read": later("reads cohorts, members, changes and failures"),
    "send": later("reads, and also sends to Mixpanel"),
    "erase": later("reads, and also erases people for good"),
    "deliver": later("reads, and also manages destinations and subscriptions"),
    "manage": later("reads, and also makes and removes connections and tokens: as good as an admin"),
}


@blueprint.get("/settings/tokens")
def list_tokens() -> str:
    return _list()


@blueprint.post("/settings/tokens")
@needs("admin")
def add_token() -> ResponseReturnValue:
    """The page that it leads to shows the token once."""
    runtime = current_runtime()
    name, scope = request.form.get("name", "").strip(), request.form.get("scope", "")
    narrow = {field: request.form.get(field, "") for field in NARROW}
    try:
        tokens.check_name(name)
        if scope not in SCOPES:
            abort(400)
        bounds = read(**narrow, exports="no_exports" not in request.form, now=runtime.clock())
        token = runtime.database.write(lambda db: _add(db, name, scope, bounds))
    except WrongTokenName as error:
        return _list(name, wrong=str(error), narrow=narrow), 422
    except WrongBound as error:
        return _list(name, narrow=narrow, wrong_bound={error.field: str(error)}), 422
    key = handover.leave("secret", {"name": name, "scope": scope, "token": token})
    return redirect(url_for("dashboard.show_token", once=key), 303)


@blueprint.get("/settings/tokens/made")
@needs("admin")
def show_token() -> ResponseReturnValue:
    """The new token, for whoever made it, this once."""
    made = handover.take("secret", request.args.get("once", "")) if request.method == "GET" else None
    if not isinstance(made, dict):
        flash("A token is shown once. If it got lost, remove it and make another one.")
        return redirect(url_for("dashboard.list_tokens"))
    return render_template("dashboard/settings/token_made.html", **made)


def _add(db: Connection, name: str, scope: str, bounds: Bounds) -> str:
    runtime = current_runtime()
    token = tokens.add(db, runtime.settings.secret_key, name, scope, runtime.clock(), bounds)
    note(
        db, runtime.clock(), sign_in_guard.operator().email, "token.add", name, after={"scope": scope, **asdict(bounds)}
    )
    return token


@blueprint.get("/settings/tokens/<int:token_id>/remove")
@needs("admin")
def ask_remove_token(token_id: int) -> str:
    return render_template("dashboard/settings/remove_token.html", token=_find(token_id))


@blueprint.post("/settings/tokens/<int:token_id>/remove")
@needs("admin")
def remove_token(token_id: int) -> ResponseReturnValue:
    token, runtime, who = _find(token_id), current_runtime(), sign_in_guard.operator().email

    def remove(db: Connection) -> None:
        if tokens.remove(db, token):
            note(db, runtime.clock(), who, "token.remove", token.name, before={"scope": token.scope})

    runtime.database.write(remove)
    flash(f"The token {token.name} is removed.")
    return redirect(url_for("dashboard.list_tokens"))


def _find(token_id: int) -> Token:
    found = current_runtime().database.read(lambda db: tokens.by_id(db, token_id), one_statement=True)
    return found or abort(404)


def _list(
    typed: str = "",
    wrong: str | None = None,
    narrow: Mapping[str, str] = MappingProxyType({}),
    wrong_bound: Mapping[str, str] = MappingProxyType({}),
) -> str:
    found = current_runtime().database.read(tokens.listed, one_statement=True)
    said = {"typed": typed, "wrong": wrong, "narrow": narrow, "wrong_bound": wrong_bound}
    return render_template("dashboard/settings/tokens.html", found=found, meanings=MEANINGS, words=WORDS, **said)
