"""What is done to a subscription: a test, a replay, a pause, and its end. What is more than a click asks first."""

from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import status, words
from blueprints.dashboard.destinations.changes import LONGEST_REASON, UNCHANGED
from blueprints.dashboard.destinations.subscription import find, subscription_or_404
from config.words import counted
from destinations import destinations, guard, opening, registry, replay, subscriptions, trial
from destinations.settings import WrongSettings
from destinations.subscriptions import Subscription
from models.queries import members
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs

T = TypeVar("T")

LONGEST_ID = 1000  # characters
OFFERED = 20  # members that the field of a test offers

_SAID = {
    "applied": "in-step",
    "accepted": "in-step",
}


def _change(
    action: str, subscription_id: int, work: Callable[[Connection, Subscription], T], **sides: dict[str, object]
) -> tuple[Subscription, T]:
    """Do it to a subscription that exists, and leave a note in the audit trail; `sides` are before and after."""

    def write(db: Connection) -> tuple[Subscription, T]:
        known = subscription_or_404(db, subscription_id)
        done = work(db, known)
        if done is not False:
            note_act(db, action, known, **sides)
        return known, done

    return current_runtime().database.write(write)


def note_act(db: Connection, action: str, known: Subscription, **sides: dict[str, object]) -> None:
    """Leave a note of it in the audit trail; `sides` are before and after."""
    subject = f"{known.destination}: {known.project_id}/{known.cohort_id}"
    note(db, current_runtime().clock(), sign_in_guard.operator().email, f"subscription.{action}", subject, **sides)


def back(subscription_id: int) -> ResponseReturnValue:
    """Lead to the subscription's page."""
    return redirect(url_for("dashboard.show_subscription", subscription_id=subscription_id), 303)


def _page(name: str, subscription_id: int, **more: object) -> str:
    known = find(subscription_id)
    kind = registry.TYPES.get(known.type)
    return render_template(f"dashboard/destinations/{name}.html", known=known, kind=kind, words=words, **more)


# --- a test with one person


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/test")
@needs("operator")
def ask_test(subscription_id: int) -> str:
    return _test_page(subscription_id, "", None)


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/test")
@needs("operator")
def test_subscription(subscription_id: int) -> ResponseReturnValue:
    """Tell the far end that one chosen person has entered: a real call."""
    given = urls.storable(request.form.get("distinct_id", "").strip()[:LONGEST_ID])
    runtime, known = current_runtime(), find(subscription_id)
    if not given:
        return _test_page(subscription_id, "", "Say who: a distinct id of this project."), 422
    if known.type not in registry.TYPES:
        return _test_page(subscription_id, given, f"This version knows no type {known.type}."), 422
    try:
        done = trial.test(runtime, known, given)
    except WrongSettings as error:
        return _test_page(subscription_id, given, " ".join(error.errors.values())), 422
    except opening.CannotOpen as error:
        return _test_page(subscription_id, given, str(error)), 422
    runtime.database.write(lambda db: note_act(db, "test", known, after={"outcome": done.outcome}))
    flash(f"{words.verdict(done.outcome)[1]}. {done.told}", _SAID.get(done.outcome, "needs-you"))
    return redirect(url_for("dashboard.show_attempt", subscription_id=subscription_id, attempt_id=done.attempt), 303)


def _test_page(subscription_id: int, typed: str, wrong: str | None) -> str:
    cohort = find(subscription_id).cohort
    offered = current_runtime().database.read(lambda db: members.page(db, cohort, 0, OFFERED), one_statement=True)
    return _page("test", subscription_id, typed=typed, wrong=wrong, members=offered)


