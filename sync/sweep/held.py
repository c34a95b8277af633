"""Why a refresh is held, and what follows from it, in words for people."""

from typing import Any, Literal

from config.words import _, counted, number
from sync.sweep.readability import HALF_UNREADABLE, NONE_READABLE, REMOVALS

Reason = Literal["removals", "half_unreadable", "none_readable"]


def reason(session: Any) -> Reason:
    """Return the key of the reason. Rows from before reasons were kept were held for their removals."""
    found: Reason = session.held_for or REMOVALS
    return found


def can_be_approved(session: Any) -> bool:
    """Whether an operator may approve it. Nobody leaves by a refresh that named nobody whom we could read (S4)."""
    return reason(session) != NONE_READABLE


def why(session: Any) -> str:
    """One sentence without its full stop. `session` has `held_for`, `received`, `rejected`, `would_leave` and
    `would_leave_of`."""
    rejected = number(session.rejected)
    if reason(session) == NONE_READABLE:
        return _("Not one of the %(rejected)s members that this refresh sent could be read", rejected=rejected)
    leaving, old = number(session.would_leave or 0), counted(session.would_leave_of or 0, "member")
    if reason(session) == HALF_UNREADABLE:
        return _(
            "%(rejected)s of the %(received)s that this refresh sent could not be read; it would remove %(leaving)s of "
            "%(old)s",
            rejected=rejected, received=counted(session.received, "member"), leaving=leaving, old=old,
        )  # fmt: skip
    return _("This refresh would remove %(leaving)s of %(old)s", leaving=leaving, old=old)


def what_next(session: Any) -> str:
    """Say, in sentences, what happens unless somebody decides."""
    if reason(session) == NONE_READABLE:
        return _(
            "Everyone stays: such a refresh never removes anybody, however often it comes. See the rejected members "
            "for the reason, and mend the sync in Mixpanel; the next refresh that can be read takes its place."
        )
    if reason(session) == HALF_UNREADABLE:
        return _("Everyone stays until you decide. A newer refresh takes its place, or is held for the same.")
    return _("Everyone stays until you decide. A newer refresh that would remove as much again goes through by itself.")
