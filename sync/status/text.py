"""The words for how a cohort and a connection stand: what happened, what it means, what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.clock import SECOND
from config.durations import age, duration, roughly
from sync.status import progress
from sync.sweep import held

if TYPE_CHECKING:
    from sync.status.cohort import Standing, Unfinished
    from sync.status.connection import ConnectionStanding

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


def headline(one: Standing) -> str:
    """The state in two or three words: "Receiving page 6 of 10"."""
    session = one.session
    if session and one.state == "receiving":
        return f"Receiving page {_of_total(session)}"
    if session and one.state in {"stalled", "late"}:
        return f"{one.state.capitalize()} at {_of_total(session)}"
    return _HEADLINES[one.state]


def sentence(one: Standing) -> str:
    """What the state means, and what to do about it."""
    session = one.session
    says = {
        "off": _off,
        "failing": _failing,
        "quiet": _quiet,
        "one_time": _one_time,
        "in_step": _in_step,
        "late": _late,
        "stalled": _stalled,
    }.get(one.state)
    if says:
        return says(one)
    assert session is not None  # noqa: S101 - every other state is the session's
    under_way = {"held": _held, "receiving": _receiving, "settling": _settling}
    return under_way.get(session.status, _sweeping)(session, one.now)


def connection_headline(one: ConnectionStanding) -> str:
    return _HEADLINES.get(one.state, one.state.capitalize())  # late and stalled are its cohorts'


def connection_sentence(one: ConnectionStanding) -> str:
    if one.state == one.own_state:
        return own_sentence(one)
    called = "" if one.last_call_at is None else f". Last call {ago(one.last_call_at, one.now)}"
    return f"{_of_cohorts(one)}{called}"


def own_sentence(one: ConnectionStanding) -> str:
    """What is to say of the connection beside its cohorts."""
    called = "" if one.last_call_at is None else f"Last call {ago(one.last_call_at, one.now)}"
    simulated = "Only a simulated export has come; w" if one.is_only_simulated else "W"
    return {
        "off": "Mixpanel keeps trying, and will catch up once it is switched on",
        "failing": _refused(one.refusals, paused=one.needs_you, what="a sync of this connection"),
        "never_called": f"{simulated}aiting for the first call from Mixpanel",
        "quiet": f"{called}; none of its syncs has called as usual. {LOOK}",
    }.get(one.own_state, called)


# What is not well with one of a connection's cohorts, and with several.
_TROUBLES = {
    "failing": ("is failing", "are failing"),
    "held": ("is held", "are held"),
    "stalled": ("has stalled", "have stalled"),
    "quiet": ("has gone quiet", "have gone quiet"),
    "late": ("is late", "are late"),
}


def _of_cohorts(one: ConnectionStanding) -> str:
    """Which of its cohorts are not well, the worst first, and how many others are."""
    found = one.troubles
    parts = [_trouble(one, state, found[state]) for state in _TROUBLES if found[state]]
    well = len(one.cohorts) - found.total()
    others = "" if not well else "; the other one is well" if well == 1 else f"; the other {well:,} are well"
    return ", ".join(parts) + others


def _trouble(one: ConnectionStanding, state: str, count: int) -> str:
    if count > 1:
        return f"{count:,} of its cohorts {_TROUBLES[state][1]}"
    cohort = next(cohort for cohort in one.cohorts if cohort.state == state)
    name = cohort.name or f"Cohort {cohort.mixpanel_cohort_id}"
    if state == "failing" and cohort.needs_you:
        return f"{name} is paused by Mixpanel"
    return f"{name} {_TROUBLES[state][0]}"


def ago(moment: int, now: int) -> str:
    """How long ago: "4 min ago"; "just now" also where the clock was set back behind it."""
    return age(max(0, now - moment))


def _of_total(session: Unfinished) -> str:
    return f"{session.pages_received}" + (f" of {session.total_pages}" if session.total_pages else "")


def _off(_one: Standing) -> str:
    return "Its connection is switched off. Mixpanel keeps trying and will catch up"


def _failing(one: Standing) -> str:
    return _refused(one.refusals, paused=one.needs_you, what="this sync")


def _refused(refusals: int, *, paused: bool, what: str) -> str:
    times = "a refusal" if refusals == 1 else f"{refusals:,} refusals in a row"
    return f"Mixpanel got {times}{f' and has paused {what}' if paused else ''}; see the failure"


def _quiet(one: Standing) -> str:
    silence = duration(one.now - max(one.last_call_at, one.rhythm.last_beat))
    return f"No call for {silence}; they usually come every {duration(one.rhythm.every or 0)}. {LOOK}"


def _one_time(one: Standing) -> str:
    at, now = (datetime.fromtimestamp(moment / 1000, UTC) for moment in (one.rhythm.last_beat, one.now))
    year = "" if at.year == now.year else f" {at.year}"
    return f"Received {at.day} {at:%b}{year}; nothing more is expected"


def _in_step(one: Standing) -> str:
    if one.last_synced_at is None:
        return f"No sync is complete yet; last call {ago(one.last_call_at, one.now)}"
    due = one.rhythm.next_expected
    synced = f"Last sync {ago(one.last_synced_at, one.now)}"
    if due is None:
        return synced
    if due <= one.now:
        return f"{synced}, next expected any moment"
    return f"{synced}, next expected in about {roughly(due - one.now)}"


def _held(session: Unfinished, _now: int) -> str:
    stay = "Everyone stays until you decide" if held.can_be_approved(session) else "Everyone stays"
    return f"{held.why(session)}. {stay}"


def _late(one: Standing) -> str:
    assert one.session is not None  # noqa: S101 - it is the session that is late
    return late(one.session, one.now)


def late(session: Unfinished, now: int) -> str:
    return f"No page for {roughly(now - session.last_page_at)}; {_missing(session)}"


def _stalled(one: Standing) -> str:
    assert one.session is not None  # noqa: S101 - it is the session that has stalled
    here = f"{progress.capital(_missing(one.session))}; the last page came {ago(one.session.last_page_at, one.now)}."
    so_far = "Nobody has left." if one.session.action == "members" else "What came has been applied."
    return f"{here} {so_far} {progress.starts_over(one.rhythm.kind)}"


def _missing(session: Unfinished) -> str:
    if session.missing:
        return progress.missing(session.missing)
    rest = (session.total_pages or 0) - session.pages_received
    return f"{rest:,} pages are missing" if rest > 1 else "a page is missing"


def _receiving(session: Unfinished, now: int) -> str:
    if not session.total_pages:
        return f"{session.received:,} members so far"
    expected = max(session.received, session.received * session.total_pages // session.pages_received)
    rough = round(expected, 2 - len(str(expected)))
    done = f"{session.received:,} of about {max(rough, session.received):,} members"
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
