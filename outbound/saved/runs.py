"""One run of a saved request: its variables filled in, the call, its checks, and a row that says what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, insert, select, update

from models.columns import columns_of
from models.encryption import DecryptionError
from models.saved_requests import SavedRequest as Table
from models.saved_requests import SavedRun as Runs
from outbound import send
from outbound.operations import registry
from outbound.operations.types import Problem
from outbound.projects import Project
from outbound.request.masking import Mask
from outbound.result.response import storable
from outbound.saved import expectations
from outbound.saved.expectations import Seen
from outbound.saved.requests import SavedRequest
from outbound.saved.variables import filled, values_for
from outbound.send import PreparedCall
from outbound.transport.attempts import Outcome
from runtime import Runtime

KEPT = 100  # runs of one request
LONGEST_REASON = 1000  # characters


class CannotRun(Exception):
    """Nothing was sent; the message says why."""


@dataclass(frozen=True)
class Run:
    """One run; see `models.saved_requests.SavedRun`."""

    id: int
    saved_request_id: int
    delivery_id: int | None
    at: int
    who: str
    source: str
    passed: bool
    reason: str


@dataclass(frozen=True)
class RunOptions:
    """What a run is told: values of variables, further checks, whether it goes against advice."""

    sets: Mapping[str, str]
    checks: Sequence[str] = ()
    force: bool = False


@dataclass(frozen=True)
class RunResult:
    """What came of a run: `took` in milliseconds; `delivery` is None where nothing was sent."""

    passed: bool
    reason: str
    delivery: int | None = None
    took: int = 0
    outcome: Outcome | None = None


def prepared(runtime: Runtime, saved: SavedRequest, project: Project, sets: Mapping[str, str]) -> PreparedCall:
    """Return the call with its variables filled in; those without a value are among its problems, and then there is no
    request. Raises CannotRun."""
    operation = registry.find(saved.operation)
    if operation is None:
        raise CannotRun(f"There is no operation {saved.operation} any more.")
    words = values_for(saved.variables, project, runtime.clock(), sets)
    given, problems = filled(operation, saved.given, words)
    try:
        call = send.ready(runtime, project, operation, given)
    except DecryptionError:
        raise CannotRun("The project's credentials cannot be read with this SECRET_KEY. Give them again.") from None
    return with_problems(call, problems)


def with_problems(call: PreparedCall, problems: Sequence[Problem]) -> PreparedCall:
    """Return the call with the problems of its variables, which stop it."""
    if not problems:
        return call
    return replace(call, composed=replace(call.composed, request=None, problems=(*problems, *call.composed.problems)))


def run(
    runtime: Runtime, saved: SavedRequest, project: Project, who: str, source: str, options: RunOptions
) -> RunResult:
    """Make the call, look whether the checks hold, and keep what came of it."""
    result = _made(runtime, saved, project, who, source, options)
    reason = storable(result.reason)[:LONGEST_REASON]
    result = replace(result, reason=reason)
    runtime.database.write(lambda db: note(db, saved, result, who, source, runtime.clock()))
    return result


def _made(
    runtime: Runtime, saved: SavedRequest, project: Project, who: str, source: str, options: RunOptions
) -> RunResult:
    try:
        call = prepared(runtime, saved, project, options.sets)
    except CannotRun as error:
        return RunResult(passed=False, reason=str(error))
    stops = call.composed.stops(force=options.force)
    if stops:
        return RunResult(passed=False, reason=f"Nothing was sent. {_told(stops)}")
    delivery, outcome = send.send(runtime, call, who, source)
    return judged(saved, outcome, delivery, call.mask, options.checks)


def judged(saved: SavedRequest, outcome: Outcome, delivery: int, mask: Mask, more: Sequence[str] = ()) -> RunResult:
    """Return whether the checks of a saved request, and `more` of this run, hold for what came of its call."""
    wanted = expectations.of_texts([*saved.checks, *more])
    answer = None if outcome.answer is None else outcome.answer.text
    seen = Seen(outcome.verdict, outcome.status, outcome.took, answer, outcome.words)
    reasons = expectations.unmet(wanted, seen)
    return RunResult(not reasons, mask(" ".join(reasons)), delivery, outcome.took, outcome)


def _told(stops: Sequence[Problem]) -> str:
    shown = [f"{stop.field.removeprefix('params.')}: {stop.message}" for stop in stops[:3]]
    more = len(stops) - len(shown)
    return " ".join(shown) + (f" And {more} more." if more else "")


def note(db: Connection, saved: SavedRequest, result: RunResult, who: str, source: str, now: int) -> None:
    """Keep what came of a run; the oldest make room. A request that was removed meanwhile keeps nothing."""
    last = {"ran_at": now, "passed": result.passed, "reason": result.reason or None}
    if db.execute(update(Table).where(Table.id == saved.id).values(last)).rowcount == 0:
        return
    values = {"saved_request_id": saved.id, "delivery_id": result.delivery, "at": now, "who": who, "source": source}
    db.execute(insert(Runs).values(values | {"passed": result.passed, "reason": result.reason}))
    mine = select(Runs.id).where(Runs.saved_request_id == saved.id).order_by(Runs.id.desc())
    oldest = db.execute(mine.offset(KEPT).limit(1)).scalar()
    if oldest is not None:
        db.execute(delete(Runs).where(Runs.saved_request_id == saved.id, Runs.id <= oldest))


def newest(db: Connection, saved: SavedRequest, limit: int) -> list[Run]:
    found = select(*columns_of(Runs, Run)).where(Runs.saved_request_id == saved.id)
    return [Run(*row) for row in db.execute(found.order_by(Runs.id.desc()).limit(limit))]


def prune(db: Connection, before: int) -> int:
    """Remove runs that are older than `before`; returns how many."""
    return db.execute(delete(Runs).where(Runs.at < before)).rowcount
