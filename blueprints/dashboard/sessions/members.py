"""Who is behind each number of a session (S14): received, entered, left, unchanged and rejected.

Received and unchanged are read page by page from whom each page has seen, entered and left from the cohort's log.
Every list costs the same from its first page to its last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flask import render_template, request
from sqlalchemy import Connection, bindparam, text

from blueprints import paging, rows, urls
from blueprints.dashboard import blueprint, reading
from blueprints.dashboard.people.profile import PersonSummary
from blueprints.dashboard.sessions import words
from blueprints.dashboard.sessions.session import Session, find
from blueprints.dashboard.sessions.words import NUMBERS
from blueprints.paging import AFTER_ALL, split
from models.queries import rejected
from models.queries.trail import trail
from models.statement import Statement
from sync.contract.identity import REASONS
from sync.id_sets import decode

PAGE = 100
PAGES_AT_ONCE = 102  # of the session: enough to fill a list and more, unless most of them are empty
LOOKED_AT = 3000  # people whose changes are looked up to find those without any
LOWEST, HIGHEST = -(10**18) + 1, 10**18 - 1  # what a URL may say
OF_THE_LOG = {"entered", "left", "unchanged"}
COUNTED = {"entered", "left"}  # whoever two pages named is listed with both, and of rejected members not all are kept

_ENTERED = Statement("""
    SELECT number, person_id, at, entry_number FROM membership_change
    WHERE cohort_id = :cohort_id AND number > :after AND number BETWEEN :first AND :last AND session_id = :session_id
        AND entered
    ORDER BY number LIMIT :limit""")

# A refresh's exits are at the end of its stretch of the log.
_LEFT = Statement("""
    SELECT number, person_id, at, entry_number FROM membership_change
    WHERE cohort_id = :cohort_id AND number < :after AND number BETWEEN :first AND :last AND session_id = :session_id
        AND NOT entered
    ORDER BY number DESC LIMIT :limit""")

_SEEN = f"""
    SELECT page, seen FROM sync_page WHERE session_id = :session_id AND page >= :page AND page <= :total {{}}
    ORDER BY page LIMIT {PAGES_AT_ONCE}"""  # noqa: S608 - a number of ours
_ALL_SEEN = Statement(_SEEN.format(""))
_SOME_UNCHANGED = Statement(_SEEN.format("AND unchanged > 0"))


# Back to where the session began.
_CHANGED = text(
    trail(
        ("person_id", "session_id"),
        "SELECT DISTINCT person_id FROM trail WHERE session_id = :session_id",
        begins="""membership m CROSS JOIN membership_change x
        WHERE m.cohort_id = :cohort_id AND m.person_id IN :ids AND m.change_number >= :first
            AND x.cohort_id = m.cohort_id AND x.number = m.change_number""",
        goes_on="t.previous >= :first",
    )
).bindparams(bindparam("ids", expanding=True))

_PEOPLE = text("SELECT id, distinct_id, email, first_name, last_name FROM person WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


class ListPosition(NamedTuple):
    """Where in a list we are: behind `after` (a row of the log, or a person or member of page `page`), with `shown`
    before it. An address says `PAGE_AFTER`."""

    page: int = LOWEST
    after: int = -1
    shown: int = 0

    @property
    def key(self) -> str:
        return f"{self.page}_{self.after}"


@dataclass
class Members:
    """Some of a list: rows of `person_id`, `page`, `at`, `entry_number`, or of `page`, `reason`, `value`."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    following: ListPosition | None = None


@blueprint.get(f"/sessions/<int:session_id>/members/<any({', '.join(NUMBERS)}):kind>")
def list_session_members(session_id: int, kind: str) -> str:
    place = _place()

    def read(db: Connection) -> tuple[Session, Members, dict[int, PersonSummary]]:
        session = find(db, session_id)
        members = _READERS[kind](db, session, place)
        ids = [row["person_id"] for row in members.rows if "person_id" in row]
        return session, members, _people(db, ids)

    session, members, people = reading.read(read)
    is_pruned = kind in OF_THE_LOG and 0 < session.first_change <= session.log_gone
    counts, following = words.counts(session), members.following
    total = counts[kind] if kind in COUNTED and not is_pruned else None
    return render_template(
        "dashboard/sessions/members.html",
        session=session,
        kind=kind,
        number=NUMBERS[kind],
        counts=counts,
        title=words.what(session.action, session.label),
        members=members.rows,
        is_pruned=is_pruned,
        people=people,
        pages=paging.pager(len(members.rows), following.key if following else None, total, key="after"),
    )


