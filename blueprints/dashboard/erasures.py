"""Erasing a person: the question that says what will be lost, the proof, and the proofs of all erasures."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Row, text

from blueprints import paging, rows
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import words
from blueprints.dashboard.people.profile import FoundPerson
from blueprints.urls import can_be_stored
from destinations import erasure as destinations_erasure
from erasure import DataSubject, InTheWay, NothingToErase, eraser, records
from erasure.labels import AGAIN, told
from runtime import current_runtime
from security import handover, sign_in_guard
from security.roles import covers, needs

PAGE = 50
LONGEST = 1000  # characters; no id is longer

_PERSON = text("""
    SELECT id, project_id, distinct_id, email, first_name, last_name FROM person
    WHERE id = :id AND erased_at IS NULL""")
_OUTBOUND = text("SELECT count(*) FROM project WHERE mixpanel_project_id = :project_id")


@blueprint.get("/people/<int:person_id>/erase")
@needs("admin")
def ask_erase(person_id: int) -> str:
    """Ask first, with counts of what will be lost; nothing is changed yet."""
    return _question(_find(person_id))


@blueprint.post("/people/<int:person_id>/erase")
@needs("admin")
def erase_person(person_id: int) -> ResponseReturnValue:
    person = _find(person_id)
    try:
        done = eraser(current_runtime()).erase(
            DataSubject(person.project_id, person.distinct_id), sign_in_guard.operator().email
        )
    except InTheWay:
        return _question(person), 409
    except NothingToErase:  # somebody else was faster
        abort(404)
    return redirect(url_for("dashboard.show_erasure", erasure_id=done.id), 303)


@blueprint.get("/settings/erasures")
def list_erasures() -> ResponseReturnValue:
    """The proofs, and the answer to whoever has asked about an id (`?search=`)."""
    key = request.args.get("search")
    if key is None:
        return _listed(None, None)
    kept = handover.find("search", key)
    if kept is None or not covers(sign_in_guard.operator().role, "operator"):
        flash(handover.GONE)
        return redirect(url_for("dashboard.list_erasures"))
    given, found = DataSubject(*kept), eraser(current_runtime())
    return _listed(given, {"proofs": found.erased(given), "left": found.look(given).counts})


@blueprint.get("/settings/erasures/<int:erasure_id>")
def show_erasure(erasure_id: int) -> str:
    """The proof of one erasure, with what each destination that knew of the person has been told of it."""
    found, outcomes = current_runtime().database.read(
        lambda db: (records.by_id(db, erasure_id), destinations_erasure.outcomes(db, erasure_id))
    )
    return render_template(
        "dashboard/settings/erasure.html",
        erasure=found or abort(404),
        outcomes=outcomes,
        under_way=sum(outcome.finished_at is None for outcome in outcomes),
        words=words,
        told=told,
        again=AGAIN,
    )


@blueprint.post("/settings/erasures/check")
@needs("operator")
def check_erasure() -> ResponseReturnValue:
    """Whether somebody was erased, for whoever has the id; a form, so that no id stands in an address."""
    given = DataSubject(*(request.form.get(name, "").strip()[:LONGEST] for name in ("project_id", "distinct_id")))
    if not (given.project_id and given.distinct_id and all(map(can_be_stored, (given.project_id, given.distinct_id)))):
        return _listed(given, None, wrong=True), 422
    key = handover.leave("search", [given.project_id, given.distinct_id])
    return redirect(url_for("dashboard.list_erasures", search=key, _anchor="check"), 303)


def _find(person_id: int) -> FoundPerson:
    found = current_runtime().database.read(
        lambda db: rows.one_or_none(db.execute(_PERSON, {"id": person_id}), FoundPerson), one_statement=True
    )
    return found or abort(404)


def _question(person: FoundPerson) -> str:
    runtime = current_runtime()

    def read(db: Connection) -> tuple[int, list[Row[Any]]]:
        sends = int(db.execute(_OUTBOUND, {"project_id": person.project_id}).scalar_one())
        return sends, destinations_erasure.deleted_by(db, person.project_id, person.id)

    sends, deleted_by = runtime.database.read(read)

    return render_template(
        "dashboard/people/erase.html",
        person=person,
        name=person.name or person.email,
        sight=eraser(runtime).look(DataSubject(person.project_id, person.distinct_id)),
        told=told,
        again=AGAIN,
        can_send=sends > 0,
        deleted_by=deleted_by,
    )


def _listed(given: DataSubject | None, answer: dict[str, Any] | None, *, wrong: bool = False) -> str:
    found = current_runtime().database.read(
        lambda db: records.listed(db, paging.before(), PAGE + 1), one_statement=True
    )
    return render_template(
        "dashboard/settings/erasures.html",
        **paging.shown(found, PAGE, endpoint="dashboard.list_erasures"),
        told=told,
        given=given,
        answer=answer,
        wrong=wrong,
    )
