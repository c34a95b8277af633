"""The sentence on top of the overview, in the tone of the worst state, and the list of what needs somebody.

Pure: statuses in, words out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backups.status import BackupStatus
from blueprints.dashboard.destinations.status import DestinationStatus
from config.words import _, both, counted, later, ngettext, number
from sync.status import text
from sync.status.cohort import TONES, CohortStatus, LastFailure
from sync.status.connection import ConnectionStatus

MOST_NEEDS = 8  # listed one by one
URGENCY = ("failing", "held", "quiet", "stalled")  # what is listed, the most urgent first
NEED_YOU = frozenset({"failing", "held", "quiet"})  # a stalled export is taken up by Mixpanel itself

Words = Mapping[str, tuple[str, str]]
Arguments = dict[str, int | str]

# Every state of a cohort in a sentence: for one, and for several. What is being received is one thing to a reader.
_UNDER_WAY = both("is being received", "are being received")
_STATES = {
    "in_step": both("is in step", "are in step"),
    "receiving": _UNDER_WAY,
    "settling": _UNDER_WAY,
    "sweeping": _UNDER_WAY,
    "late": both("is late", "are late"),
    "failing": both("is failing", "are failing"),
    "held": both("is held", "are held"),
    "stalled": both("has stalled", "have stalled"),
    "quiet": both("has gone quiet", "have gone quiet"),
    "one_time": both("was a one-time export", "were one-time exports"),
    "off": both("is switched off", "are switched off"),
}
_WELL = frozenset(_STATES[state] for state in ("in_step", "receiving", "one_time"))
# The same of a destination.
_DESTINATIONS = {
    "in_step": both("is in step", "are in step"),
    "sending": both("is being told", "are being told"),
    "empty": both("gets nothing yet", "get nothing yet"),
    "behind": both("is behind", "are behind"),
    "trouble": both("has trouble", "have trouble"),
    "asked": both("asked us to wait", "asked us to wait"),
    "stopped": both("has stopped", "have stopped"),
    "unknown": both("is of an unknown type", "are of unknown types"),
    "held": both("is held", "are held"),
    "paused": both("is paused", "are paused"),
    "leaving": both("is being removed", "are being removed"),
}
_DESTINATIONS_WELL = frozenset(_DESTINATIONS[state] for state in ("in_step", "sending", "empty"))
_ONE = {"cohort": later("The one cohort %(state)s."), "destination": later("The one destination %(state)s.")}
# Where what needs somebody is found, by the page that its button leads to.
_PLACES = {
    "show_failure": "failures",
    "held_refresh": "cohorts",
    "show_cohort": "cohorts",
    "show_connection": "connections",
    "show_destination": "destinations",
    "show_subscription": "destinations",
}
_NEEDED = {"stopped": "failing", "unknown": "failing", "held": "held", "behind": "quiet"}


@dataclass(frozen=True)
class Need:
    """One thing to look at: who, in which state, what happened, and the one button, with the endpoint that it leads to
    and that one's arguments."""

    state: str
    name: str
    says: str
    endpoint: str
    of: Arguments
    word: str

    @property
    def tone(self) -> str:
        return TONES[self.state]


@dataclass(frozen=True)
class Verdict:
    """How things are. `counts` says how many cohorts and destinations are in which state, as far as the headline does
    not; the first `urgent` of the needs are those that the headline counts, `places` where these are found."""

    tone: str
    headline: str
    counts: str
    urgent: int
    places: Mapping[str, int]
    needs: list[Need]
    more_needs: int
    last_synced_at: int | None


def judge(
    cohorts: Sequence[CohortStatus],
    connections: Sequence[ConnectionStatus],
    destinations: Sequence[DestinationStatus] = (),
    backups: BackupStatus | None = None,
) -> Verdict:
    found = (*_needs(cohorts, connections), *_of_destinations(destinations), *_of_backups(backups))
    needs = sorted(found, key=lambda need: URGENCY.index(need.state))
    headline, counts = _calm(cohorts, destinations)
    urgent = sum(need.state in NEED_YOU for need in needs)
    if urgent:
        counts = f"{headline} {counts}".strip()
        headline = ngettext("%(num)s thing needs you", "%(num)s things need you", urgent)
    return Verdict(
        tone=needs[0].tone if needs else _calm_tone(cohorts, destinations),
        headline=headline,
        counts=counts,
        urgent=urgent,
        places=Counter(_places(needs[:urgent])),
        needs=needs[:MOST_NEEDS],
        more_needs=max(0, len(needs) - MOST_NEEDS),
        last_synced_at=max((cohort.last_synced_at for cohort in cohorts if cohort.last_synced_at), default=None),
    )


def _calm(cohorts: Sequence[CohortStatus], destinations: Sequence[DestinationStatus]) -> tuple[str, str]:
    """Return the sentence about cohorts and destinations, and what is left to say of them: where all is well with the
    destinations they are no news."""
    states = [status.state for status in destinations]
    said = count_states(cohort.state for cohort in cohorts)
    if not states:
        return said, ""
    told = count_states(states, _DESTINATIONS, _DESTINATIONS_WELL, "destination")
    if {*states, *(cohort.state for cohort in cohorts)} == {"in_step"} and cohorts:
        named = {"destinations": counted(len(states), "destination"), "cohorts": counted(len(cohorts), "cohort")}
        if len(cohorts) > 1:
            return _("All %(cohorts)s and %(destinations)s are in step.", **named), ""
        return _("The one cohort and %(destinations)s are in step.", **named), ""
    is_well = {_DESTINATIONS[state] for state in states} <= _DESTINATIONS_WELL
    return (said, told) if is_well else (f"{said} {told}", "")


