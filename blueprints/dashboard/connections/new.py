"""A new connection, guided: its name, what Mixpanel needs, and the light that waits for the first delivery."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.connections.changes import once
from blueprints.dashboard.connections.routes import arrived, connection_or_404, url_of
from runtime import current_runtime
from security import connections, handover, sign_in_guard
from security.audit import note
from security.connections import WrongName
from security.roles import needs


@blueprint.get("/connections/new")
@needs("operator")
def new_connection() -> str:
    return render_template("dashboard/connections/new.html", name="", wrong=None)


@blueprint.post("/connections/new")
@needs("operator")
def make_connection() -> ResponseReturnValue:
    """A password has no place in a URL or a cookie: it waits in the database, sealed, for the page that shows it."""
    typed = request.form.get("name", "").strip()
    name = connections.spelt(typed)
    try:
        password = current_runtime().database.write(lambda db: _make(db, name))
    except WrongName as error:
        return render_template("dashboard/connections/new.html", name=typed, wrong=str(error)), 422
    if name != typed:
        flash(f"“{typed}” is called {name}: the name becomes part of the URL.")
    return redirect(url_for("dashboard.show_made", name=name, once=handover.leave("secret", [name, password])), 303)


@blueprint.get("/connections/<name>/made")
@needs("operator")
def show_made(name: str) -> str:
    """Show what Mixpanel needs; the password this once, to whoever made it."""
    found = current_runtime().database.read(lambda db: arrived(db, connection_or_404(db, name)))
    return render_template(
        "dashboard/connections/made.html", name=name, url=url_of(name), password=once(name), arrived=found
    )


def _make(db: Connection, name: str) -> str:
    runtime = current_runtime()
    password = connections.add(db, runtime.settings.secret_key, name, runtime.clock())
    note(db, runtime.clock(), sign_in_guard.operator().email, "connection.add", name)
    return password


@blueprint.get("/connections/<name>/waiting")
def waiting(name: str) -> str:
    """The light: it asks again every 2 s, until the first delivery is here."""
    found = current_runtime().database.read(lambda db: arrived(db, connection_or_404(db, name)))
    return render_template("dashboard/connections/_waiting.html", name=name, arrived=found)
