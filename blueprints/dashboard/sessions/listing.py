"""The list of sessions: a row for each cohort and cycle, with its adds and removes together, and the cycles that
changed nothing as lines between them.

A page looks at no more than EXAMINED sessions, so that it costs the same whatever is asked for and however many there
are; where it has found little in them, the next one goes on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, TextClause, text

from blueprints import rows
from blueprints.dashboard.sessions.filters import KINDS, SessionFilters
from blueprints.dashboard.sessions.session import COLUMNS, ListedSession
from blueprints.dashboard.sessions.words import RUNNING
from config.clock import MINUTE
from config.words import _, later
from models.sessions import IS_UNFINISHED
from sync.status.cadence import TOGETHER

EXAMINED = 6000  # sessions, more than a day of 60 cohorts
LEAST, MOST = 50, 150  # sessions of a page: it ends between them where no cycle is cut in two
SLOT = 30 * MINUTE
SKEW = 200  # sessions whose ids and beginnings may be in another order, as several processes number and time them

_FLOOR = text("""
    SELECT coalesce(min(id), 0) AS lowest, count(*) AS examined FROM (
        SELECT id FROM sync_session WHERE id < :before ORDER BY id DESC LIMIT :examined) w""")
_OLDEST = text("SELECT id FROM sync_session WHERE started_at >= :since ORDER BY started_at LIMIT 1")
_NEWEST = text("SELECT id FROM sync_session WHERE started_at < :until ORDER BY started_at DESC LIMIT 1")
_ANY = text("SELECT 1 FROM sync_session LIMIT 1")

CHANGED = "(s.entered > 0 OR s.left_count > 0)"
NOTABLE = f"({CHANGED} OR s.rejected > 0 OR s.status <> 'complete')"

# Of adds and removes that came together and changed nothing the first counts for both, and neither where the other has
# changed something.
_PARTNER = f"""NOT EXISTS (
    SELECT 1 FROM sync_session q WHERE q.cohort_id = s.cohort_id AND q.number = s.number {{next}}
        AND q.action <> s.action AND 'members' NOT IN (q.action, s.action)
        AND abs(q.started_at - s.started_at) <= {TOGETHER} {{only}})"""  # noqa: S608 - our own words
PARTNERS = (
    _PARTNER.format(next="- 1", only=""),
    _PARTNER.format(next="+ 1", only=f"AND {NOTABLE.replace('s.', 'q.')}"),
)


_TITLES = {"members": later("Refresh of %(label)s"), "erasure": later("Erasure of %(label)s")}
_DIFF = later("Diff of %(label)s")


@dataclass(frozen=True)
class Cycle:
    """What a cohort was sent together: one session, or its adds and its removes, the newest first."""

    sessions: tuple[ListedSession, ...]

    @property
    def session(self) -> ListedSession:
        """Return the one that the row leads to and whose state it shows: one that is not complete, or the newest."""
        return next((one for one in self.sessions if one.status != "complete"), self.sessions[0])

    @property
    def what(self) -> str:
        """`Diff of Paying users`."""
        return _(_TITLES.get(self.session.action, _DIFF), label=self.session.label)

    @property
    def started_at(self) -> int:
        return min(one.started_at for one in self.sessions)

    def total(self, column: str) -> int:
        return sum(getattr(one, column) for one in self.sessions)

    def changed(self, column: str) -> list[ListedSession]:
        """Return those of its sessions that have something in this column."""
        return [one for one in self.sessions if getattr(one, column)]

    def takes(self, older: ListedSession) -> bool:
        """Whether `older` belongs to it: the adds to the removes that came together, or the other way round."""
        (mine, *others) = self.sessions
        is_other = {mine.action, older.action} == {"add_members", "remove_members"}
        is_next = mine.number - older.number == 1 or (mine.mixpanel_session_id or None) == older.mixpanel_session_id
        return not others and is_other and is_next and mine.started_at - older.started_at <= TOGETHER


class Quiet(NamedTuple):
    """Cycles without change in one half hour; `newest` is the id of the last session of them."""

    slot: int
    cycles: int
    since: int
    until: int
    newest: int


@dataclass(frozen=True)
class Fold:
    """Cycles in a row that changed nothing, between two that did. `is_latest` where nothing came after them."""

    cycles: int
    since: int
    until: int
    newest: int
    is_latest: bool

    def with_older(self, quiet: Quiet) -> "Fold":
        return Fold(self.cycles + quiet.cycles, quiet.since, self.until, self.newest, self.is_latest)


@dataclass(frozen=True)
class SessionList:
    """A page of the list: `lines` are cycles and folds, the newest first. `following` is where the next page begins,
    None at the end. `is_there_any` says whether there is any session at all."""

    lines: Sequence[Cycle | Fold]
    following: int | None
    is_there_any: bool


def read(db: Connection, filters: SessionFilters, now: int) -> SessionList:
    """Read a page; at most six statements."""
    since, until = filters.stretch(now)
    before = filters.before
    if until is not None:
        before = min(before, (db.execute(_NEWEST, {"until": until}).scalar() or 0) + SKEW)
    end = 0
    if since is not None:
        oldest = db.execute(_OLDEST, {"since": since}).scalar()
        end = before if oldest is None else max(0, oldest - SKEW)
    lowest, examined = db.execute(_FLOOR, {"before": before, "examined": EXAMINED}).one()
    floor = 0 if filters.is_unfinished else max(end, lowest)
    given: dict[str, Any] = {"before": before, "floor": floor, "since": since, "until": until}
    found = rows.every(db.execute(*_sessions(filters, given)), ListedSession)
    shown = found[: cut(found)]
    low = shown[-1].id if len(shown) < len(found) else floor
    quiet = _quiet(db, filters, given | {"floor": low}) if filters.folds else []
    goes_on = low if len(shown) < len(found) else floor if examined == EXAMINED and floor > end else None
    is_first = filters.is_first and until is None
    is_there_any = bool(shown or quiet) or db.execute(_ANY).first() is not None
    return SessionList(lines(cycles(shown), quiet, is_first=is_first), goes_on, is_there_any)


def cut(found: Sequence[ListedSession]) -> int:
    """How many of these make a page: LEAST, or a few more so that no cycle is cut in two."""
    places = {one.id: place for place, one in enumerate(found, 1)}
    ends = {one.id: places[cycle.sessions[-1].id] for cycle in cycles(found) for one in cycle.sessions}
    reach = 0
    for place, session in enumerate(found[:MOST], 1):
        reach = max(reach, ends[session.id])
        if place >= LEAST and reach == place:
            return place
    return min(len(found), MOST)


def cycles(sessions: Iterable[ListedSession]) -> list[Cycle]:
    """Put the adds and removes that came together into one; the order stays."""
    found: dict[int, Cycle] = {}
    open_: dict[int, int] = {}
    for session in sessions:
        at = open_.get(session.cohort_id)
        if at is not None and found[at].takes(session):
            found[at] = Cycle((*found[at].sessions, session))
        else:
            found[session.id] = Cycle((session,))
            open_[session.cohort_id] = session.id
    return list(found.values())


def lines(shown: Sequence[Cycle], quiet: Sequence[Quiet], *, is_first: bool) -> list[Cycle | Fold]:
    """Put the cycles that changed nothing between the others, those of a half hour behind its others, and those of
    several half hours in a row together."""
    by_slot: dict[int, list[Cycle]] = {}
    for cycle in shown:
        by_slot.setdefault(cycle.started_at // SLOT, []).append(cycle)
    silent = {row.slot: row for row in quiet}
    found: list[Cycle | Fold] = []
    for slot in sorted({*by_slot, *silent}, reverse=True):
        found += by_slot.get(slot, [])
        row = silent.get(slot)
        if row is None:
            continue
        last = found[-1] if found else None
        if isinstance(last, Fold):
            found[-1] = last.with_older(row)
        else:
            found.append(Fold(row.cycles, row.since, row.until, row.newest, is_first and last is None))
    return found


def _sessions(filters: SessionFilters, given: dict[str, Any]) -> tuple[TextClause, dict[str, Any]]:
    """The statement for the rows of a page and what tells where it ends. CROSS JOIN and the plus before a column are
    for the planners: see `blueprints.api.sessions`."""
    order = f"{'+' if filters.is_unfinished else ''}s.id"
    wanted, values = _wanted(filters, given, order)
    if filters.change == "none":
        wanted.append(f"NOT {NOTABLE}")
    elif filters.change == "some":
        wanted.append(CHANGED)
    elif filters.folds:
        wanted.append(NOTABLE)
    statement = f"""
        SELECT {COLUMNS} FROM sync_session s CROSS JOIN cohort c LEFT JOIN connection k ON k.id = s.connection_id
        WHERE c.id = s.cohort_id AND {" AND ".join(wanted)} ORDER BY {order} DESC LIMIT {MOST + 1}"""  # noqa: S608
    return text(statement), values


def _quiet(db: Connection, filters: SessionFilters, given: dict[str, Any]) -> list[Quiet]:
    """Count the cycles without change between two ids by half hours."""
    wanted, values = _wanted(filters, given, "s.id")
    wanted.append(f"NOT {NOTABLE}")
    if filters.kind in {"", "diff"}:
        wanted += PARTNERS
    statement = text(f"""
        SELECT s.started_at / {SLOT} AS slot, count(*) AS cycles, min(s.started_at) AS since,
            max(s.started_at) AS until, max(s.id) AS newest
        FROM sync_session s CROSS JOIN cohort c LEFT JOIN connection k ON k.id = s.connection_id
        WHERE c.id = s.cohort_id AND {" AND ".join(wanted)} GROUP BY 1 ORDER BY 1 DESC""")  # noqa: S608
    return rows.every(db.execute(statement, values), Quiet)


def _wanted(filters: SessionFilters, given: dict[str, Any], order: str) -> tuple[list[str], dict[str, Any]]:
    """The conditions of these filters, and their values."""
    wanted = [f"{order} < :before", f"{order} >= :floor"]
    values = {name: value for name, value in given.items() if value is not None}
    wanted += [f"s.started_at {sign} :{name}" for name, sign in (("since", ">="), ("until", "<")) if name in values]
    if filters.statuses:
        wanted.append(f"s.status IN {_listed(statuses(filters))}")
    if filters.is_unfinished:
        wanted.append(f"s.{IS_UNFINISHED}")
    if filters.kind:
        wanted.append(f"s.action IN {_listed(KINDS[filters.kind][1])}")
    if filters.connection:
        wanted.append("k.name = :connection")
        values["connection"] = filters.connection
    if filters.cohort:
        wanted.append("(lower(c.name) LIKE lower(:like) ESCAPE '!' OR c.mixpanel_cohort_id = :cohort)")
        values |= {"cohort": filters.cohort, "like": f"%{_literal(filters.cohort)}%"}
    return wanted, values


def statuses(filters: SessionFilters) -> tuple[str, ...]:
    """Return the statuses that are asked for, as rows have them."""
    return tuple(dict.fromkeys(one for name in filters.statuses for one in (RUNNING if name == "running" else (name,))))


def _listed(words: tuple[str, ...]) -> str:
    """Words of ours as a list in SQL."""
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def _literal(searched: str) -> str:
    """For LIKE: its own signs stand for themselves."""
    return searched.replace("!", "!!").replace("%", "!%").replace("_", "!_")
