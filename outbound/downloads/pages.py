"""Profiles page by page until the last one: Mixpanel answers 1,000 at a time, and names a session for the next.

Every page is a call of its own, and takes its place in the budget. What goes wrong between two pages leaves those
before it good.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from config.counts import counted
from outbound.downloads.errors import BrokenOff, Cancelled
from outbound.downloads.receiver import Receiver
from outbound.operations.types import CallInput
from outbound.request.param_values import YES
from outbound.result.response import parsed
from outbound.transport.attempts import Outcome, Trail

EVERY_PAGE = "every_page"
MOST_PAGES = 10_000  # of one question; ten million profiles
MOST_TRIES = 200  # of all pages that are told
PAGE = 1000


@dataclass(frozen=True)
class AnswerPage:
    """What an answer says: its profiles as lines, and where the next ones are. `mark` tells it from other pages."""

    lines: list[bytes]
    is_last: bool
    session: str
    mark: bytes


def wants_every(given: CallInput) -> bool:
    """Tell whether all pages were asked for."""
    return str(given.params.get(EVERY_PAGE, given.params.get("everyPage", ""))).strip().lower() in YES


def read(answer: Any) -> AnswerPage:
    """Read a page of profiles. Raises BrokenOff where it is none."""
    found = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise BrokenOff("Mixpanel answered with something that is no page of profiles")
    lines = [msgspec.json.encode(item) + b"\n" for item in found]
    size = answer.get("page_size")
    full = size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else PAGE
    mark = hashlib.sha256(b"".join(lines)).digest()
    return AnswerPage(lines, len(lines) < full, str(answer.get("session_id") or ""), mark)


def every(given: CallInput, ask: Callable[[CallInput], Outcome], receiver: Receiver) -> Outcome:
    """Return all pages from the one that was given on; `ask` makes the call of one."""
    work = _Work(given, ask, receiver)
    try:
        work.run()
        receiver.end()
    except BrokenOff as error:
        receiver.end(str(error), cancelled=isinstance(error, Cancelled))
    return work.outcome()


class _Work:
    def __init__(self, given: CallInput, ask: Callable[[CallInput], Outcome], receiver: Receiver) -> None:
        self.ask, self.receiver = ask, receiver
        self.params = {name: value for name, value in given.params.items() if name not in {EVERY_PAGE, "everyPage"}}
        self.page = int(self.params.pop("page", 0) or 0)
        self.pages, self.took, self.trail = 0, 0, Trail()
        self.last: Outcome | None = None

    def run(self) -> None:
        before = b""
        for _ in range(MOST_PAGES):
            page = self._next()
            if page.mark == before and page.lines:
                raise BrokenOff(f"Mixpanel answered with the same page again as page {self.page}")
            self.receiver.add(page.lines)
            self.pages += 1
            if page.is_last:
                return
            if not page.session:
                raise BrokenOff("Mixpanel names no session, without which there is no next page")
            before, self.page = page.mark, self.page + 1
            self.params |= {"session_id": page.session, "page": self.page}
        raise BrokenOff(f"there are more than {MOST_PAGES:,} pages")

    def _next(self) -> AnswerPage:
        outcome = self.last = self.ask(CallInput(self.params | {"page": self.page} if self.page else self.params))
        self.took += outcome.took
        self.trail.attempts = [*self.trail.attempts, *outcome.trail.attempts][-MOST_TRIES:]
        self.trail.answer, self.trail.spent = outcome.answer or self.trail.answer, outcome.trail.spent
        if outcome.verdict != "accepted" or outcome.answer is None:
            raise BrokenOff(f"page {self.page}: {outcome.words}")
        return read(parsed(outcome.answer))

    def outcome(self) -> Outcome:
        """Return one outcome for all of it; where it broke off, with the session and page at which to go on."""
        received, last = self.receiver.received, self.last
        if last is None or (not self.pages and last.verdict != "accepted"):
            return last or _none(self.trail)
        answer = last.answer or self.trail.answer
        if answer is not None:
            body = bytes(self.receiver.head)
            self.trail.answer = replace(answer, body=body, cut=self.receiver.is_cut, received=received)
        records = f"{counted(received.records or 0, 'profile')} in {counted(self.pages, 'page')}"
        if received.is_whole:
            return Outcome("accepted", f"Whole: {records}.", 0, (), self.trail, self.took)
        goes_on = f" To go on: session_id {self.params.get('session_id')}, page {self.page}." if self.pages else ""
        words = f"Broken off after {records}: {received.broken.rstrip('.')}.{goes_on}"
        return Outcome("failed", words, 0, (), self.trail, self.took)


def _none(trail: Trail) -> Outcome:
    return Outcome("failed", "Cancelled before anything was sent.", 0, (), trail, 0)
