"""The words for how a cohort and a connection stand: what happened, what it means, what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.clock import SECOND
from config.lengths import age, duration, roughly
from config.words import _, both, counted, later, ngettext, number
from sync.status import progress
from sync.sweep import held

if TYPE_CHECKING:
    from sync.status.cohort import CohortStatus, Unfinished
    from sync.status.connection import ConnectionStatus

LOOK = later("Look in Mixpanel: Data, Destinations")

_HEADLINES = {
    "in_step": later("In step"),
    "settling": later("Settling"),
    "sweeping": later("Finishing"),
    "quiet": later("Quiet"),
    "held": later("Held"),
    "one_time": later("One-time export"),
    "failing": later("Failing"),
    "off": later("Off"),
    "never_called": later("Never called"),
}

# Every state in a word, those too whose headline says how far it has come.
WORDS = _HEADLINES | {"receiving": later("Receiving"), "late": later("Late"), "stalled": later("Stalled")}

# How far it has come, where its pages are not counted and where they are.
_HOW_FAR = {
    "receiving": (later("Receiving page %(page)s"), later("Receiving page %(page)s of %(total)s")),
    "stalled": (later("Stalled at %(page)s"), later("Stalled at %(page)s of %(total)s")),
    "late": (later("Late at %(page)s"), later("Late at %(page)s of %(total)s")),
}


def headline(cohort: CohortStatus) -> str:
    """Return the state in two or three words: "Receiving page 6 of 10"."""
    session = cohort.session
    if session and cohort.state in _HOW_FAR:
        far, in_all = _HOW_FAR[cohort.state]
        return _(in_all if session.total_pages else far, page=session.pages_received, total=session.total_pages)
    return _(WORDS[cohort.state])


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
    return _(WORDS[connection.state])  # late and stalled are its cohorts'


def connection_sentence(connection: ConnectionStatus) -> str:
    if connection.state == connection.own_state:
        return own_sentence(connection)
    cohorts = _of_cohorts(connection)
    return cohorts if connection.last_call_at is None else f"{cohorts}. {_last_call(connection)}"


def own_sentence(connection: ConnectionStatus) -> str:
    """What is to say of the connection beside its cohorts."""
    called = "" if connection.last_call_at is None else _last_call(connection)
    return {
        "off": _("Mixpanel keeps trying, and will catch up once it is switched on"),
        "failing": _refused(connection.refusals, is_one_sync=False, paused=connection.needs_you),
        "never_called": _("Only a simulated export has come; waiting for the first call from Mixpanel")
        if connection.is_only_simulated
        else _("Waiting for the first call from Mixpanel"),
        "quiet": _("%(called)s; none of its syncs has called as usual. %(look)s", called=called, look=_(LOOK)),
    }.get(connection.own_state, called)


def _last_call(connection: ConnectionStatus) -> str:
    return _("Last call %(ago)s", ago=ago(connection.last_call_at or connection.now, connection.now))


# What is not well with one of a connection's cohorts, and with several.
_TROUBLES = {
    "failing": both("is failing", "are failing"),
    "held": both("is held", "are held"),
    "stalled": both("has stalled", "have stalled"),
    "quiet": both("has gone quiet", "have gone quiet"),
    "late": both("is late", "are late"),
}


def _of_cohorts(connection: ConnectionStatus) -> str:
    """Which of its cohorts are not well, the worst first, and how many others are."""
    found = connection.troubles
    parts = [_trouble(connection, state, found[state]) for state in _TROUBLES if found[state]]
    if well := len(connection.cohorts) - found.total():
        others = ngettext("the other one is well", "the other %(num)s are well", well)
        return f"{', '.join(parts)}; {others}"
    return ", ".join(parts)


def _trouble(connection: ConnectionStatus, state: str, count: int) -> str:
    said = ngettext(*_TROUBLES[state], count)
    if count > 1:
        return _("%(count)s of its cohorts %(state)s", count=number(count), state=said)
    cohort = next(cohort for cohort in connection.cohorts if cohort.state == state)
    name = cohort.name or _("Cohort %(id)s", id=cohort.mixpanel_cohort_id)
    if state == "failing" and cohort.needs_you:
        return _("%(name)s is paused by Mixpanel", name=name)
    return f"{name} {said}"


def ago(moment: int, now: int) -> str:
    """How long ago: "4 min ago"; "just now" also where the clock was set back behind it."""
    return age(max(0, now - moment))


def _off(_cohort: CohortStatus) -> str:
    return _("Its connection is switched off. Mixpanel keeps trying and will catch up")


def _failing(cohort: CohortStatus) -> str:
    return _refused(cohort.refusals, is_one_sync=True, paused=cohort.needs_you)


def _refused(refusals: int, *, is_one_sync: bool, paused: bool) -> str:
    times = ngettext("a refusal", "%(num)s refusals in a row", refusals)
    if not paused:
        return _("Mixpanel got %(times)s; see the failure", times=times)
    if is_one_sync:
        return _("Mixpanel got %(times)s and has paused this sync; see the failure", times=times)
    return _("Mixpanel got %(times)s and has paused a sync of this connection; see the failure", times=times)


def _quiet(cohort: CohortStatus) -> str:
    return _(
        "No call for %(silence)s; they usually come every %(rhythm)s. %(look)s",
        silence=duration(cohort.now - max(cohort.last_call_at, cohort.rhythm.last_beat)),
        rhythm=duration(cohort.rhythm.every or 0),
        look=_(LOOK),
    )


def _one_time(cohort: CohortStatus) -> str:
    at, now = (datetime.fromtimestamp(moment / 1000, UTC) for moment in (cohort.rhythm.last_beat, cohort.now))
    day = f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b} {at.year}"
    return _("Received %(day)s; nothing more is expected", day=day)


def _in_step(cohort: CohortStatus) -> str:
    if cohort.last_synced_at is None:
        return _("No sync is complete yet; last call %(ago)s", ago=ago(cohort.last_call_at, cohort.now))
    due = cohort.rhythm.next_expected
    synced = _("Last sync %(ago)s", ago=ago(cohort.last_synced_at, cohort.now))
    if due is None:
        return synced
    if due <= cohort.now:
        return _("%(synced)s, next expected any moment", synced=synced)
    return _("%(synced)s, next expected in about %(due)s", synced=synced, due=roughly(due - cohort.now))


def _held(session: Unfinished, _now: int) -> str:
    if held.can_be_approved(session):
        return _("%(why)s. Everyone stays until you decide", why=held.why(session))
    return _("%(why)s. Everyone stays", why=held.why(session))


def _late(cohort: CohortStatus) -> str:
    assert cohort.session is not None  # noqa: S101 - it is the session that is late
    return late(cohort.session, cohort.now)


def late(session: Unfinished, now: int) -> str:
    return _("No page for %(now)s; %(missing)s", now=roughly(now - session.last_page_at), missing=_missing(session))


def _stalled(cohort: CohortStatus) -> str:
    session = cohort.session
    assert session is not None  # noqa: S101 - it is the session that has stalled
    missing = _(
        "%(missing)s; the last page came %(ago)s.",
        missing=progress.capital(_missing(session)),
        ago=ago(session.last_page_at, cohort.now),
    )
    so_far = _("Nobody has left.") if session.action == "members" else _("What came has been applied.")
    return f"{missing} {so_far} {progress.starts_over(cohort.rhythm.kind)}"


def _missing(session: Unfinished) -> str:
    if session.missing:
        return progress.missing(session.missing)
    rest = (session.total_pages or 0) - session.pages_received
    return ngettext("a page is missing", "%(num)s pages are missing", max(rest, 1))


def _receiving(session: Unfinished, now: int) -> str:
    if not session.total_pages:
        return _("%(members)s so far", members=counted(session.received, "member"))
    expected = max(session.received, session.received * session.total_pages // session.pages_received)
    rough = round(expected, 2 - len(str(expected)))
    done = _(
        "%(received)s of about %(members)s",
        received=number(session.received),
        members=counted(max(rough, session.received), "member"),
    )
    left = remaining(session, now)
    return done if left is None else _("%(done)s; done in about %(left)s", done=done, left=roughly(max(SECOND, left)))


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
    if session.total_pages:
        return _("A page of this export came in two versions. Finished once nothing came for %(waits)s", waits=waits)
    return _("This export does not say how many pages it has. Finished once nothing came for %(waits)s", waits=waits)


def _sweeping(_session: Unfinished, _now: int) -> str:
    return _("All pages are here; removing those who left")
