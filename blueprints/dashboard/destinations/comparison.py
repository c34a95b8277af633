"""A set at the far end compared with who should be in it, and repaired where an operator asks for it."""

from dataclasses import asdict
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import acts, words
from blueprints.dashboard.destinations.subscription import find
from config.words import counted
from destinations import opening, reconcile, registry
from destinations.reconcile import Reconciliation
from destinations.settings import WrongSettings
from destinations.subscriptions import Subscription
from runtime import current_runtime
from security import handover
from security.roles import needs


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/reconcile")
@needs("operator")
def ask_reconcile(subscription_id: int) -> str:
    """What a comparison would do; what one has found where the address has a key for it."""
    known = find(subscription_id)
    kept = handover.find("form", request.args.get("found", "")) if request.args.get("found") else None
    found = kept[1] if isinstance(kept, list) and kept[0] == subscription_id else None
    return render_template("dashboard/destinations/reconcile.html", known=known, found=found, words=words)


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/reconcile")
@needs("operator")
def reconcile_subscription(subscription_id: int) -> ResponseReturnValue:
    """Read the set and compare; with `way` repair also have the far end told of the difference."""
    known, repair = find(subscription_id), request.form.get("way") == "repair"
    try:
        found = _compared(known, repair=repair)
    except Unread as error:
        flash(str(error), "needs-you")
        return acts.back(subscription_id)
    after: dict[str, Any] = {name: count for name, count in asdict(found).items() if name != "samples"}
    current_runtime().database.write(lambda db: acts.note_act(db, "reconcile", known, after=after))
    if repair:
        flash(f"{counted(found.repaired, 'message is', 'messages are')} on the way to repair it.")
        return acts.back(subscription_id)
    key = handover.leave("form", [subscription_id, asdict(found)])
    return redirect(url_for("dashboard.ask_reconcile", subscription_id=subscription_id, found=key), 303)


class Unread(Exception):
    """The set cannot be read; the text is for people."""


def _compared(known: Subscription, *, repair: bool) -> Reconciliation:
    """Raises Unread and DatabaseUnavailable."""
    if known.type not in registry.TYPES:
        raise Unread(f"This version knows no type {known.type}.")
    try:
        return reconcile.reconcile(current_runtime(), known, repair=repair)
    except WrongSettings as error:
        raise Unread(" ".join(error.errors.values())) from error
    except opening.CannotOpen as error:
        raise Unread(str(error)) from error
    except (OSError, SQLAlchemyError) as error:
        told = str(error) if isinstance(error, OSError) else type(error).__name__
        raise Unread(f"What is there could not be read. {told}") from error
