"""A session in words: what it is, how it stands, and what happens next (S5, S6, S8, S9, S13, and the removal guard)."""

from typing import Any, NamedTuple

from config.clock import SECOND
from config.lengths import age, duration, roughly
from config.words import _, counted, later, ngettext, number
from sync.status import progress
from sync.status.cohort import TONES
from sync.status.progress import Ranges
from sync.status.text import WORDS
from sync.sweep import held

RUNNING = ("receiving", "settling", "sweeping")

# Status: the tone of its colour and icon, and its word.
STATES = {state: (TONES[state], WORDS[state]) for state in (*RUNNING, "late", "stalled", "held")} | {
    "complete": ("in-step", later("Complete")),
    "superseded": ("off", later("Superseded")),
}

_WHATS = {
    "members": later("Refresh of %(label)s"),
    "add_members": later("Diff of %(label)s: additions"),
    "remove_members": later("Diff of %(label)s: removals"),
    "erasure": later("Erased from %(label)s"),
}
_SHORT = {
    "members": later("Refresh %(number)s"),
    "add_members": later("Diff %(number)s"),
    "remove_members": later("Diff %(number)s"),
}
_KINDS = {"members": "refresh", "add_members": "diff", "remove_members": "diff", "erasure": "erasure"}


class Number(NamedTuple):
    """One of a session's counts (S14): the session's column, who is counted, and what is said where nobody is."""

    column: str
    whom: str
    nobody: str


NUMBERS = {
    later("received"): Number(
        "received",
        later(
            "Everyone whom a page named, page by page; whom two pages named is listed with both. Rejected members are "
            "in the number, and listed on their own."
        ),
        later("This session named nobody."),
    ),
    later("entered"): Number(
        "entered", later("Everyone who entered the cohort by this session."), later("Nobody entered by this session.")
    ),
    later("left"): Number(
        "left_count",
        later("Everyone who left the cohort by this session, the last first."),
        later("Nobody left by this session."),
    ),
    later("unchanged"): Number(
        "unchanged",
        later("Everyone whom a page named and this session did not change, page by page."),
        later("Nobody whom it named stayed as they were."),
    ),
    later("rejected"): Number(
        "rejected",
        later("Members that could not be kept, with the reason. Their page succeeded without them."),
        later("Every member that came could be kept."),
    ),
}


SWEEPING = later("All pages are here. Those whom no page named leave now, in steps; Mixpanel has nothing more to send.")


class State(NamedTuple):
    """`tone` is one of the macro `state`'s, `word` goes beside its icon."""

    tone: str
    word: str


def what(action: str, label: str) -> str:
    """`Refresh of Paying users`; the label is the cohort's name."""
    return _(_WHATS[action], label=label)


def short(action: str, number: int) -> str:
    """`Refresh 12`, in a list of one cohort's sessions."""
    return _(_SHORT[action], number=number)


def kind(action: str | None) -> str:
    """`refresh`, `diff` or `erasure`; of a session that is gone just `session`."""
    return _KINDS.get(action or "", "session")


def counts(session: Any) -> dict[str, int]:
    """A session's numbers by name, in the order in which pages show them."""
    return {name: getattr(session, number.column) for name, number in NUMBERS.items()}


def state(session: Any, now: int) -> State:
    """How a session stands, for every page that shows one."""
    if session.decision == "rejected":
        return State("off", _("Rejected"))
    tone, word = STATES[progress.state(session, now)]
    return State(tone, _(word))


def took(session: Any, now: int) -> int:
    """Milliseconds from the first page to the end, or to now while it runs; of what never ended, to its last page."""
    if session.status in RUNNING:
        return max(0, now - int(session.started_at))
    return int(session.completed_at or session.last_page_at) - int(session.started_at)


def headline(session: Any, expected_at: int | None, now: int) -> str:
    """How it stands, to be read behind the state's word; may be empty."""
    total, state = session.total_pages, progress.state(session, now)
    so_far = {"received": number(session.pages_received), "pages": counted(total or 0, "page")}
    if state == "receiving" and total and expected_at is not None and expected_at > now:
        left = roughly(max(SECOND, expected_at - now))
        return _("%(received)s of %(pages)s, done in about %(left)s", left=left, **so_far)
    if state == "receiving" and total:
        return _("%(received)s of %(pages)s", **so_far)
    if state in {"late", "stalled"} and total:
        return _("at %(received)s of %(pages)s", **so_far)
    if session.status == "settling" and session.settles_at:
        return _("done in %(left)s unless another page comes", left=roughly(max(0, session.settles_at - now)))
    return ""


