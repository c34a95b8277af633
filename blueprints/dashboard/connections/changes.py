"""What is done to a connection: its passwords rotate and retire, it is switched off and on, an export is simulated.

What takes something away asks first, on a page of its own that says what it will mean.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from htmx_flask import request
from sqlalchemy import Connection

from blueprints import urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.connections.routes import connection_or_404, url_of
from runtime import current_runtime
from security import connections, handover, sign_in_guard, simulation_jobs
from security.audit import note
from security.connections import Listed, OnlyPassword, Password, WrongName
from security.roles import needs
from sync.status.connection import connection_statuses

T = TypeVar("T")


def _change(action: str, name: str, work: Callable[[Connection], T], **sides: dict[str, object]) -> T:
    """Do it to a connection that exists, and leave a note in the audit trail; `sides` are before and after."""
    runtime, who = current_runtime(), sign_in_guard.operator().email

    def write(db: Connection) -> T:
        connection_or_404(db, name)
        done = work(db)
        note(db, runtime.clock(), who, f"connection.{action}", name, **sides)
        return done

    return runtime.database.write(write)


def _back(name: str) -> ResponseReturnValue:
    return redirect(url_for("dashboard.show_connection", name=name))


# --- projects


@blueprint.post("/connections/<name>/projects")
@needs("operator")
def bind_projects(name: str) -> ResponseReturnValue:
    """Set which Mixpanel projects it may write: those of the form, or one more (`allow`)."""
    allowed = request.form.get("allow", "")
    given = re.split(r"[\s,]+", request.form.get("projects", ""))

    def work(db: Connection) -> None:
        known = connection_or_404(db, name).projects
        if not allowed:
            connections.bind(db, name, given)
        elif known:  # else all may be written, and naming one would shut out the others
            connections.bind(db, name, [*known, allowed])

    try:
        _change("projects", name, work, after={"projects": allowed or " ".join(given)})
    except WrongName as error:
        flash(str(error))
        return _back(name)
    flash(
        "From the next call on this connection writes cohorts of these projects alone."
        if any(given) or allowed
        else "This connection may write cohorts of all projects."
    )
    return _back(name)


# --- passwords


@blueprint.post("/connections/<name>/rotate")
@needs("operator")
def rotate(name: str) -> ResponseReturnValue:
    """A further password; the page that it leads to shows it once."""
    runtime = current_runtime()
    password = _change(
        "rotate", name, lambda db: connections.rotate(db, runtime.settings.secret_key, name, runtime.clock())
    )
    key = handover.leave("secret", [name, password])
    return redirect(url_for("dashboard.show_rotated", name=name, once=key), 303)


@blueprint.get("/connections/<name>/rotated")
@needs("operator")
def show_rotated(name: str) -> ResponseReturnValue:
    """The new password, for whoever made it, this once. A reload leads to the connection."""
    password, kept = once(name), _lasting(name)[1]
    if password is None:
        flash("A new password is shown once. If it got lost, rotate again, and retire the one that nobody uses.")
        return _back(name)
    return render_template(
        "dashboard/connections/rotated.html", name=name, url=url_of(name), password=password, older=kept[:-1]
    )


def once(name: str) -> str | None:
    """The new password of this connection that the address has a key for; it is gone with this answer."""
    kept = handover.take("secret", request.args.get("once", "")) if request.method == "GET" else None
    return str(kept[1]) if isinstance(kept, list) and kept[0] == name else None


@blueprint.get("/connections/<name>/retire")
@needs("operator")
def ask_retire(name: str) -> str:
    """Asks for the older ones, or for the one password that the address names."""
    connection, kept = _lasting(name)
    going = _going(kept, urls.key_of_query("password"))
    return render_template(
        "dashboard/connections/retire.html", connection=connection, going=going, staying=len(kept) - len(going)
    )


@blueprint.post("/connections/<name>/retire")
@needs("operator")
def retire(name: str) -> ResponseReturnValue:
    """Retires just the passwords that the question named, not one that was made since."""
    going = [password_id for given in request.form.getlist("password") if (password_id := urls.key(given))]
    now = current_runtime().clock()

    def work(db: Connection) -> int:
        return sum(connections.retire_named(db, name, password_id, now) for password_id in going)

    try:
        gone = _change("retire", name, work, before={"passwords": going})
    except OnlyPassword as error:
        flash(str(error))
        return _back(name)
    flash(f"{gone} password{' is' if gone == 1 else 's are'} retired. Whoever uses one of them gets 401.")
    return _back(name)


def _lasting(name: str) -> tuple[Listed, list[Password]]:
    def read(db: Connection) -> tuple[Listed, list[Password]]:
        connection = connection_or_404(db, name)
        return connection, connections.lasting(db, connection)

    return current_runtime().database.read(read)


def _going(kept: list[Password], password_id: int) -> list[Password]:
    """The passwords that are asked about: all but the newest where none is named (0)."""
    if not password_id:
        return kept[:-1]
    return [password for password in kept if password.id == password_id and len(kept) > 1]


# --- off and on


@blueprint.get("/connections/<name>/disable")
@needs("operator")
def ask_disable(name: str) -> str:
    return _ask_switch(name, "disable")


@blueprint.get("/connections/<name>/enable")
@needs("operator")
def ask_enable(name: str) -> str:
    return _ask_switch(name, "enable")


def _ask_switch(name: str, verb: str) -> str:
    runtime = current_runtime()
    now = runtime.clock()
    found = runtime.database.read(lambda db: connection_statuses(db, now)[connection_or_404(db, name).id])
    return render_template(f"dashboard/connections/{verb}.html", connection=found)


@blueprint.post("/connections/<name>/disable")
@needs("operator")
def disable(name: str) -> ResponseReturnValue:
    _switch(name, enabled=False)
    flash(f"{name} is switched off. Mixpanel gets 503 and keeps trying.")
    return _back(name)


@blueprint.post("/connections/<name>/enable")
@needs("operator")
def enable(name: str) -> ResponseReturnValue:
    _switch(name, enabled=True)
    flash(f"{name} is switched on. Mixpanel catches up at its next cycle.")
    return _back(name)


def _switch(name: str, *, enabled: bool) -> None:
    _change(
        "enable" if enabled else "disable",
        name,
        lambda db: connections.switch(db, name, enabled=enabled),
        before={"enabled": not enabled},
        after={"enabled": enabled},
    )


# --- a simulated export


@blueprint.post("/connections/<name>/simulate")
@needs("operator")
def simulate(name: str) -> ResponseReturnValue:
    """Asks the worker for it; a fragment tells how it goes."""
    now, who = current_runtime().clock(), sign_in_guard.operator().email
    _change("simulate", name, lambda db: simulation_jobs.ask(db, name, who, now))
    if request.htmx:
        return simulated_export(name)
    return redirect(url_for("dashboard.show_connection", name=name, _anchor="simulated"))


@blueprint.get("/connections/<name>/simulated")
def simulated_export(name: str) -> str:
    """How the newest simulated export goes; it asks again while that is not over."""
    export = current_runtime().database.read(lambda db: simulation_jobs.latest(db, connection_or_404(db, name).name))
    return render_template("dashboard/connections/_simulated.html", name=name, export=export)
