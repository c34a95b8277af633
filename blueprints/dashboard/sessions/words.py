"""A session in words: what it is, how it stands, and what happens next (S5, S6, S8, S9, S13, and the removal guard)."""

from typing import Any, NamedTuple

from blueprints.formatting import number
from config.clock import SECOND
from config.lengths import age, duration, roughly
from config.words import counted
from sync.status import progress
from sync.status.cohort import TONES
from sync.status.progress import Ranges
from sync.status.text import WORDS
from sync.sweep import held

RUNNING = ("receiving", "settling", "sweeping")

# Status: the tone of its colour and icon, and its word.
STATES = {state: (TONES[state], WORDS[state]) for state in (*RUNNING, "late", "stalled", "held")} | {
    "complete": ("in-step", "Complete"),
    "superseded": ("off", "Superseded"),
}

_WHATS = {
    "members": "Refresh of {}",
    "add_members": "Diff of {}: additions",
    "remove_members": "Diff of {}: removals",
    "erasure": "Erased from {}",
}
_SHORT = {"members": "Refresh", "add_members": "Diff", "remove_members": "Diff"}
_KINDS = {"members": "refresh", "add_members": "diff", "remove_members": "diff", "erasure": "erasure"}


class Number(NamedTuple):
    """One of a session's counts (S14): the session's column, who is counted, and what is said where nobody is."""

    column: str
    whom: str
    nobody: str


NUMBERS = {
    "received": Number(
        "received",
        "Everyone whom a page named, page by page; whom two pages named is listed with both. Rejected members are "
        "in the number, and listed on their own.",
        "This session named nobody.",
    ),
    "entered": Number("entered", "Everyone who entered the cohort by this session.", "Nobody entered by this session."),
    "left": Number(
        "left_count", "Everyone who left the cohort by this session, the last first.", "Nobody left by this session."
    ),
    "unchanged": Number(
        "unchanged",
        "Everyone whom a page named and this session did not change, page by page.",
        "Nobody whom it named stayed as they were.",
    ),
    "rejected": Number(
        "rejected",
        "Members that could not be kept, with the reason. Their page succeeded without them.",
        "Every member that came could be kept.",
    ),
}


SWEEPING = "All pages are here. Those whom no page named leave now, in steps; Mixpanel has nothing more to send."


class State(NamedTuple):
    """`tone` is one of the macro `state`'s, `word` goes beside its icon."""

    tone: str
    word: str


def what(action: str, label: str) -> str:
    """`Refresh of Paying users`; the label is the cohort's name."""
    return _WHATS[action].format(label)


def short(action: str, number: int) -> str:
    """`Refresh 12`, in a list of one cohort's sessions."""
    return f"{_SHORT[action]} {number}"


def kind(action: str | None) -> str:
    """`refresh`, `diff` or `erasure`; of a session that is gone just `session`."""
    return _KINDS.get(action or "", "session")


def counts(session: Any) -> dict[str, int]:
    """A session's numbers by name, in the order in which pages show them."""
    return {name: getattr(session, number.column) for name, number in NUMBERS.items()}


def state(session: Any, now: int) -> State:
    """How a session stands, for every page that shows one."""
    if session.decision == "rejected":
        return State("off", "Rejected")
    return State(*STATES[progress.state(session, now)])


def took(session: Any, now: int) -> int:
    """Milliseconds from the first page to the end, or to now while it runs; of what never ended, to its last page."""
    if session.status in RUNNING:
        return max(0, now - int(session.started_at))
    return int(session.completed_at or session.last_page_at) - int(session.started_at)


def headline(session: Any, expected_at: int | None, now: int) -> str:
    """How it stands, to be read behind the state's word; may be empty."""
    received, total = session.pages_received, session.total_pages
    state = progress.state(session, now)
    if state == "late" and total:
        return f"at {number(received)} of {counted(total, 'page')}"
    if state == "receiving" and total:
        left = (
            ""
            if expected_at is None or expected_at <= now
            else f", done in about {roughly(max(SECOND, expected_at - now))}"
        )
        return f"{number(received)} of {counted(total, 'page')}{left}"
    if session.status == "stalled" and total:
        return f"at {number(received)} of {counted(total, 'page')}"
    if session.status == "settling" and session.settles_at:
        return f"done in {roughly(max(0, session.settles_at - now))} unless another page comes"
    return ""


