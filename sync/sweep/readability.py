"""Whether a refresh could be read well enough to say who leaves (S4): what nobody can read is no empty cohort.

Judged by what its pages sent, in their latest version. It asks nothing of a refresh without rejected members.
"""

from typing import Final

from sqlalchemy import Connection

from models.statement import Statement
from sync.apply.sessions import SessionState
from sync.contract.page import Page

# Why a refresh is held, as `sync_session.held_for` keeps it.
REMOVALS: Final = "removals"  # the removal guard's share
HALF_UNREADABLE: Final = "half_unreadable"
NONE_READABLE: Final = "none_readable"

_SENT = Statement("""
    SELECT coalesce(sum(received), 0), coalesce(sum(rejected), 0) FROM sync_page
    WHERE session_id = :session_id AND page <= :total AND page <> :besides""")
_NO_TOTAL = 2**62
_NO_PAGE = 0


def doubt(db: Connection, session: SessionState, at_hand: Page | None = None) -> str | None:
    """Return HALF_UNREADABLE where more than half of the members that this refresh sent could not be read,
    NONE_READABLE where nobody could, else None. `at_hand` is the page whose row is not written yet."""
    if not session.rejected:
        return None
    sent, rejected = _sent(db, session, at_hand)
    if rejected and rejected == sent:
        return NONE_READABLE
    return HALF_UNREADABLE if 2 * rejected > sent else None


def _sent(db: Connection, session: SessionState, at_hand: Page | None) -> tuple[int, int]:
    """Return how many members the pages of the export sent, and how many of these were rejected."""
    total = _NO_TOTAL if session.total_pages is None else session.total_pages
    besides = _NO_PAGE if at_hand is None else at_hand.key
    sent, rejected = _SENT.one(db, {"session_id": session.id, "total": total, "besides": besides})
    if at_hand is not None and at_hand.key <= total:
        rejected += at_hand.rejected_count
        sent += len(at_hand.members) + at_hand.rejected_count
    return sent, rejected
