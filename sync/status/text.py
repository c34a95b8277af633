"""The words for how a cohort and a connection stand: what happened, what it means, what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.clock import SECOND
from config.counts import counted
from config.durations import age, duration, roughly
from sync.status import progress
from sync.sweep import held

if TYPE_CHECKING:
    from sync.status.cohort import CohortStatus, Unfinished
    from sync.status.connection import ConnectionStatus

LOOK = "Look in Mixpanel: Data, Destinations"

_HEADLINES = {
    "in_step": "In step",
    "settling": "Settling",
    "sweeping": "Finishing",
    "quiet": "Quiet",
    "held": "Held",
    "one_time": "One-time export",
    "failing": "Failing",
    "off": "Off",
    "never_called": "Never called",
}

# Every state in a word, those too whose headline says how far it has come.
WORDS = _HEADLINES | {"receiving": "Receiving", "late": "Late", "stalled": "Stalled"}


def headline(cohort: CohortStatus) -> str:
    """Return the state in two or three words: "Receiving page 6 of 10"."""
    session = cohort.session
    if session and cohort.state == "receiving":
        return f"Receiving page {_of_total(session)}"
    if session and cohort.state in {"stalled", "late"}:
        return f"{cohort.state.capitalize()} at {_of_total(session)}"
    return _HEADLINES[cohort.state]


def sentence(cohort: CohortStatus) -> str:
    """Say what the state means, and what to do about it."""
    session = cohort.session
    says = {
        "off": _off,
        "failing": _failing,
        "quiet": _quiet,
        "one_time": _one_time,
        "in_step": _in_step,
        "late": _late,
        "stalled": _stalled,
    }.get(cohort.state)
    if says:
        return says(cohort)
    assert session is not None  # noqa: S101 - every other state is the session's
    under_way = {"held": _held, "receiving": _receiving, "settling": _settling}
    return under_way.get(session.status, _sweeping)(session, cohort.now)


def connection_headline(connection: ConnectionStatus) -> str:
    return WORDS[connection.state]  # late and stalled are its cohorts'


def connection_sentence(connection: ConnectionStatus) -> str:
    if connection.state == connection.own_state:
        return own_sentence(connection)
    called = "" if connection.last_call_at is None else f". Last call {ago(connection.last_call_at, connection.now)}"
    return f"{_of_cohorts(connection)}{called}"


def own_sentence(connection: ConnectionStatus) -> str:
    """What is to say of the connection beside its cohorts."""
    called = "" if connection.last_call_at is None else f"Last call {ago(connection.last_call_at, connection.now)}"
    simulated = "Only a simulated export has come; w" if connection.is_only_simulated else "W"
    return {
        "off": "Mixpanel keeps trying, and will catch up once it is switched on",
        "failing": _refused(connection.refusals, paused=connection.needs_you, what="a sync of this connection"),
        "never_called": f"{simulated}aiting for the first call from Mixpanel",
        "quiet": f"{called}; none of its syncs has called as usual. {LOOK}",
    }.get(connection.own_state, called)


# What is not well with one of a connection's cohorts, and with several.
_TROUBLES = {
    "failing": ("is failing", "are failing"),
    "held": ("is held", "are held"),
    "stalled": ("has stalled", "have stalled"),
    "quiet": ("has gone quiet", "have gone quiet"),
    "late": ("is late", "are late"),
}


def _of_cohorts(connection: ConnectionStatus) -> str:
    """Which of its cohorts are not well, the worst first, and how many others are."""
    found = connection.troubles
    parts = [_trouble(connection, state, found[state]) for state in _TROUBLES if found[state]]
    well = len(connection.cohorts) - found.total()
    others = "" if not well else "; the other one is well" if well == 1 else f"; the other {well:,} are well"
    return ", ".join(parts) + others


def _trouble(connection: ConnectionStatus, state: str, count: int) -> str:
    if count > 1:
        return f"{count:,} of its cohorts {_TROUBLES[state][1]}"
    cohort = next(cohort for cohort in connection.cohorts if cohort.state == state)
    name = cohort.name or f"Cohort {cohort.mixpanel_cohort_id}"
    if state == "failing" and cohort.needs_you:
        return f"{name} is paused by Mixpanel"
    return f"{name} {_TROUBLES[state][0]}"


def ago(moment: int, now: int) -> str:
    """How long ago: "4 min ago"; "just now" also where the clock was set back behind it."""
    return age(max(0, now - moment))


def _of_total(session: Unfinished) -> str:
    return f"{session.pages_received}" + (f" of {session.total_pages}" if session.total_pages else "")


def _off(_cohort: CohortStatus) -> str:
    return "Its connection is switched off. Mixpanel keeps trying and will catch up"


def _failing(cohort: CohortStatus) -> str:
    return _refused(cohort.refusals, paused=cohort.needs_you, what="this sync")


def _refused(refusals: int, *, paused: bool, what: str) -> str:
    times = "a refusal" if refusals == 1 else f"{refusals:,} refusals in a row"
    return f"Mixpanel got {times}{f' and has paused {what}' if paused else ''}; see the failure"


def _quiet(cohort: CohortStatus) -> str:
    silence = duration(cohort.now - max(cohort.last_call_at, cohort.rhythm.last_beat))
    return f"No call for {silence}; they usually come every {duration(cohort.rhythm.every or 0)}. {LOOK}"


def _one_time(cohort: CohortStatus) -> str:
    at, now = (datetime.fromtimestamp(moment / 1000, UTC) for moment in (cohort.rhythm.last_beat, cohort.now))
    year = "" if at.year == now.year else f" {at.year}"
    return f"Received {at.day} {at:%b}{year}; nothing more is expected"


def _in_step(cohort: CohortStatus) -> str:
    if cohort.last_synced_at is None:
        return f"No sync is complete yet; last call {ago(cohort.last_call_at, cohort.now)}"
    due = cohort.rhythm.next_expected
    synced = f"Last sync {ago(cohort.last_synced_at, cohort.now)}"
    if due is None:
        return synced
    if due <= cohort.now:
        return f"{synced}, next expected any moment"
    return f"{synced}, next expected in about {roughly(due - cohort.now)}"


def _held(session: Unfinished, _now: int) -> str:
    stay = "Everyone stays until you decide" if held.can_be_approved(session) else "Everyone stays"
    return f"{held.why(session)}. {stay}"


def _late(cohort: CohortStatus) -> str:
    assert cohort.session is not None  # noqa: S101 - it is the session that is late
    return late(cohort.session, cohort.now)


def late(session: Unfinished, now: int) -> str:
    return f"No page for {roughly(now - session.last_page_at)}; {_missing(session)}"


def _stalled(cohort: CohortStatus) -> str:
    session = cohort.session
    assert session is not None  # noqa: S101 - it is the session that has stalled
    missing = f"{progress.capital(_missing(session))}; the last page came {ago(session.last_page_at, cohort.now)}."
    so_far = "Nobody has left." if session.action == "members" else "What came has been applied."
    return f"{missing} {so_far} {progress.starts_over(cohort.rhythm.kind)}"


def _missing(session: Unfinished) -> str:
    if session.missing:
        return progress.missing(session.missing)
    rest = (session.total_pages or 0) - session.pages_received
    return f"{rest:,} pages are missing" if rest > 1 else "a page is missing"


def _receiving(session: Unfinished, now: int) -> str:
    if not session.total_pages:
        return f"{counted(session.received, 'member')} so far"
    expected = max(session.received, session.received * session.total_pages // session.pages_received)
    rough = round(expected, 2 - len(str(expected)))
    done = f"{session.received:,} of about {counted(max(rough, session.received), 'member')}"
    left = remaining(session, now)
    return done if left is None else f"{done}; done in about {roughly(max(SECOND, left))}"


def remaining(session: Unfinished, now: int) -> int | None:
    """Milliseconds until all pages are here at the pace so far; None where that cannot be told, also because the next
    page is overdue."""
    pace = progress.pace(session)
    missing = (session.total_pages or 0) - session.pages_received
    if not pace or missing < 1 or progress.state(session, now) != "receiving":
        return None
    return round(pace * missing)


def _settling(session: Unfinished, _now: int) -> str:
    waits = duration((session.settles_at or session.last_page_at) - session.last_page_at)
    why = "A page of this export came in two versions" if session.total_pages else None
    return f"{why or 'This export does not say how many pages it has'}. Finished once nothing came for {waits}"


def _sweeping(_session: Unfinished, _now: int) -> str:
    return "All pages are here; removing those who left"
