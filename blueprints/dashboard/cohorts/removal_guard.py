"""The removal guard of a cohort: its share, and the decision about a refresh that is held."""

from collections.abc import Callable, Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, bindparam, text

from blueprints import paging, urls
from blueprints.cohorts import Cohort, find
from blueprints.dashboard import blueprint
from blueprints.dashboard.cohorts import members
from blueprints.dashboard.cohorts.head import HeldRefresh, head, held
from blueprints.dashboard.cohorts.members import Listing, MemberStay
from runtime import current_runtime
from security.audit import note
from security.roles import needs
from security.sign_in_guard import operator
from sync.rules import Rules
from sync.sweep import decisions
from sync.sweep import held as words

SHOWN = 50

_SESSION = text("""
    SELECT would_leave, would_leave_of, held_for, mixpanel_session_id FROM sync_session
    WHERE id = :id AND cohort_id = :cohort""")

_STAYS = text("""
    SELECT person_id, entered_at, entry_number FROM membership WHERE cohort_id = :cohort AND person_id IN :ids
    ORDER BY person_id""").bindparams(bindparam("ids", expanding=True))

GONE = "This refresh is not held any more: it was decided on, or a newer one has replaced it. Nothing was changed."


def subject(cohort: Cohort) -> str:
    """How the audit trail names a cohort."""
    return f"cohort {cohort.mixpanel_cohort_id} of project {cohort.project_id} ({cohort.label})"


# --- the share


@blueprint.get("/cohorts/<int:cohort_id>/settings")
def cohort_settings(cohort_id: int) -> str:
    return _settings(cohort_id, None, None)


@blueprint.post("/cohorts/<int:cohort_id>/settings")
@needs("operator")
def set_guard(cohort_id: int) -> ResponseReturnValue:
    """The cohort's own share, or none: then the setting's holds."""
    given = request.form.get("percent", "").strip()
    if given and not _is_percent(given):
        return _settings(cohort_id, given, "Give a whole number from 0 to 100, or nothing for the default."), 422
    percent = int(given) if given else None
    current_runtime().database.write(lambda db: _set_percent(db, cohort_id, percent))
    flash("The removal guard of this cohort is set.")
    return redirect(url_for("dashboard.cohort_settings", cohort_id=cohort_id))


def _is_percent(given: str) -> bool:
    return 0 <= urls.key(given, -1) <= decisions.HIGHEST_PERCENT


def _set_percent(db: Connection, cohort_id: int, percent: int | None) -> None:
    cohort = find(db, cohort_id)
    if cohort.guard_percent == percent:
        return
    decisions.set_percent(db, cohort_id, percent)
    before, after = {"percent": cohort.guard_percent}, {"percent": percent}
    note(db, current_runtime().clock(), operator().email, "cohort.guard", subject(cohort), before, after)


def _settings(cohort_id: int, given: str | None, wrong: str | None) -> str:
    runtime = current_runtime()
    found = runtime.database.read(lambda db: head(db, cohort_id))
    rules = Rules.of(runtime.settings)
    return render_template("dashboard/cohorts/settings.html", head=found, rules=rules, given=given, wrong=wrong)


# --- a held refresh


@blueprint.get("/cohorts/<int:cohort_id>/held")
def held_refresh(cohort_id: int) -> ResponseReturnValue:
    """Show who would leave; redirect to the cohort where no refresh is held."""
    after = urls.key_of_query("after")

    def read(db: Connection) -> tuple[Cohort, HeldRefresh | None, Listing]:
        cohort, session = find(db, cohort_id), held(db, cohort_id)
        return cohort, session, _leaving(db, cohort_id, session.id, after) if session else Listing([])

    cohort, session, listing = current_runtime().database.read(read)
    if session is None:
        flash("No refresh of this cohort is held.")
        return redirect(url_for("dashboard.show_cohort", cohort_id=cohort_id))
    return render_template(
        "dashboard/cohorts/held.html",
        cohort=cohort,
        session=session,
        listing=listing,
        after=after,
        pages=paging.pager(len(listing.rows), listing.key, session.would_leave, key="after"),
        words=words,
    )


def _leaving(db: Connection, cohort_id: int, session_id: int, after: int) -> Listing:
    ids = decisions.would_leave(db, session_id, after, SHOWN + 1)
    shown, last = paging.split(ids, SHOWN)
    return members.listing(members.people(db, _stays(db, cohort_id, shown)), last)


def _stays(db: Connection, cohort_id: int, ids: Sequence[int]) -> list[MemberStay]:
    if not ids:
        return []
    return [MemberStay(*row) for row in db.execute(_STAYS, {"cohort": cohort_id, "ids": list(ids)})]


@blueprint.post("/cohorts/<int:cohort_id>/held/approve")
@needs("operator")
def approve_held(cohort_id: int) -> ResponseReturnValue:
    runtime = current_runtime()
    rules = Rules.of(runtime.settings)
    done = _decide(cohort_id, "approved", lambda db, session: decisions.approve(db, session, rules, runtime.clock()))
    flash("Approved. Those whom the refresh did not name leave." if done else GONE)
    return redirect(url_for("dashboard.show_cohort", cohort_id=cohort_id))


@blueprint.post("/cohorts/<int:cohort_id>/held/reject")
@needs("operator")
def reject_held(cohort_id: int) -> ResponseReturnValue:
    runtime = current_runtime()
    done = _decide(cohort_id, "rejected", lambda db, session: decisions.reject(db, session, runtime.clock()))
    flash("Rejected. Everyone stays, and nobody leaves by this refresh." if done else GONE)
    return redirect(url_for("dashboard.show_cohort", cohort_id=cohort_id))


def _decide(cohort_id: int, decision: str, act: Callable[[Connection, int], bool]) -> bool:
    """Decide about the very refresh that the operator has seen, and note it; False where it is not held any more."""
    session_id, runtime = urls.key(request.form.get("session", "")), current_runtime()

    def write(db: Connection) -> bool:
        cohort = find(db, cohort_id)
        session = db.execute(_SESSION, {"id": session_id, "cohort": cohort_id}).one_or_none() or abort(404)
        if not act(db, session_id):
            return False
        before = {"state": "held", "would_leave": session.would_leave, "of": session.would_leave_of}
        before |= {"held_for": words.reason(session)}
        after = {"decision": decision, "session": session_id}
        note(db, runtime.clock(), operator().email, "cohort.held", subject(cohort), before, after)
        return True

    return runtime.database.write(write)
