"""How far an export has come that is not over: whether its next page is late, and which pages are missing.

Every page that says how a session stands asks here. `late` is read, not stored: Mixpanel's next page is overdue, and
nothing is done about it (DESIGN, "late"); after 15 minutes the session is stalled (S13).
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Connection, bindparam, text

from config.clock import MINUTE, SECOND
from config.words import _, number

LEAST = 10 * SECOND  # of silence that are never late
PACES = 3  # so many of its own paces may a session be silent
UNKNOWN = MINUTE  # as long as one page alone has come and tells of no pace
NAMED = 3  # gaps that a sentence names
LOOKED_AT = 20  # sessions whose gaps one look reads

Ranges = Sequence[tuple[int, int]]

# A page that came without a number has a negative one. A gap ends before a page whose predecessor has not come, or at
# the last page; asking for that predecessor costs a third of what looking at all pages in their order does. It is
# counted, because PostgreSQL turns the question whether one EXISTS into a join with the pages of all sessions.
_GAPS = text("""
    SELECT session_id, coalesce((
            SELECT max(b.page) FROM sync_page b
            WHERE b.session_id = ends.session_id AND b.page > 0 AND b.page < ends.page), 0) + 1 AS first,
        page - 1 AS last
    FROM (
        SELECT p.session_id, p.page FROM sync_page p JOIN sync_session s ON s.id = p.session_id
        WHERE p.session_id IN :sessions AND p.page > 1 AND p.page <= s.total_pages AND 0 = (
            SELECT count(*) FROM sync_page b WHERE b.session_id = p.session_id AND b.page = p.page - 1)
        UNION ALL
        SELECT s.id, s.total_pages + 1 FROM sync_session s
        WHERE s.id IN :sessions AND s.total_pages > 0 AND 0 = (
            SELECT count(*) FROM sync_page b WHERE b.session_id = s.id AND b.page = s.total_pages)
        ) ends
    ORDER BY session_id, page""").bindparams(bindparam("sessions", expanding=True))


class Session(Protocol):
    """What is asked of a session's row."""

    @property
    def status(self) -> str: ...
    @property
    def pages_received(self) -> int: ...
    @property
    def started_at(self) -> int: ...
    @property
    def last_page_at(self) -> int: ...


def pace(session: Session) -> float | None:
    """Return the milliseconds from page to page; None where too little has come to tell."""
    paces, took = session.pages_received - 1, session.last_page_at - session.started_at
    return took / paces if paces > 0 else None


def state(session: Session, now: int) -> str:
    """Return the session's status, or `late` where it is receiving and its next page is overdue."""
    if session.status != "receiving":
        return session.status
    known = pace(session)
    patience = UNKNOWN if known is None else max(LEAST, PACES * known)
    return "late" if now - session.last_page_at > patience else "receiving"


def gaps(db: Connection, sessions: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """Return the pages that have not come, as ranges, by session; at most LOOKED_AT sessions, with one statement."""
    found: dict[int, list[tuple[int, int]]] = {session: [] for session in sessions[:LOOKED_AT]}
    if found:
        for row in db.execute(_GAPS, {"sessions": list(found)}):
            found[row.session_id].append((row.first, row.last))
    return found


def count(ranges: Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)


def missing(ranges: Ranges) -> str:
    """`page 3 is missing`, `pages 7 and 23 are missing`, `pages 7, 9, 12 to 20 and 4 more are missing`."""
    named = [
        str(first) if first == last else _("%(first)s to %(last)s", first=number(first), last=number(last))
        for first, last in ranges[:NAMED]
    ]
    more = count(ranges[NAMED:])
    parts = [*named, _("%(more)s more", more=number(more))] if more else named
    if not parts:
        return _("no page is missing")
    if parts == [str(ranges[0][0])]:
        return _("page %(page)s is missing", page=parts[0])
    if len(parts) == 1:
        return _("pages %(pages)s are missing", pages=parts[0])
    return _("pages %(pages)s and %(last)s are missing", pages=", ".join(parts[:-1]), last=parts[-1])


def starts_over(kind: str) -> str:
    """Say what Mixpanel does about an export that came to a halt. `kind` is that of the cohort's rhythm."""
    return {
        "recurring": _("Mixpanel starts over at its next cycle"),
        "one_time": _("Mixpanel does not send a one-time export again by itself: export it once more"),
    }.get(kind, _("Mixpanel starts a sync over at its next cycle; a one-time export has to be exported once more"))


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def missing_ranges(numbers: Iterable[int], total: int) -> list[tuple[int, int]]:
    """The ranges of 1 to `total` that are not among the ascending `numbers`; a total of 2 billion costs nothing."""
    found = []
    expected = 1
    for page in numbers:
        if page > total:
            break
        if page > expected:
            found.append((expected, page - 1))
        expected = page + 1
    if expected <= total:
        found.append((expected, total))
    return found
