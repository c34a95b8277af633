"""Other terms for a subscription that runs: the fields that go along, and its rules."""

from functools import partial

from flask import flash, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import words
from blueprints.dashboard.destinations.acts import back
from blueprints.dashboard.destinations.subscribing import UNITS, TypedSubscription
from blueprints.dashboard.destinations.subscription import find, subscription_or_404
from destinations import registry, subscription_terms
from destinations.settings import WrongSettings
from destinations.subscription_terms import Terms
from destinations.subscriptions import Subscription
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs

UNKNOWN = "This version does not know the type of its destination; nothing can be changed here."
GOING = "It is being removed; nothing can be changed any more."


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/change")
@needs("operator")
def ask_change_subscription(subscription_id: int) -> ResponseReturnValue:
    """The form with the terms as they are."""
    known = find(subscription_id)
    refused = _refused(known)
    return _form(known, TypedSubscription.of_known(known), {}) if refused is None else refused


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/change")
@needs("operator")
def change_subscription(subscription_id: int) -> ResponseReturnValue:
    known, typed = find(subscription_id), TypedSubscription.of_request()
    refused = _refused(known)
    if refused is not None:
        return refused
    try:
        changed = _change(subscription_id, typed.terms())
    except WrongSettings as error:
        return _form(known, typed, error.errors), 422
    flash("The next call goes by it." if changed else "Nothing is different.")
    return back(subscription_id)


def _refused(known: Subscription) -> ResponseReturnValue | None:
    """Lead back to the subscription, where its terms cannot be changed."""
    if not known.is_going and known.type in registry.TYPES:
        return None
    flash(GOING if known.is_going else UNKNOWN, "needs-you")
    return back(known.id)


def _change(subscription_id: int, terms: Terms) -> bool:
    """Change them, and leave a note in the audit trail where something is different."""

    runtime, who = current_runtime(), sign_in_guard.operator().email

    def write(db: Connection) -> bool:
        known = subscription_or_404(db, subscription_id)
        return bool(subscription_terms.change(db, known, terms, partial(note, db, runtime.clock(), who)))

    return runtime.database.write(write)


def _form(known: Subscription, typed: TypedSubscription, wrong: dict[str, str]) -> str:
    return render_template(
        "dashboard/destinations/subscription_change.html",
        known=known,
        kind=known.kind,
        typed=typed,
        wrong=wrong,
        units=list(UNITS),
        words=words,
    )
