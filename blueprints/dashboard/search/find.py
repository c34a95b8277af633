"""What answers to a few letters: a bounded number of each kind, by looks into indexes, or through what is small."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask import url_for
from sqlalchemy import Connection, text

from blueprints import rows
from blueprints.dashboard.people.profile import FoundPerson
from blueprints.dashboard.people.routes import NAMESAKES
from blueprints.dashboard.people.routes import search as exact_people
from blueprints.dashboard.search import places
from blueprints.dashboard.sessions import words as session_words
from blueprints.formatting import short_id
from blueprints.urls import can_be_stored
from security.roles import covers

MOST = 6  # of each kind
LEAST_LETTERS = 2  # from which on beginnings of names and e-mails are looked for
REQUEST_ID = 8  # characters from which on something may be the id of a request
_HIGHEST = "\U0010ffff"  # sorts behind every character

_BEGIN = " UNION ".join(
    f"""SELECT id FROM (SELECT id FROM person WHERE {name} IS NOT NULL AND lower({name}) >= :start
        AND lower({name}) < :end ORDER BY lower({name}) LIMIT :most) AS by_{name}"""  # noqa: S608 - our own words
    for name in ("email", "first_name", "last_name")
)
_BEGINNINGS = text(f"""
    SELECT id, project_id, distinct_id, email, first_name, last_name FROM person WHERE id IN ({_BEGIN})
    ORDER BY lower(coalesce(first_name, last_name, email)), id LIMIT :most""")  # noqa: S608 - our own words

# Beginnings of both names, among so many of those whose last name begins so.
_FULL_NAMES = text("""
    SELECT id, project_id, distinct_id, email, first_name, last_name FROM (
        SELECT id, project_id, distinct_id, email, first_name, last_name FROM person
        WHERE last_name IS NOT NULL AND lower(last_name) >= :last AND lower(last_name) < :last_end
        ORDER BY lower(last_name) LIMIT :namesakes) called
    WHERE lower(first_name) >= :first AND lower(first_name) < :first_end
    ORDER BY lower(last_name), lower(first_name), id LIMIT :most""")

# Small tables, looked through as a whole.
_NAMED = text("""
    SELECT kind, id, word, detail FROM (
        SELECT 'cohort' AS kind, id, coalesce(nullif(name, ''), mixpanel_cohort_id) AS word,
            mixpanel_cohort_id AS detail, lower(name) AS name FROM cohort
        UNION ALL SELECT 'connection', id, name, '', lower(name) FROM connection
        UNION ALL SELECT 'destination', id, name, type, lower(name) FROM destination) named
    WHERE name LIKE :like ESCAPE '!' OR (kind = 'cohort' AND detail = :given)
    ORDER BY kind, CASE WHEN name LIKE :begins ESCAPE '!' THEN 0 ELSE 1 END, name, id LIMIT 60""")

# One probe of an index for each cohort.
_SESSIONS = text("""
    SELECT s.id, s.action, s.number, coalesce(nullif(c.name, ''), c.mixpanel_cohort_id) AS label
    FROM cohort c CROSS JOIN sync_session s WHERE s.cohort_id = c.id AND s.mixpanel_session_id = :given
    ORDER BY s.id DESC LIMIT :most""")
_FAILURES = text("SELECT id, message FROM failure WHERE request_id = :given ORDER BY id DESC LIMIT :most")

COMPARE, ROTATE = "compare", "rotate"


class Named(NamedTuple):
    """A cohort, connection or destination, as `kind` says; `detail` is a cohort's id in Mixpanel, or a type."""

    kind: str
    id: int
    word: str
    detail: str


@dataclass(frozen=True)
class Hit:
    """Something that was found: its kind in a word, what it is called, what else tells it from others, and its page."""

    kind: str
    word: str
    detail: str
    path: str


