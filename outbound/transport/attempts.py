"""A call until its outcome is known or nothing more can be done: attempts, pauses, and batches that are split.

Nothing here touches our history, and no transaction is open while a socket is.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec
import structlog

from models.database import DatabaseUnavailable
from outbound.operations.types import Composed
from outbound.request.compose import budget_of
from outbound.result.types import FailedRecord, Judgement, Verdict, combined, unknown, unsent
from outbound.result.verdict import TOO_LARGE, is_of_call, judge
from outbound.transport import budget
from outbound.transport.client import Answer, Broken, Client, Forbidden, Unreached
from outbound.transport.retry import (
    LONGEST_ASKED,
    RetryPolicy,
    asked_pause,
    is_repeatable,
    is_unheard,
    only_reads,
    retry_policy,
    time_limit,
)
from runtime import Runtime

log = structlog.get_logger()

Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Attempt:
    """One try: when (milliseconds), how long, and its status, or else what went wrong. `records` were in it."""

    at: int
    ms: int
    status: int | None
    trouble: str | None
    records: int


@dataclass
class Trail:
    """All tries of a call, the last answer, and what kept it from being tried (again) where the budget is spent.
    `waited` are the seconds that Mixpanel asked for so far."""

    attempts: list[Attempt] = field(default_factory=list)
    answer: Answer | None = None
    spent: budget.Spent | None = None
    waited: float = 0.0

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(one) for one in self.attempts]


@dataclass(frozen=True)
class Outcome:
    """What came of a call. `status` is the last one, None where none came; `took` is in milliseconds, with pauses."""

    verdict: Verdict
    words: str
    accepted: int
    failed_records: tuple[FailedRecord, ...]
    trail: Trail
    took: int

    @property
    def attempts(self) -> int:
        """How often something was sent."""
        return sum(one.status is not None or one.ms > 0 for one in self.trail.attempts)

    @property
    def status(self) -> int | None:
        return self.trail.attempts[-1].status if self.trail.attempts else None

    @property
    def answer(self) -> Answer | None:
        return self.trail.answer

    @property
    def frees_at(self) -> int | None:
        """When the budget that kept it from being sent has room (milliseconds)."""
        return None if self.trail.spent is None else self.trail.spent.frees_at


def attempt(
    runtime: Runtime, client: Client, project_key: str, composed: Composed, sleep: Sleep = time.sleep
) -> Outcome:
    """Call Mixpanel until it is known what it did, by Mixpanel's own schedule. `project_key` is Mixpanel's id of the
    project, whose budget it counts towards."""
    started, trail = time.perf_counter(), Trail()
    parts = list(_parts(runtime, client, project_key, composed, trail, sleep, 0))
    judgement = combined(parts, repeatable=is_repeatable(composed))
    took = round((time.perf_counter() - started) * 1000)
    return Outcome(judgement.verdict, judgement.words, judgement.accepted, judgement.failed_records, trail, took)


def _parts(
    runtime: Runtime, client: Client, project_key: str, composed: Composed, trail: Trail, sleep: Sleep, first: int
) -> Iterator[tuple[int, int, Judgement]]:
    """Yield the whole batch or, where it is too large for Mixpanel (413), its halves, each on its own."""
    call = _Call(runtime, client, project_key, composed, trail, sleep)
    judgement = call.run()
    if not (call.too_large and len(composed.records) > 1):
        yield first, len(composed.records), judgement
        return
    middle = len(composed.records) // 2
    for start, end in ((0, middle), (middle, len(composed.records))):
        yield from _parts(runtime, client, project_key, _piece(composed, start, end), trail, sleep, first + start)


def _piece(composed: Composed, start: int, end: int) -> Composed:
    records, encoded = composed.records[start:end], composed.encoded[start:end]
    body = b"[" + b",".join(encoded) + b"]" if encoded else msgspec.json.encode(records)
    return replace(composed, records=records, encoded=encoded, request=replace(composed.outgoing, body=body))


class _Call:
    """One request and its tries."""

    def __init__(
        self, runtime: Runtime, client: Client, project_key: str, composed: Composed, trail: Trail, sleep: Sleep
    ) -> None:
        self.runtime, self.client, self.project_key = runtime, client, project_key
        self.composed, self.trail, self.sleep = composed, trail, sleep
        self.retries: RetryPolicy = retry_policy(
            composed, runtime.settings.send_attempts, runtime.settings.send_pause_seconds
        )
        self.repeatable = is_repeatable(composed)
        self.reads = only_reads(composed)
        self.too_large = False
        self.may_be_stored = False  # by an earlier try that nobody answered
        self.answer: Answer | None = None  # of the last try

    def run(self) -> Judgement:
        for tried in range(1, self.retries.attempts + 1):
            earlier = self.may_be_stored
            judgement, final = self._try()
            if final or tried == self.retries.attempts:
                return self._with_doubt(judgement) if earlier else judgement
            self.sleep(self._pause(tried))
        raise AssertionError("there is at least one attempt")

    def _pause(self, tried: int) -> float:
        """Wait by the schedule, or for as long as the last answer asks; that is bounded for all tries together."""
        pause, answer = self.retries.pause(tried), self.answer
        asked = 0.0 if answer is None else asked_pause(answer, self.runtime.clock())
        asked = min(asked, LONGEST_ASKED - self.trail.waited)
        if asked <= pause:
            return pause
        self.trail.waited += asked
        return asked

    def _with_doubt(self, judgement: Judgement) -> Judgement:
        """Doubt a refusal where an earlier try may have arrived: only a no to the records tells of the tries before."""
        told = judgement.may_be_stored or judgement.verdict not in {"failed", "rejected"}
        of_records = judgement.verdict == "rejected" and self.answer is not None and not is_of_call(self.answer.status)
        if self.reads or told or of_records:
            return judgement
        return unknown(f"{judgement.words} An earlier try had no answer.", repeatable=self.repeatable)

    def _try(self) -> tuple[Judgement, bool]:
        """Return what one try came to, and whether that is the end of it."""
        try:
            place = self._place()
        except budget.Spent as spent:
            return self._spent(spent), True
        except DatabaseUnavailable:
            self._note(0, None, "our own database did not answer")
            return unsent("Not sent: our own database does not answer."), True
        try:
            return self._sent()
        finally:
            if place is not None:
                with suppress(DatabaseUnavailable):  # it frees itself; what is known of the call must not be lost
                    budget.give_back(self.runtime, place)

    def _place(self) -> int | None:
        family = budget_of(self.composed)
        return budget.take(self.runtime, self.project_key, family) if family else None

    def _spent(self, spent: budget.Spent) -> Judgement:
        self.trail.spent = spent
        self._note(0, None, str(spent))
        return unsent(f"Not sent: {spent}")

    def _sent(self) -> tuple[Judgement, bool]:
        request, started, self.answer = self.composed.outgoing, time.perf_counter(), None
        try:
            answer = self.client.call(request, time_limit(self.composed, self.runtime.settings.send_timeout_seconds))
        except Forbidden as error:
            self._note(0, None, str(error))
            return unsent(str(error)), True
        except Unreached as error:
            self._note(_since(started), None, str(error))
            return unsent(f"Mixpanel could not be reached: {error}; nothing was sent."), False
        except Broken as error:
            self._note(_since(started), None, str(error))
            self.may_be_stored = True
            words = f"It was sent, but {error}."
            return unknown(words, repeatable=self.repeatable, reads=self.reads), not self.retries.repeatable
        self._note(answer.ms, answer.status, None)
        self.trail.answer = self.answer = answer
        self.may_be_stored |= is_unheard(answer.status)
        self.too_large = answer.status == TOO_LARGE
        return self._judged(answer), not self.retries.again(answer)

    def _judged(self, answer: Answer) -> Judgement:
        """Return what the answer says. A fault of ours in reading it is no word of Mixpanel's about the call."""
        operation, records = self.composed.operation, self.composed.records
        try:
            return judge(operation, records, answer, repeatable=self.repeatable, reads=self.reads)
        except Exception as error:
            cause = (type(error), None, error.__traceback__)  # without its text, which may hold what was answered
            log.exception("send.answer_unread", error=type(error).__name__, exc_info=cause)
            words = f"Mixpanel answered {answer.status}, and our program could not read the answer. The log says how."
            return unknown(words, repeatable=self.repeatable, reads=self.reads)

    def _note(self, ms: int, status: int | None, trouble: str | None) -> None:
        records = len(self.composed.records)
        self.trail.attempts.append(Attempt(self.runtime.clock(), ms, status, trouble, records))


def _since(started: float) -> int:
    return max(1, round((time.perf_counter() - started) * 1000))
