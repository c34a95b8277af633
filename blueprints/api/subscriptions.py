"""Subscriptions: which cohort goes where, how each stands, and what may be done about it."""

from collections.abc import Callable
from functools import partial

import msgspec
from flask import Response
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from blueprints.api import blueprint, bodies
from blueprints.api.destination_types import (
    Chosen,
    Compared,
    Repair,
    SubscriptionDraft,
    SubscriptionListing,
    SubscriptionShown,
    SubscriptionsShown,
    TermsChange,
    Tested,
)
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, once, wrong_settings
from blueprints.api.sending import place
from blueprints.paging import cut, key_of
from destinations import as_json, reconcile, subscription_terms, subscriptions, trial
from destinations.opening import CannotOpen, check_type
from destinations.settings import WrongSettings
from destinations.subscription_terms import Terms
from destinations.subscriptions import NewSubscription, Subscription
from runtime import current_runtime
from security.audit import note
from security.tokens import token_name

SUBSCRIPTION = "/subscriptions/<int:subscription_id>"


def find(db: Connection, subscription_id: int) -> Subscription:
    """Raises Problem (404)."""
    found = subscriptions.by_id(db, subscription_id)
    if found is None:
        raise Problem(404, "There is no such subscription.")
    return found


def shown(db: Connection, known: Subscription) -> SubscriptionShown:
    """A subscription as the API has it."""
    return msgspec.convert(as_json.of_subscription(db, known), SubscriptionShown)


@operation(blueprint, "/subscriptions", summary="Subscriptions", query=SubscriptionListing, answer=SubscriptionsShown)
def list_subscriptions(query: SubscriptionListing) -> SubscriptionsShown:
    """Every subscription, or those of a project's cohorts, by id."""
    after = key_of(query.cursor, "subscriptions", 0)

    def read(db: Connection) -> list[SubscriptionShown]:
        found = subscriptions.listed(db, project_id=query.project_id, after=after, limit=query.limit + 1)
        return [shown(db, known) for known in found]

    found, following = cut(current_runtime().database.read(read), query.limit, "subscriptions", lambda row: row.id)
    return SubscriptionsShown(list(found), following)


@operation(blueprint, SUBSCRIPTION, summary="One subscription", answer=SubscriptionShown, errors=(404,))
def show_subscription(_query: NoQuery, subscription_id: int) -> SubscriptionShown:
    """How a subscription stands, with its messages by state."""
    return current_runtime().database.read(lambda db: shown(db, find(db, subscription_id)))


@operation(
    blueprint,
    "/subscriptions",
    summary="Begin a subscription",
    takes=SubscriptionDraft,
    answer=SubscriptionShown,
    errors=(403, 413),
    scope="deliver",
)
def add_subscription(_query: NoQuery) -> Response:
    """Let a cohort's changes go to a destination. A cohort goes to a destination once: the same call again is answered
    400, and begins no second one. 400 lists `problems` by field."""
    draft, runtime = _draft(bodies.read(SubscriptionDraft)), current_runtime()

    def write(db: Connection) -> SubscriptionShown:
        now = runtime.clock()
        known = find(db, subscriptions.add(db, draft, now))
        after = {"id": known.id, "identity": draft.identity, "start": draft.start}
        note(db, now, f"token {token_name()}", "subscription.add", as_json.subject(known), after=after)
        return shown(db, known)

    try:
        return once(runtime.database.write(write))
    except WrongSettings as error:
        return wrong_settings(error)


def _draft(given: SubscriptionDraft) -> NewSubscription:
    project_id, _, cohort_id = given.cohort.partition("/")
    return NewSubscription(
        given.destination,
        given.project_id or project_id,
        given.cohort_id or cohort_id,
        given.identity,
        given.country,
        given.fields,
        given.on,
        given.reentry,
        given.start,
        given.report,
        given.guard_percent,
    )


@operation(
    blueprint,
    f"{SUBSCRIPTION}/settings",
    summary="Change a subscription",
    takes=TermsChange,
    answer=SubscriptionShown,
    errors=(403, 404, 409, 413),
    scope="deliver",
    method="PATCH",
)
def change_subscription(_query: NoQuery, subscription_id: int) -> Response | SubscriptionShown:
    """Change what goes along, the rule for coming again, the event that reports, and the removal guard, from the next
    call on. Nobody is told again. 400 lists `problems` by field."""
    given, runtime = bodies.read(TermsChange), current_runtime()
    terms = Terms(given.fields, given.reentry, given.report, given.guard_percent)

    def write(db: Connection) -> SubscriptionShown:
        known = _standing(db, subscription_id)
        subscription_terms.change(db, known, terms, partial(note, db, runtime.clock(), f"token {token_name()}"))
        return shown(db, find(db, subscription_id))

    try:
        return runtime.database.write(write)
    except WrongSettings as error:
        return wrong_settings(error)


