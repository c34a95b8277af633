"""People: found by id, e-mail or name, and one of them with everything that is known.

Searches are forms that are posted, so that no id and no e-mail stands in a URL that logs keep. What they lead to is a
page under a key (`security.handover`): it can be reloaded and gone back to.
"""

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, Text, bindparam, text

from blueprints import paging, rows
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.destinations import words as message_words
from blueprints.dashboard.people import profile as person_profile
from blueprints.dashboard.people import timeline, told
from blueprints.dashboard.people.profile import FoundPerson
from blueprints.dashboard.sessions import words as session_words
from blueprints.paging import split
from blueprints.urls import can_be_stored
from security import handover
from security.roles import needs

MOST = 50  # people that a search lists
NAMESAKES = 2000  # bearers of one name that a search for a full name looks through
LONGEST = 1000  # characters; no id and no name is longer

# Each branch is one look into one index and gives at most MOST + 1 rows, whatever the number of people. Expression
# indexes are partial: SQLite takes them only where the statement says IS NOT NULL itself. A full name is looked for
# among the bearers of the last name and among those of the first name: it is missed only where both have thousands.
_SEARCH = text("""
    WITH called (id) AS (
        SELECT id FROM (SELECT id, first_name FROM person
            WHERE last_name IS NOT NULL AND lower(last_name) IN :last LIMIT :namesakes) AS by_last
        WHERE lower(first_name) IN :first
        UNION
        SELECT id FROM (SELECT id, last_name FROM person
            WHERE first_name IS NOT NULL AND lower(first_name) IN :first LIMIT :namesakes) AS by_first
        WHERE lower(last_name) IN :last
    ), hit (id) AS (
        SELECT id FROM person WHERE distinct_id IN :ids AND project_id IN (SELECT project_id FROM cohort)
        UNION
        SELECT id FROM (SELECT id FROM person
            WHERE email IS NOT NULL AND lower(email) IN :spelt LIMIT :most) AS by_email
        UNION
        SELECT id FROM (SELECT id FROM person
            WHERE first_name IS NOT NULL AND lower(first_name) IN :spelt LIMIT :most) AS by_first_name
        UNION
        SELECT id FROM (SELECT id FROM person
            WHERE last_name IS NOT NULL AND lower(last_name) IN :spelt LIMIT :most) AS by_last_name
        UNION
        SELECT id FROM (SELECT id FROM called LIMIT :most) AS by_full_name
    )
    SELECT p.id, p.project_id, p.distinct_id, p.email, p.first_name, p.last_name
    FROM (SELECT id FROM hit ORDER BY id LIMIT :most) AS h JOIN person p ON p.id = h.id
    ORDER BY p.id""").bindparams(
    *(bindparam(name, type_=Text, expanding=True) for name in ("ids", "spelt", "first", "last"))
)

_PERSON = text("""
    SELECT id, project_id, distinct_id, digest, email, first_name, last_name, phone_number,
        CAST(properties AS text) AS properties, created_at, updated_at, erased_at
    FROM person WHERE id = :id""")

_NOW_IN = text("""
    SELECT c.id, c.name, c.mixpanel_cohort_id, m.entry_number, m.entered_at
    FROM cohort c CROSS JOIN membership m
    WHERE c.project_id = :project_id AND m.cohort_id = c.id AND m.person_id = :id AND m.left_at IS NULL
    ORDER BY m.entered_at DESC""")


_PRUNED = text("""
    SELECT 1 FROM cohort c CROSS JOIN membership m
    WHERE c.project_id = :project_id AND c.log_gone > 0 AND m.cohort_id = c.id AND m.person_id = :id
        AND (m.entry_number > 1 OR m.left_at IS NOT NULL) AND m.entry_number > 0 LIMIT 1""")


@blueprint.get("/people")
def list_people() -> ResponseReturnValue:
    """The box for a search, and what a search has found (`?search=`)."""
    key = request.args.get("search")
    if key is None:
        return _found("", None)
    given = handover.find("search", key)
    if given is None:
        flash(handover.GONE)
        return redirect(url_for("dashboard.list_people"))
    return _found(given, reading.read(lambda db: search(db, given), one_statement=True))


@blueprint.post("/people/search")
@needs("viewer")
def search_people() -> ResponseReturnValue:
    """Whoever has this id, e-mail or name in any project; the only one at once, several as a list."""
    given = request.form.get("q", "")[:LONGEST]
    if not given.strip():
        return redirect(url_for("dashboard.list_people"), 303)
    hits = reading.read(lambda db: search(db, given), one_statement=True)
    if len(hits) == 1:
        return redirect(url_for("dashboard.show_person", person_id=hits[0].id), 303)
    return redirect(url_for("dashboard.list_people", search=handover.leave("search", given)), 303)


@blueprint.get("/people/<int:person_id>")
def show_person(person_id: int) -> ResponseReturnValue:
    """One person: profile, cohorts now, and a page of the line of time (`?before=` for what is older)."""
    before = timeline.place(request.args.get("before", ""))
    found = reading.read(lambda db: _one(db, person_id, before)) if can_be_stored(person_id) else None
    if found is None:
        return render_template("dashboard/people/missing.html"), 404
    return render_template("dashboard/people/one.html", **found)


def search(db: Connection, given: str) -> list[FoundPerson]:
    """Find who has this id, e-mail, first, last or full name: at most MOST + 1, in the order of first arrival."""
    if not can_be_stored(given):
        return []
    words = given.split()
    values = {
        "ids": sorted({given, given.strip()}),
        "spelt": spellings(" ".join(words)),
        "first": spellings(words[0]) if len(words) > 1 else [],
        "last": spellings(" ".join(words[1:])) if len(words) > 1 else [],
        "most": MOST + 1,
        "namesakes": NAMESAKES,
    }
    return rows.every(db.execute(_SEARCH, values), FoundPerson)


def spellings(given: str) -> list[str]:
    """List the spellings that the indexes may hold for it. Both databases fold only the letters of ASCII there, so that
    `élodie` is also looked for as `Élodie` and `ÉLODIE`."""
    ways = {given, given.lower(), given.title(), given.upper()}
    return sorted({way.encode().lower().decode() for way in ways})


def _one(db: Connection, person_id: int, before: timeline.TimelinePosition | None) -> dict[str, Any] | None:
    person = db.execute(_PERSON, {"id": person_id}).one_or_none()
    if person is None:
        return None
    turns, older = timeline.read(db, person.project_id, person_id, before)
    values = {"project_id": person.project_id, "id": person_id}
    return {
        "person": person,
        "is_pruned": older is None and db.execute(_PRUNED, values).first() is not None,
        "name": person_profile.full_name(person.first_name, person.last_name),
        "now_in": db.execute(_NOW_IN, values).all(),
        "turns": turns,
        "pages": paging.pager(len(turns), older),
        "is_first": before is None,
        "kind_of": session_words.kind,
        "properties": person_profile.readable(person.properties),
        "told": told.read(db, person_id),
        "message_words": message_words,
    }


def _found(q: str, hits: Sequence[FoundPerson] | None) -> str:
    shown, last = (None, None) if hits is None else split(hits, MOST)
    return render_template("dashboard/people/list.html", q=q, hits=shown, more=last is not None, most=MOST)
