"""The messages of a subscription, by state or person, and the calls that carried them."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import BigInteger, Connection, bindparam, text

from blueprints import paging, rows, urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import words
from blueprints.dashboard.destinations.subscription import subscription_or_404
from destinations import messages
from destinations.subscriptions import STATES, Subscription
from runtime import current_runtime
from security.roles import needs

PAGE = 50
LONGEST = 1000  # characters of an id
CARRIED = 200  # messages of a call that are listed

_COLUMNS = """m.id, m.kind, m.person_id, p.distinct_id, p.email, m.entry_number, m.state, m.reason, m.attempts,
    m.attempt_id, m.origin, m.at, m.next_at, m.created_at, m.finished_at, m.report"""
# The messages first and by themselves, then their people one by one, as `models.queries.members` does.
_LIST = """
    SELECT {columns} FROM (
        SELECT * FROM message
        WHERE subscription_id = :subscription AND id < :before {filters} ORDER BY id DESC LIMIT :limit) m
    CROSS JOIN person p WHERE p.id = m.person_id ORDER BY m.id DESC"""
_CARRIED = text(f"""
    SELECT {_COLUMNS} FROM message m JOIN person p ON p.id = m.person_id
    WHERE m.id IN :ids AND m.subscription_id = :subscription ORDER BY m.id""").bindparams(  # noqa: S608
    bindparam("ids", type_=BigInteger, expanding=True)
)
_PERSON = text("SELECT id, distinct_id FROM person WHERE id = :id AND project_id = :project_id")


@dataclass(frozen=True)
class ListedMessage:
    """A message with its person, whose row stays when they are erased."""

    id: int
    kind: str
    person_id: int
    distinct_id: str
    email: str | None
    entry_number: int
    state: str
    reason: str | None
    attempts: int
    attempt_id: int | None
    origin: str
    at: int
    next_at: int | None
    created_at: int
    finished_at: int | None
    report: str | None


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/messages")
def list_messages(subscription_id: int) -> str:
    """Of a state (`state`), of a person (`person`, our own id of them), or all; the newest first."""
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    person = urls.key_of_query("person")

    def read(db: Connection) -> tuple[Subscription, list[ListedMessage], Any]:
        known = subscription_or_404(db, subscription_id)
        chosen = db.execute(_PERSON, {"id": person, "project_id": known.project_id}).one_or_none() if person else None
        return known, _listed(db, known, state, person), chosen

    known, found, chosen = current_runtime().database.read(read)
    return render_template(
        "dashboard/destinations/messages.html",
        known=known,
        state=state,
        person=person,
        chosen=chosen,
        states=[(name, words.STATES[name][1]) for name in STATES],
        words=words,
        **paging.shown(found, PAGE, {"state": state or None, "person": person or None}),
    )


@blueprint.post("/destinations/subscriptions/<int:subscription_id>/messages")
@needs("viewer")
def find_messages(subscription_id: int) -> ResponseReturnValue:
    """Whoever has this distinct id; no address holds it."""
    given = urls.storable(request.form.get("distinct_id", "").strip()[:LONGEST])
    state = request.form.get("state", "")

    def read(db: Connection) -> int | None:
        return messages.person_of(db, subscription_or_404(db, subscription_id).project_id, given)

    person = current_runtime().database.read(read) if given else None
    if given and person is None:
        flash("Nobody has this distinct id in this project.", "needs-you")
    path = url_for("dashboard.list_messages", subscription_id=subscription_id, state=state or None, person=person)
    return redirect(path, 303)


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/attempts")
def list_attempts(subscription_id: int) -> str:
    """The calls, the newest first."""

    def read(db: Connection) -> tuple[Subscription, Any]:
        known = subscription_or_404(db, subscription_id)
        return known, messages.attempts(db, known, paging.before(), PAGE + 1)

    known, found = current_runtime().database.read(read)
    return render_template(
        "dashboard/destinations/attempts.html", known=known, words=words, **paging.shown(found, PAGE)
    )


@blueprint.get("/destinations/subscriptions/<int:subscription_id>/attempts/<int:attempt_id>")
def show_attempt(subscription_id: int, attempt_id: int) -> str:
    """One call: what it was answered, and what became of each message that it carried."""

    def read(db: Connection) -> tuple[Subscription, Any, list[int], list[ListedMessage]]:
        known = subscription_or_404(db, subscription_id)
        attempt = messages.attempt(db, known, attempt_id) or abort(404)
        ids = messages.unpacked(attempt.message_ids)
        values = {"ids": ids[:CARRIED], "subscription": known.id}
        return known, attempt, ids, rows.every(db.execute(_CARRIED, values), ListedMessage)

    known, attempt, ids, found = current_runtime().database.read(read)
    return render_template(
        "dashboard/destinations/attempt.html", known=known, attempt=attempt, ids=ids, found=found, words=words
    )


def _listed(db: Connection, known: Subscription, state: str, person: int) -> list[ListedMessage]:
    values: dict[str, Any] = {"subscription": known.id, "before": paging.before(), "limit": PAGE + 1}
    filters = ""
    if state:
        filters, values["state"] = "AND state = :state", state
    if person:
        filters, values["person"] = f"{filters} AND person_id = :person", person
    statement = text(_LIST.format(columns=_COLUMNS, filters=filters))
    return rows.every(db.execute(statement, values), ListedMessage)