@operation(
    blueprint,
    f"{SUBSCRIPTION}/pause",
    summary="Pause a subscription",
    answer=SubscriptionShown,
    errors=(403, 404, 409),
    scope="deliver",
    method="POST",
)
def pause_subscription(_query: NoQuery, subscription_id: int) -> SubscriptionShown:
    """Plan and send nothing of it until it is resumed; everything waits. One that is paused stays so."""
    now, reason = current_runtime().clock(), f"By the token {token_name()}."
    return _changed("pause", subscription_id, lambda db, known: subscriptions.pause(db, known, reason, now))


@operation(
    blueprint,
    f"{SUBSCRIPTION}/resume",
    summary="Resume a subscription",
    answer=SubscriptionShown,
    errors=(403, 404, 409),
    scope="deliver",
    method="POST",
)
def resume_subscription(_query: NoQuery, subscription_id: int) -> SubscriptionShown:
    """Go on where it was. One that is not paused stays as it is."""
    return _changed("resume", subscription_id, subscriptions.resume)


def _standing(db: Connection, subscription_id: int) -> Subscription:
    """Raises Problem (404, 409)."""
    known = find(db, subscription_id)
    if known.is_going:
        raise Problem(409, "This subscription is being removed.")
    return known


def _changed(action: str, subscription_id: int, work: Callable[[Connection, Subscription], bool]) -> SubscriptionShown:
    """Do it, and leave a note in the audit trail where something changed. Raises Problem (404, 409)."""
    runtime = current_runtime()

    def write(db: Connection) -> SubscriptionShown:
        known = _standing(db, subscription_id)
        if work(db, known):
            note(db, runtime.clock(), f"token {token_name()}", f"subscription.{action}", as_json.subject(known))
        return shown(db, find(db, subscription_id))

    return runtime.database.write(write)


@operation(
    blueprint,
    f"{SUBSCRIPTION}/test",
    summary="Test a subscription",
    takes=Chosen,
    needs_body=False,
    answer=Tested,
    errors=(403, 404, 409, 413),
    scope="deliver",
)
def try_subscription(_query: NoQuery, subscription_id: int) -> Response:
    """Tell the destination that one person has entered: a real call, kept among the attempts. 409 where the destination
    cannot be called as it is stored."""
    given, runtime = bodies.read(Chosen, may_be_empty=True), current_runtime()
    known = runtime.database.read(lambda db: find(db, subscription_id))
    who = (f"token {token_name()}", "subscription.test", as_json.subject(known))
    give = place()
    try:
        person = given.distinct_id or trial.somebody(runtime, known)
        runtime.database.write(lambda db: note(db, runtime.clock(), *who))
        done = trial.test(runtime, known, person)
    except WrongSettings as error:
        return wrong_settings(error)
    except CannotOpen as error:
        raise Problem(409, str(error)) from None
    finally:
        give()
    return once(msgspec.convert(as_json.of_trial(done, person), Tested))


@operation(
    blueprint,
    f"{SUBSCRIPTION}/reconcile",
    summary="Compare a set",
    takes=Repair,
    needs_body=False,
    answer=Compared,
    errors=(403, 404, 409, 413),
    scope="deliver",
)
def reconcile_subscription(_query: NoQuery, subscription_id: int) -> Response:
    """Compare the set at the destination with who should be in it, and with `repair` have it told of the difference.
    409 where it could not be read."""
    given, runtime = bodies.read(Repair, may_be_empty=True), current_runtime()
    known = runtime.database.read(lambda db: find(db, subscription_id))
    give = place()
    try:
        check_type(known.type)
        found = msgspec.to_builtins(reconcile.reconcile(runtime, known, repair=given.repair))
    except WrongSettings as error:
        return wrong_settings(error)
    except CannotOpen as error:
        raise Problem(409, str(error)) from None
    except (OSError, SQLAlchemyError) as error:
        raise Problem(409, f"What is there could not be read ({type(error).__name__}).") from None
    finally:
        give()
    after = {name: count for name, count in found.items() if name != "samples"}
    who = (f"token {token_name()}", "subscription.reconcile", as_json.subject(known))
    runtime.database.write(lambda db: note(db, runtime.clock(), *who, after=after))
    return once(msgspec.convert(found, Compared))
