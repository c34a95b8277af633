"""Asking Mixpanel for the identity that parked people lack: how many first, then what came of it."""

from dataclasses import asdict

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import acts, words
from blueprints.dashboard.destinations.subscription import find
from blueprints.formatting import number
from blueprints.urls import key
from config.words import counted
from destinations import asking
from destinations.asking import Asked, CannotAsk
from runtime import current_runtime
from security import sign_in_guard
from security.roles import needs

MOST = 10  # queries of one click, some seconds each at worst


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/ask")
@needs("operator")
def ask_mixpanel(subscription_id: int) -> ResponseReturnValue:
    """How many people would be asked about, and with how many queries; nobody is asked yet."""
    known, after, runtime = find(subscription_id), key(request.args.get("after", "")), current_runtime()
    try:
        question = runtime.database.read(lambda db: asking.look(db, known, runtime.clock(), after))
    except CannotAsk as error:
        flash(str(error), "needs-you")
        return acts.back(subscription_id)
    return render_template(
        "dashboard/destinations/ask.html", known=known, question=question, after=after, most=MOST, words=words
    )


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/ask")
@needs("operator")
def ask_mixpanel_now(subscription_id: int) -> ResponseReturnValue:
    known, runtime = find(subscription_id), current_runtime()
    who = sign_in_guard.operator().email
    try:
        asked = asking.ask(runtime, known, who, key(request.form.get("after", "")), MOST)
    except CannotAsk as error:
        flash(str(error), "needs-you")
        return acts.back(subscription_id)
    after = {name: value for name, value in asdict(asked).items() if name in {"people", "found", "queries"}}
    runtime.database.write(lambda db: acts.note_act(db, "ask", known, after=after))
    flash(*_told(asked))
    if asked.after is not None and not asked.told:
        return redirect(url_for("dashboard.ask_mixpanel", subscription_id=subscription_id, after=asked.after), 303)
    return acts.back(subscription_id)


def _told(asked: Asked) -> tuple[str, str]:
    found = f"Mixpanel knows {number(asked.found)} of {counted(asked.people, 'person', 'people')} by it"
    if asked.told:
        return f"{found}. Not all were asked about: {asked.told}", "needs-you"
    return f"{found}; they are told of within a minute." if asked.found else f"{found}.", "message"