def what_next(session: Any, missing: Ranges, kind: str, now: int) -> str:
    """Say what happens next. `missing` are the pages that have not come, `kind` is that of the cohort's rhythm."""
    sentences = {
        "receiving": lambda: _when_receiving(session, progress.count(missing)),
        "late": lambda: _when_late(session, missing, now),
        "settling": lambda: _when_settling(session, now),
        "sweeping": lambda: SWEEPING,
        "stalled": lambda: _when_stalled(session, missing, kind, now),
        "held": lambda: f"{held.why(session)}. {held.what_next(session)}",
        "superseded": lambda: _when_superseded(session),
        "complete": lambda: _when_complete(session),
    }
    return sentences[progress.state(session, now)]()


def _when_settling(session: Any, now: int) -> str:
    wait = duration(max(0, (session.settles_at or now) - now))
    return (
        f"It cannot be told for certain whether all pages are here. Once nothing has come for another {wait}, those "
        "whom no page named leave. Until then nobody leaves."
    )


def _when_receiving(session: Any, missing: int) -> str:
    pages = "the missing page is" if missing == 1 else f"the {number(missing)} missing pages are"
    if session.action == "members":
        return f"When {pages} here, those whom no page named leave. Until then nobody leaves."
    return f"What has arrived counts already. When {pages} here, this diff is complete."


def _when_late(session: Any, missing: Ranges, now: int) -> str:
    so_far = "Nobody leaves before that." if session.action == "members" else "What has arrived counts already."
    gone = f"; {progress.missing(missing)}" if missing else ""
    return (
        f"No page has come for {roughly(now - session.last_page_at)}{gone}. Mixpanel sends a page that failed again, "
        f"so that it may still come. {so_far}"
    )


def _when_stalled(session: Any, missing: Ranges, kind: str, now: int) -> str:
    gone = f"{progress.capital(progress.missing(missing))}; the" if missing else "The"
    so_far = "Nobody has left." if session.action == "members" else "What has arrived counts."
    return f"{gone} last page came {age(now - session.last_page_at)}. {so_far} A late page takes this export up \
again. If none comes: {progress.starts_over(kind)}."


def _when_superseded(session: Any) -> str:
    if session.decision == "rejected":
        return f"It was held. {held.why(session)}; an operator rejected that. Nobody left by it, and whatever pages \
still come change nothing."
    if session.held_at is not None:
        return f"It was held. {held.why(session)}. A newer refresh took its place before anybody decided, so nobody \
left by it."
    if session.action == "members":
        return "A newer refresh began before this one was complete, so nobody left by it. Pages that still come are \
kept and change nothing."
    return "A newer refresh has had the last word on everybody. Pages that came after it are kept and change nothing."


def _when_complete(session: Any) -> str:
    if session.decision == "approved":
        return f"Nothing more. It was held. {held.why(session)}; an operator approved it, and they left."
    if session.decision == "agreed":
        return f"Nothing more. It would remove {_share(session)}, as the held refresh before it would have, so it went \
through by itself."
    if session.action == "members":
        return "Nothing more. All pages are here, and those whom no page named have left."
    if session.action == "erasure":
        return (
            "Nothing more. Somebody who was in the cohort was erased, and left it. Mixpanel has sent nothing of this."
        )
    if session.received == 0:
        return "Nothing more. An empty diff is Mixpanel's sign of life: the cohort had not changed."
    return "Nothing more. All pages are here and have been applied."


def _share(session: Any) -> str:
    return f"{number(session.would_leave)} of {counted(session.would_leave_of or 0, 'member')}"