# --- once more


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/replay")
@needs("operator")
def ask_replay(subscription_id: int) -> ResponseReturnValue:
    """How many messages of a state (and a reason) would be sent once more; nothing happens yet."""
    state, reason = request.args.get("state", ""), _reason(request.args.get("reason"))

    def read(db: Connection) -> tuple[Subscription, int]:
        known = subscription_or_404(db, subscription_id)
        return known, replay.count(db, known, state, reason)

    try:
        known, count = current_runtime().database.read(read)
    except WrongSettings as error:
        flash(" ".join(error.errors.values()), "needs-you")
        return back(subscription_id)
    return render_template(
        "dashboard/destinations/replay.html",
        known=known,
        kind=registry.TYPES.get(known.type),
        state=state,
        reason=reason,
        count=count,
        words=words,
    )


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/replay")
@needs("operator")
def replay_messages(subscription_id: int) -> ResponseReturnValue:
    runtime, known = current_runtime(), find(subscription_id)
    state, reason = request.form.get("state", ""), _reason(request.form.get("reason"))
    try:
        count = replay.replay(runtime.database, known, state, reason, runtime.clock())
    except WrongSettings as error:
        flash(" ".join(error.errors.values()), "needs-you")
        return back(subscription_id)
    after: dict[str, object] = {"state": state, "reason": reason, "messages": count}
    runtime.database.write(lambda db: note_act(db, "replay", known, after=after))
    flash(f"{counted(count, 'message is', 'messages are')} sent once more." if count else "There was nothing to send.")
    return back(subscription_id)


def _reason(given: str | None) -> str | None:
    """Return the reason that was asked for, None for all; an empty one stands for messages without any."""
    return None if given is None else urls.storable(given)


# --- what the guard holds


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/removals")
@needs("operator")
def decide_removals(subscription_id: int) -> ResponseReturnValue:
    """Let the removals go that the guard holds (`way` is approve), or keep everybody there (keep)."""
    way, now = request.form.get("way", ""), current_runtime().clock()
    if way not in {"approve", "keep"}:
        return back(subscription_id)
    decide = guard.approve if way == "approve" else guard.keep

    def work(db: Connection, known: Subscription) -> int:
        destinations.locked(db, known.destination_id)
        return decide(db, known, now)

    _known, count = _change(f"{way}_removals", subscription_id, work)
    gone = counted(count, "removal is", "removals are")
    flash(f"{gone} on the way." if way == "approve" else f"{gone} dropped: everybody stays there.")
    return back(subscription_id)


# --- pause, resume, remove


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/pause")
@needs("operator")
def ask_pause_subscription(subscription_id: int) -> str:
    return _page("subscription_pause", subscription_id)


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/pause")
@needs("operator")
def pause_subscription(subscription_id: int) -> ResponseReturnValue:
    reason, now = request.form.get("reason", "").strip()[:LONGEST_REASON], current_runtime().clock()
    _known, done = _change(
        "pause",
        subscription_id,
        lambda db, known: subscriptions.pause(db, known, reason, now),
        after={"reason": reason},
    )
    flash("It is paused. Changes of the cohort wait for it, in their order." if done else UNCHANGED)
    return back(subscription_id)


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/resume")
@needs("operator")
def resume_subscription(subscription_id: int) -> ResponseReturnValue:
    _known, done = _change("resume", subscription_id, subscriptions.resume)
    flash("It goes on where it was." if done else UNCHANGED)
    return back(subscription_id)


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/cancel-backfill")
@needs("operator")
def cancel_backfill(subscription_id: int) -> ResponseReturnValue:
    _known, done = _change("cancel_backfill", subscription_id, subscriptions.cancel_backfill)
    flash("Nobody else of those who are in already is sent. Changes go on." if done else UNCHANGED)
    return back(subscription_id)


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/remove")
@needs("operator")
def ask_remove_subscription(subscription_id: int) -> str:
    def read(db: Connection) -> int:
        known = subscription_or_404(db, subscription_id)
        return status.there(db, known.destination_id, known.id)

    return _page("subscription_remove", subscription_id, there=current_runtime().database.read(read))


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/remove")
@needs("operator")
def remove_subscription(subscription_id: int) -> ResponseReturnValue:
    drain = request.form.get("way") == "drain"
    known, _done = _change(
        "remove",
        subscription_id,
        lambda db, found: subscriptions.remove(db, found, drain=drain),
        before={"way": "drain" if drain else "leave"},
    )
    flash(f"{words.name_of(known)} goes to {known.destination} no more. Its page goes once nothing is left to do.")
    return redirect(url_for("dashboard.show_destination", destination_id=known.destination_id), 303)
