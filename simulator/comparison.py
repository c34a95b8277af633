"""Is what the API says what Mixpanel sent? Members, count, change log and sessions of each cohort (S10, S11, S14)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from simulator.exports import Cohort
from simulator.reader import Reader, Row

SHOWN = 3  # differences that are named one by one
WORKING = {"settling", "sweeping"}  # a session of such a status changes members without a call


@dataclass
class Verdict:
    """One cohort's comparison: `sent` is Mixpanel's own snapshot, `there` what the API lists."""

    project_id: str
    cohort_id: str
    name: str
    sent: int
    there: int = 0
    missing: int = 0
    extra: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": "exact" if self.exact else "different"}


def compare(reader: Reader, cohort: Cohort, patience: float = 60) -> Verdict:
    """Compare everything that the API says about `cohort` against what was sent; waits up to `patience` seconds for a
    sweep that the worker has in hand. Raises CannotRead."""
    verdict = Verdict(cohort.project_id, cohort.cohort_id, cohort.name, len(cohort.members))
    verdict.problems += _not_in_step(cohort)
    sessions = _settled_sessions(reader, cohort, patience)
    found = reader.cohort(cohort.project_id, cohort.cohort_id)
    if found is None:
        verdict.missing = verdict.sent
        verdict.problems.append("the API does not know this cohort")
        return verdict
    there = [row["distinct_id"] for row in reader.members(cohort.project_id, cohort.cohort_id)]
    verdict.there = len(there)
    verdict.problems += _compare_members(cohort, there, verdict)
    if found["member_count"] != len(there):
        verdict.problems.append(f"member_count says {found['member_count']:,}, the list has {len(there):,}")
    log = Replay()
    log.play(reader.changes(cohort.project_id, cohort.cohort_id))
    verdict.problems += log.problems + _compare_log(log, set(there), sessions)
    verdict.problems += _compare_sessions(cohort, sessions)
    return verdict


@dataclass
class Replay:
    """The change log, replayed: who is in at its end, and what in it cannot be."""

    inside: set[str] = field(default_factory=set)
    entries: dict[str, int] = field(default_factory=dict)  # the last entry number of each person
    entered: int = 0
    left: int = 0
    problems: list[str] = field(default_factory=list)

    def play(self, changes: Iterator[Row]) -> None:
        wrong = [row["id"] for row in changes if not self._step(row)]
        if wrong:
            self.problems.append(f"{len(wrong):,} rows of the log cannot be, the first is {wrong[0]}")

    def _step(self, row: Row) -> bool:
        """Apply one row; whether it can follow those before it."""
        person, entry = row["distinct_id"], row["entry_number"]
        was_inside, last = person in self.inside, self.entries.get(person, 0)
        self.entries[person] = entry
        if row["kind"] == "entered":
            self.entered += 1
            self.inside.add(person)
            return not was_inside and bool(entry == last + 1)
        self.left += 1
        self.inside.discard(person)
        return was_inside and bool(entry == last)


def _not_in_step(cohort: Cohort) -> list[str]:
    if cohort.paused is not None:
        return [f"Mixpanel has paused this sync ({cohort.paused})"]
    return [] if cohort.in_step else ["the last sync failed"]


def _settled_sessions(reader: Reader, cohort: Cohort, patience: float) -> list[Row]:
    """Return the cohort's sessions, once none of them is at work without a call any more."""
    patient = Retrying(
        retry=retry_if_result(lambda rows: any(row["status"] in WORKING for row in rows)),
        stop=stop_after_delay(patience),
        wait=wait_fixed(1),
    )
    try:
        return patient(lambda: list(reader.sessions(cohort.project_id, cohort.cohort_id)))
    except RetryError as error:
        rows: list[Row] = error.last_attempt.result()
        return rows


def _compare_members(cohort: Cohort, there: list[str], verdict: Verdict) -> list[str]:
    expected = {cohort.population.distinct_id(number) for number in cohort.members}
    found = set(there)
    missing, extra = expected - found, found - expected
    verdict.missing, verdict.extra = len(missing), len(extra)
    problems = [
        f"{len(people):,} {word}: {', '.join(sorted(people)[:SHOWN])}"
        for word, people in (("missing", missing), ("too many", extra))
        if people
    ]
    if len(there) != len(found):
        problems.append(f"{len(there) - len(found):,} are listed twice")
    return problems


def _compare_log(log: Replay, there: set[str], sessions: list[Row]) -> list[str]:
    problems = []
    if log.inside != there:
        problems.append(f"the log leads to {len(log.inside):,} members that are not the {len(there):,} listed")
    for kind, in_log in (("entered", log.entered), ("left", log.left)):
        counted = sum(row[kind] for row in sessions)
        if counted != in_log:
            problems.append(f"the sessions say {counted:,} {kind}, the log {in_log:,}")
    return problems


def _compare_sessions(cohort: Cohort, sessions: list[Row]) -> list[str]:
    """Check that every session that was delivered whole is complete, with the members that it had."""
    known = {(row["session_id"], row["action"]): row for row in sessions}
    wrong = [key for key, members in cohort.delivered.items() if not _is_whole(known.get(key), members)]
    if not wrong:
        return []
    return [f"{len(wrong):,} sessions are not as they were sent, the first is {wrong[0][1]} {wrong[0][0]}"]


def _is_whole(row: Row | None, members: int) -> bool:
    if row is None:
        return False
    return bool(
        row["status"] == "complete" and row["received"] == members and row["pages_received"] == row["total_pages"]
    )
