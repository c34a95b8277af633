"""Delivery checks (F16): somebody asks whether an event can be read back, and the page of its call tells."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.outbound import blueprint
from blueprints.outbound.loaders import delivery_of
from outbound import projects
from outbound.deliveries import Delivery
from outbound.delivery_check import causes, jobs, search
from outbound.delivery_check import event as sought_event
from outbound.delivery_check.event import CannotLook
from outbound.transport import budget
from runtime import current_runtime
from security.roles import needs


def told(delivery: Delivery) -> dict[str, Any]:
    """Return what the page of a call says of its event: its delivery check if there is one, and what is left of the
    hour's exports."""
    runtime = current_runtime()
    if delivery.operation not in sought_event.OPERATIONS or delivery.verdict is None:
        return {}

    def read(db: Connection) -> dict[str, Any]:
        project = projects.by_name(db, delivery.project)
        left = budget.left(db, project.mixpanel_project_id, runtime.clock()) if project else []
        exports = next((family for family in left if family.family == "export"), None)
        return {"check": jobs.of(db, delivery.id), "exports": exports}

    return {"can_check": delivery.verdict != "rejected"} | runtime.database.read(read)


@blueprint.get("/send/history/<int:delivery_id>/landing")
def delivery_check_now(delivery_id: int) -> str:
    """Show how the check stands; it asks again while it goes on."""
    delivery = delivery_of(delivery_id)
    return render_template("outbound/_delivery_check.html", delivery=delivery, **told(delivery))


@blueprint.post("/send/history/<int:delivery_id>/landing")
@needs("operator")
def ask_delivery_check(delivery_id: int) -> ResponseReturnValue:
    """Look for the event, from the beginning."""
    delivery = delivery_of(delivery_id)
    runtime = current_runtime()
    project = runtime.database.read(lambda db: projects.by_name(db, delivery.project), one_statement=True)
    try:
        wanted = sought_event.sought(delivery)
    except CannotLook as cannot:
        flash(str(cannot))
        return _back(delivery_id)
    hindered = search.hindrance(project) if project else causes.NO_PROJECT.format(name=delivery.project)
    runtime.database.write(lambda db: jobs.ask(db, delivery.id, wanted, delivery.at, runtime.clock(), hindered))
    return _back(delivery_id)


@blueprint.post("/send/history/<int:delivery_id>/landing/stop")
@needs("operator")
def stop_delivery_check(delivery_id: int) -> ResponseReturnValue:
    current_runtime().database.write(lambda db: jobs.stop(db, delivery_of(delivery_id).id, causes.STOPPED))
    return _back(delivery_id)


def _back(delivery_id: int) -> ResponseReturnValue:
    return redirect(url_for("outbound.show_delivery", delivery_id=delivery_id, _anchor="landing"), 303)