def count_states(
    states: Iterable[str], words: Words = _STATES, well: Collection[tuple[str, str]] = _WELL, thing: str = "cohort"
) -> str:
    """`All 12 cohorts are in step.`, `10 of 12 cohorts are in step, 1 has stalled, 1 was a one-time export.`, and
    where nothing is amiss `All 12 cohorts are well: 11 are in step, 1 was a one-time export.`"""
    found = Counter(words[state] for state in states)
    total = found.total()
    if not total:
        return _("Nothing has been received yet.")
    (first, word), *rest = [(found[said], said) for said in dict.fromkeys(words.values()) if found[said]]
    things, said = counted(total, thing), ngettext(*word, first)
    if not rest:
        return _("All %(things)s %(state)s.", things=things, state=said) if total > 1 else _(_ONE[thing], state=said)
    others = ", ".join(f"{number(count)} {ngettext(*word, count)}" for count, word in rest)
    if set(found) <= set(well):
        states_said = f"{number(first)} {said}, {others}"
        return _("All %(things)s are well: %(states)s.", things=things, states=states_said)
    return _(
        "%(count)s of %(things)s %(state)s, %(others)s.",
        count=number(first), things=things, state=said, others=others,
    )  # fmt: skip


def _calm_tone(cohorts: Sequence[CohortStatus], destinations: Sequence[DestinationStatus]) -> str:
    """Nothing needs anybody: a late page shows, being received does, and a house that is switched off as a whole."""
    tones = {cohort.tone for cohort in cohorts} | {status.tone for status in destinations}
    return next((tone for tone in ("waiting", "working", "in-step") if tone in tones), "off")


def _needs(cohorts: Sequence[CohortStatus], connections: Sequence[ConnectionStatus]) -> Iterator[Need]:
    """Quiet cohorts of a quiet connection are one thing, not many: their connection."""
    quiet = {connection.id for connection in connections if connection.own_state == "quiet"}
    for connection in connections:
        if connection.own_state in URGENCY:  # what is with its cohorts is said of them
            yield _of_connection(connection)
    for cohort in cohorts:
        if cohort.state in URGENCY and not (cohort.state == "quiet" and cohort.connection_id in quiet):
            yield _of_cohort(cohort)


def _of_destinations(destinations: Sequence[DestinationStatus]) -> Iterator[Need]:
    for status in destinations:
        held = next((known for known in status.subscriptions if known.held), None)
        name, state = status.destination.name, _NEEDED.get(status.state)
        if state == "held" and held:
            of: Arguments = {"subscription_id": held.id}
            yield Need(state, name, status.says, "dashboard.show_subscription", of, _("Decide"))
        elif state:
            of = {"destination_id": status.destination.id}
            yield Need(state, name, status.says, "dashboard.show_destination", of, _("Open"))


def _of_backups(backups: BackupStatus | None) -> Iterator[Need]:
    if backups is not None and backups.state in URGENCY:
        says = f"{backups.says} {backups.what_to_do}"
        yield Need(backups.state, _("Backups"), says, "dashboard.overview", {"_anchor": "backups"}, _("See"))


def _places(needs: Iterable[Need]) -> Iterator[str]:
    """Backups are found on the overview itself, whose count is that of all."""
    found = (_PLACES.get(need.endpoint.removeprefix("dashboard.")) for need in needs)
    return (place for place in found if place is not None)


def _of_connection(connection: ConnectionStatus) -> Need:
    if connection.own_state == "failing" and connection.failure:
        return _failing(connection.name, connection.refusals, connection.failure)
    return Need(
        connection.own_state,
        connection.name,
        f"{text.own_sentence(connection)}.",
        "dashboard.show_connection",
        {"name": connection.name},
        _("Open"),
    )


def _of_cohort(cohort: CohortStatus) -> Need:
    name = cohort.name or _("Cohort %(id)s", id=cohort.mixpanel_cohort_id)
    if cohort.state == "failing" and cohort.failure:
        return _failing(name, cohort.refusals, cohort.failure)
    if cohort.state == "held":
        return Need("held", name, f"{cohort.says}.", "dashboard.held_refresh", {"cohort_id": cohort.id}, _("Decide"))
    if cohort.state == "stalled" and cohort.session:
        of: dict[str, int | str] = {"session_id": cohort.session.id}
        return Need("stalled", name, f"{cohort.says}.", "dashboard.show_session", of, _("Open"))
    return Need(cohort.state, name, f"{cohort.says}.", "dashboard.show_cohort", {"cohort_id": cohort.id}, _("Open"))


def _failing(name: str, refusals: int, failure: LastFailure) -> Need:
    """Make a need of refused calls: whether Mixpanel has paused, and what we answered, which says why."""
    happened = (
        _("Mixpanel paused this sync")
        if failure.pauses
        else _("%(calls)s refused in a row", calls=counted(refusals, "call"))
    )
    return Need(
        "failing",
        name,
        _("%(happened)s. We told Mixpanel: %(message)s", happened=happened, message=failure.message),
        "dashboard.show_failure",
        {"failure_id": failure.id},
        _("See failure"),
    )