def what_next(session: Any, missing: Ranges, kind: str, now: int) -> str:
    """Say what happens next. `missing` are the pages that have not come, `kind` is that of the cohort's rhythm."""
    sentences = {
        "receiving": lambda: _when_receiving(session, progress.count(missing)),
        "late": lambda: _when_late(session, missing, now),
        "settling": lambda: _when_settling(session, now),
        "sweeping": lambda: _(SWEEPING),
        "stalled": lambda: _when_stalled(session, missing, kind, now),
        "held": lambda: f"{held.why(session)}. {held.what_next(session)}",
        "superseded": lambda: _when_superseded(session),
        "complete": lambda: _when_complete(session),
    }
    return sentences[progress.state(session, now)]()


def _when_settling(session: Any, now: int) -> str:
    return _(
        "It cannot be told for certain whether all pages are here. Once nothing has come for another %(wait)s, those "
        "whom no page named leave. Until then nobody leaves.",
        wait=duration(max(0, (session.settles_at or now) - now)),
    )


def _when_receiving(session: Any, missing: int) -> str:
    if session.action == "members":
        return ngettext(
            "When the missing page is here, those whom no page named leave. Until then nobody leaves.",
            "When the %(num)s missing pages are here, those whom no page named leave. Until then nobody leaves.",
            missing,
        )
    return ngettext(
        "What has arrived counts already. When the missing page is here, this diff is complete.",
        "What has arrived counts already. When the %(num)s missing pages are here, this diff is complete.",
        missing,
    )


def _when_late(session: Any, missing: Ranges, now: int) -> str:
    silence = roughly(now - session.last_page_at)
    came = _("No page has come for %(silence)s.", silence=silence)
    if missing:
        lacks = progress.missing(missing)
        came = _("No page has come for %(silence)s; %(missing)s.", silence=silence, missing=lacks)
    again = _("Mixpanel sends a page that failed again, so that it may still come.")
    so_far = _("Nobody leaves before that.") if session.action == "members" else _("What has arrived counts already.")
    return f"{came} {again} {so_far}"


def _when_stalled(session: Any, missing: Ranges, kind: str, now: int) -> str:
    ago = age(now - session.last_page_at)
    last = _("The last page came %(ago)s.", ago=ago)
    if missing:
        lacks = progress.capital(progress.missing(missing))
        last = _("%(missing)s; the last page came %(ago)s.", missing=lacks, ago=ago)
    so_far = _("Nobody has left.") if session.action == "members" else _("What has arrived counts.")
    late = _("A late page takes this export up again. If none comes: %(then)s.", then=progress.starts_over(kind))
    return f"{last} {so_far} {late}"


def _when_superseded(session: Any) -> str:
    if session.decision == "rejected":
        return _(
            "It was held. %(why)s; an operator rejected that. Nobody left by it, and whatever pages still come change "
            "nothing.",
            why=held.why(session),
        )
    if session.held_at is not None:
        return _(
            "It was held. %(why)s. A newer refresh took its place before anybody decided, so nobody left by it.",
            why=held.why(session),
        )
    if session.action == "members":
        return _(
            "A newer refresh began before this one was complete, so nobody left by it. Pages that still come are \
kept and change nothing."
        )
    return _(
        "A newer refresh has had the last word on everybody. Pages that came after it are kept and change nothing."
    )


def _when_complete(session: Any) -> str:
    if session.decision == "approved":
        return _("Nothing more. It was held. %(why)s; an operator approved it, and they left.", why=held.why(session))
    if session.decision == "agreed":
        return _(
            "Nothing more. It would remove %(share)s, as the held refresh before it would have, so it went through by "
            "itself.",
            share=_share(session),
        )
    if session.action == "members":
        return _("Nothing more. All pages are here, and those whom no page named have left.")
    if session.action == "erasure":
        return _(
            "Nothing more. Somebody who was in the cohort was erased, and left it. Mixpanel has sent nothing of this."
        )
    if session.received == 0:
        return _("Nothing more. An empty diff is Mixpanel's sign of life: the cohort had not changed.")
    return _("Nothing more. All pages are here and have been applied.")


def _share(session: Any) -> str:
    return _(
        "%(would_leave)s of %(members)s",
        would_leave=number(session.would_leave),
        members=counted(session.would_leave_of or 0, "member"),
    )
