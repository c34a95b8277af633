"""The rows of pages: what is kept of each, in its latest version (S7, S8)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from models.statement import Statement
from sync.apply.sessions import SessionState
from sync.contract import json_text
from sync.contract.page import Page
from sync.contract.size_limits import KEPT_OF_A_SESSION

_SAVE = Statement("""
    INSERT INTO sync_page (session_id, page, body_digest, received, entered, left_count, unchanged, rejected, replays,
        applied, seen, rejected_members, received_at)
    VALUES (:session_id, :page, :body_digest, :received, :entered, :left_count, :unchanged, :rejected, 0, :applied,
        :seen, :rejected_members, :now)
    ON CONFLICT (session_id, page) DO UPDATE SET body_digest = excluded.body_digest, received = excluded.received,
        entered = sync_page.entered + excluded.entered, left_count = sync_page.left_count + excluded.left_count,
        unchanged = excluded.unchanged, rejected = excluded.rejected, applied = excluded.applied,
        seen = excluded.seen, rejected_members = excluded.rejected_members, received_at = excluded.received_at""")

_REPLAYED = Statement("UPDATE sync_page SET replays = replays + 1 WHERE session_id = :session_id AND page = :page")


@dataclass
class PageRecord:
    """What came of a page. `seen` are the ids of the people whom it named (`sync.id_sets`)."""

    received: int = 0
    entered: int = 0
    left_count: int = 0
    unchanged: int = 0
    applied: bool = True
    seen: bytes = b""


def save(db: Connection, session: SessionState, page: Page, record: PageRecord, now: int) -> None:
    """Write the row of a page, or of its latest version."""
    kept = {
        "session_id": session.id,
        "page": page.key,
        "body_digest": page.digest,
        "rejected": page.rejected_count,
        "rejected_members": _kept(session, page),
        "now": now,
    }
    _SAVE.run(db, kept | vars(record))


def count_replay(db: Connection, session: SessionState, page: Page) -> None:
    """Note that the page came once more."""
    _REPLAYED.run(db, {"session_id": session.id, "page": page.key})


def _kept(session: SessionState, page: Page) -> str | None:
    """Return the rejected members of `page` as JSON, as far as the session may keep more. `page` is counted already."""
    room = KEPT_OF_A_SESSION - (session.rejected - page.rejected_count)
    kept = page.rejected[: max(0, room)]
    return json_text.encode(kept) if kept else None