def _people(db: Connection, ids: Sequence[int]) -> dict[int, PersonSummary]:
    return {person.id: person for person in rows.every(db.execute(_PEOPLE, {"ids": ids}), PersonSummary)} if ids else {}


def _place() -> ListPosition:
    page, _, after = request.args.get("after", "").partition("_")
    return ListPosition(urls.integer(page, LOWEST), urls.integer(after, -1), paging.seen())


# --- from the log


def _entered(db: Connection, session: Session, place: ListPosition) -> Members:
    return _changes(db, session, place, _ENTERED, session.entered)


def _left(db: Connection, session: Session, place: ListPosition) -> Members:
    place = place._replace(after=AFTER_ALL) if place.after < 0 else place
    return _changes(db, session, place, _LEFT, session.left_count)


def _changes(db: Connection, session: Session, place: ListPosition, statement: Statement, total: int) -> Members:
    """How many there are is known, so that behind the last of them nobody searches the rest of the log."""
    limit = min(PAGE, total - place.shown)
    if limit <= 0:
        return Members()
    values = {"cohort_id": session.cohort_id, "session_id": session.id, "after": place.after, "limit": limit}
    rows = statement.all(db, values | {"first": session.first_change, "last": session.last_change})
    shown = place.shown + len(rows)
    following = ListPosition(after=rows[-1][0], shown=shown) if len(rows) == limit and shown < total else None
    return Members([{"person_id": who, "at": at, "entry_number": entry} for _, who, at, entry in rows], following)


# --- from the pages


def _received(db: Connection, session: Session, place: ListPosition) -> Members:
    named, more = _named(db, session, place, _ALL_SEEN, PAGE)
    return _of_pages(named, more)


def _unchanged(db: Connection, session: Session, place: ListPosition) -> Members:
    """List those whom this session did not change. Where a page came in several versions, its count of them is the last
    version's alone, and does not tell which pages to leave out."""
    statement = _ALL_SEEN if session.unclear else _SOME_UNCHANGED
    named, more = _named(db, session, place, statement, LOOKED_AT)
    changed = _changed(db, session, [person_id for _, person_id in named])
    rest = [person for person in named if person[1] not in changed]
    if len(rest) > PAGE:
        return _of_pages(rest[:PAGE], ListPosition(*rest[PAGE - 1]))
    return _of_pages(rest, more)


def _of_pages(named: Sequence[tuple[int, int]], following: ListPosition | None) -> Members:
    return Members([{"person_id": person_id, "page": page} for page, person_id in named], following)


def _named(
    db: Connection, session: Session, place: ListPosition, statement: Statement, most: int
) -> tuple[list[tuple[int, int]], ListPosition | None]:
    """The next `most` (page, person id) behind `place`, and where to go on if there may be more. Pages past the total
    belong to an earlier attempt of the same export (`sync.sweep.leavers`)."""
    total = session.total_pages if session.action == "members" and session.total_pages is not None else AFTER_ALL
    blobs = statement.all(db, {"session_id": session.id, "page": place.page, "total": total})
    found: list[tuple[int, int]] = []
    for page, blob in blobs:
        people = decode(bytes(blob)) if blob else ()
        new = [(page, person_id) for person_id in people if page > place.page or person_id > place.after]
        found += new[: most + 1 - len(found)]
        if len(found) > most:
            return found[:most], ListPosition(*found[most - 1])
    return found, ListPosition(blobs[-1][0], HIGHEST) if len(blobs) == PAGES_AT_ONCE else None


def _changed(db: Connection, session: Session, ids: Iterable[int]) -> set[int]:
    ids = sorted(set(ids))
    if not ids or not session.first_change:
        return set()
    values = {"cohort_id": session.cohort_id, "session_id": session.id, "first": session.first_change, "ids": ids}
    return set(db.execute(_CHANGED, values).scalars())


def _rejected(db: Connection, session: Session, place: ListPosition) -> Members:
    found = rejected.listed(db, session.id, PAGE + 1, (place.page, place.after))
    shown, last = split(found, PAGE)
    rows = [
        {"page": cohort.page, "reason": REASONS.get(cohort.reason, cohort.reason), "value": cohort.value}
        for cohort in shown
    ]
    return Members(rows, ListPosition(last.page, last.nth) if last else None)


_READERS = {
    "received": _received,
    "entered": _entered,
    "left": _left,
    "unchanged": _unchanged,
    "rejected": _rejected,
}