def hits(db: Connection, given: str, role: str) -> list[Hit]:
    """Find what answers to what was typed, the likeliest kinds first; at most six statements."""
    wanted = " ".join(given.split())
    if not wanted or not can_be_stored(given):
        return []
    words = wanted.lower().split()
    named = _named(db, wanted)
    return [
        *_of_names(named),
        *_people(db, given, wanted),
        *_sessions(db, wanted),
        *(Hit("Page", place.word, "", place.path) for place in places.named(words, role)[:MOST]),
        *_actions(db, wanted, named, role),
        *(Hit("Send", name, "", url_for("outbound.compose", operation=id_)) for id_, name in places.calls(words, MOST)),
    ]


def _named(db: Connection, wanted: str) -> Sequence[Named]:
    literal = wanted.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    values = {"given": wanted, "like": f"%{literal}%", "begins": f"{literal}%"}
    return rows.every(db.execute(_NAMED, values), Named)


def _of_names(named: Iterable[Named]) -> Iterator[Hit]:
    for kind in ("cohort", "connection", "destination"):
        for row in [row for row in named if row.kind == kind][:MOST]:
            yield Hit(kind.capitalize(), row.word, row.detail if row.detail != row.word else "", _path(row))


def _path(row: Named) -> str:
    if row.kind == "connection":
        return url_for("dashboard.show_connection", name=row.word)
    if row.kind == "cohort":
        return url_for("dashboard.show_cohort", cohort_id=row.id)
    return url_for("dashboard.show_destination", destination_id=row.id)


def _people(db: Connection, given: str, wanted: str) -> Iterator[Hit]:
    found = {person.id: person for person in exact_people(db, given)[:MOST]}
    start = wanted.encode().lower().decode()
    if len(found) < MOST and len(start) >= LEAST_LETTERS:
        for person in _beginning(db, start):
            found.setdefault(person.id, person)
    for person in list(found.values())[:MOST]:
        shown = person.name or person.email or short_id(person.distinct_id)
        detail = person.email if person.name and person.email else person.distinct_id
        yield Hit("Person", shown, detail, url_for("dashboard.show_person", person_id=person.id))


def _beginning(db: Connection, start: str) -> list[FoundPerson]:
    """Find people whose e-mail or name begins so; of two words each is the beginning of a name."""
    first, _, last = start.partition(" ")
    if not last:
        values = {"start": start, "end": start + _HIGHEST, "most": MOST}
        return rows.every(db.execute(_BEGINNINGS, values), FoundPerson)
    names = {"first": first, "first_end": first + _HIGHEST, "last": last, "last_end": last + _HIGHEST}
    return rows.every(db.execute(_FULL_NAMES, names | {"namesakes": NAMESAKES, "most": MOST}), FoundPerson)


def _sessions(db: Connection, wanted: str) -> Iterator[Hit]:
    values = {"given": wanted, "most": MOST}
    for row in db.execute(_SESSIONS, values):
        path = url_for("dashboard.show_session", session_id=row.id)
        yield Hit("Session", session_words.what(row.action, row.label), f"No. {row.number}", path)
    if len(wanted) >= REQUEST_ID:
        for row in db.execute(_FAILURES, values):
            yield Hit("Failure", row.message, "", url_for("dashboard.show_failure", failure_id=row.id))


def _actions(db: Connection, wanted: str, named: Sequence[Named], role: str) -> Iterator[Hit]:
    """What can be done with what is named: `compare paying`, `rotate crm`, or just its name."""
    if not covers(role, "operator"):
        return
    verb, _, rest = wanted.lower().partition(" ")
    if rest and any(action.startswith(verb) for action in (COMPARE, ROTATE)):
        named = [*_named(db, rest), *named]
    for row in list(dict.fromkeys(named))[: 2 * MOST]:
        if row.kind == "cohort" and (not rest or COMPARE.startswith(verb)):
            path = url_for("outbound.list_comparisons", cohort=row.id, _anchor="ask")
            yield Hit("Do", f"Compare {row.word} with Mixpanel", "", path)
        elif row.kind == "connection" and (not rest or ROTATE.startswith(verb)):
            path = url_for("dashboard.show_connection", name=row.word, _anchor="rotate")
            yield Hit("Do", f"Rotate the password of {row.word}", "", path)
