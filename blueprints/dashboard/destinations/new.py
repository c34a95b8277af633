"""A new destination: its type, then a form made from the type's description, then what it has to know of us."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import form
from blueprints.dashboard.destinations.form import Typed
from blueprints.dashboard.destinations.routes import find_usable
from destinations import destinations, registry
from destinations.contract import DestinationType
from destinations.destinations import Added, NewDestination
from destinations.settings import WrongSettings, checked
from runtime import current_runtime
from security import handover, sign_in_guard
from security.audit import note
from security.roles import needs


@blueprint.get("/destinations/new")
@needs("operator")
def new_destination() -> str:
    """The types to choose from; the form of the one that the address names."""
    kind = registry.TYPES.get(request.args.get("type", ""))
    if kind is None:
        kinds = sorted(registry.TYPES.values(), key=lambda known: known.words)
        return render_template("dashboard/destinations/types.html", kinds=kinds, families=form.FAMILIES, once=form.ONCE)
    return _form(kind, Typed(), {})


@blueprint.post("/destinations/new")
@needs("operator")
def add_destination() -> ResponseReturnValue:
    """Connect it. A secret that we made waits in the database, sealed, for the page that shows it once."""
    kind = registry.TYPES.get(request.form.get("type", ""))
    if kind is None:
        flash("Choose what to send to.")
        return redirect(url_for("dashboard.new_destination"), 303)
    typed = form.typed(kind)
    try:
        added = current_runtime().database.write(lambda db: _add(db, kind, typed))
    except WrongSettings as error:
        return _form(kind, typed, _wrong(kind, typed) | error.errors), 422
    if not added.made:
        flash(f"{typed.name} is connected. Check that it answers, then choose a cohort to send there.")
        return redirect(url_for("dashboard.show_destination", destination_id=added.id), 303)
    key = handover.leave("secret", [added.id, added.made])
    return redirect(url_for("dashboard.show_destination_secret", destination_id=added.id, once=key, new=1), 303)


@blueprint.get("/destinations/<int:destination_id>/secret")
@needs("operator")
def show_destination_secret(destination_id: int) -> ResponseReturnValue:
    """The secrets that we made, for whoever had them made, this once. A reload leads to the destination."""
    known, made = find_usable(destination_id), once(destination_id)
    if made is None:
        flash("A secret is shown once. If it got lost, make a new one by rotating it.")
        return redirect(url_for("dashboard.show_destination", destination_id=destination_id))
    labels = {setting.name: setting for setting in known.kind.settings}
    return render_template(
        "dashboard/destinations/secret.html",
        destination=known,
        secrets=[(labels[name], value) for name, value in made.items() if name in labels],
        is_new="new" in request.args,
        overlap=destinations.OVERLAP,
    )


def once(destination_id: int) -> dict[str, str] | None:
    """Take the secrets of this destination that the address has a key for; they are gone with this answer."""
    kept = handover.take("secret", request.args.get("once", "")) if request.method == "GET" else None
    if not isinstance(kept, list) or kept[0] != destination_id:
        return None
    return dict(kept[1])


def _wrong(kind: DestinationType, typed: Typed) -> dict[str, str]:
    """Return what is wrong with the settings, also where the name was refused before they were looked at."""
    try:
        checked(kind, typed.settings, typed.secrets)
    except WrongSettings as error:
        return error.errors
    return {}


def _add(db: Connection, kind: DestinationType, typed: Typed) -> Added:
    runtime = current_runtime()
    draft = NewDestination(typed.name, kind.name, typed.settings, typed.secrets)
    added = destinations.add(db, runtime.cipher, draft, runtime.clock())
    note(db, runtime.clock(), sign_in_guard.operator().email, "destination.add", typed.name, after={"type": kind.name})
    return added


def _form(kind: DestinationType, typed: Typed, wrong: dict[str, str]) -> str:
    return render_template(
        "dashboard/destinations/form.html", destination=None, name=typed.name, **shown(kind, typed, wrong)
    )


def shown(
    kind: DestinationType, typed: Typed, wrong: dict[str, str], kept: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return what the template of the form needs to know."""
    return {
        "kind": kind,
        "fields": form.fields(kind, typed.settings, wrong, kept),
        "wrong": wrong,
        "retype": bool(wrong) and bool(typed.secrets),
        "families": form.FAMILIES,
        "once": form.ONCE,
        "private": current_runtime().settings.allow_private_destinations,
    }
