"""What every vendor's far end is: a real HTTP server that keeps what it is told, refuses what the vendor refuses, and
has faults that a test switches on."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from destinations.contract import DestinationType, Opened
from destinations.settings import all_settings
from tests.destinations.far_end import NOW
from tests.destinations.types.specifications import Spec
from tests.mixpanel import Answer, Call, Mixpanel

SECRET = "planted-key-of-the-vendor-77ab01"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Fault:
    """What one call gets instead of its answer; where it `applies` the vendor has done what was asked all the same."""

    answer: Answer
    applies: bool = False


def busy(headers: dict[str, str] | None = None, body: Any = None) -> Fault:
    """It was called too often."""
    return Fault(Answer(429, body if body is not None else {}, headers or {}))


def broken(status: int = 500) -> Fault:
    """It has done it, and answers that it has a trouble of its own."""
    return Fault(Answer(status, "trouble"), applies=True)


CUT = Fault(Answer(drop=True), applies=True)  # it has done it, and nobody hears of it
DOWN = Fault(Answer(503, "back soon"))
SLOW = Fault(Answer(after=1, drop=True), applies=True)


class Vendor(Mixpanel):
    """`faults` are what the next calls get, `refused` what the description or the vendor had against a call, `bend`
    makes another body of each answer's."""

    spec: Spec | None = None

    def __init__(self) -> None:
        super().__init__()
        self.faults: deque[Fault | None] = deque()
        self.refused: list[str] = []
        self.bend: Callable[[Any], Any] | None = None

    def take(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            problem = _told_by_its_address(call) or (self.spec.problem(call) if self.spec is not None else "")
            if problem:
                return self.no(400, {"message": "not as described"}, problem)
            fault = self.faults.popleft() if self.faults else None
            if fault is not None and not fault.applies:
                return fault.answer
            answer = self.answer(call)
            if self.bend is not None and not isinstance(answer.body, str | bytes):
                answer = replace(answer, body=self.bend(answer.body))
            return answer if fault is None else fault.answer

    def answer(self, call: Call) -> Answer:
        """What the vendor does and says."""
        raise NotImplementedError

    def no(self, status: int, body: Any, why: str) -> Answer:
        """A refusal by the vendor."""
        self.refused.append(why)
        return Answer(status, body)


def _told_by_its_address(call: Call) -> str:
    """What no log of addresses must have: a key, or somebody. One vendor deletes people by their address only."""
    address = f"{call.path} {call.query}"
    if SECRET in address:
        return "a key in an address"
    return "a person in an address" if "@" in address.replace("%40", "@") and call.method != "DELETE" else ""


AnyVendor = TypeVar("AnyVendor", bound=Vendor)


@contextmanager
def standing(kind: Callable[[], AnyVendor]) -> Iterator[AnyVendor]:
    vendor = kind()
    try:
        yield vendor
    finally:
        vendor.close()


def opened_as(kind: DestinationType, secrets: dict[str, str] | None = None, **settings: Any) -> Opened:
    """What the engine opens an adapter of this type with: the defaults, and what is given. Every secret that is needed
    is SECRET."""
    values = {one.name: one.default for one in all_settings(kind) if not one.secret}
    known = {one.name: [SECRET] for one in kind.settings if one.secret and one.required}
    known |= {name: [value] for name, value in (secrets or {}).items()}
    return Opened("ours", values | {"timeout_seconds": 20} | settings, known, lambda: NOW, private=True)


class SetVendor(Vendor):
    """A far end that keeps a set. `members` are who is in it, by identity."""

    kind: DestinationType
    listed: set[str]

    @property
    def members(self) -> set[str]:
        raise NotImplementedError

    def lose(self) -> None:
        """Somebody is taken out by hand."""
        self.listed.pop()

    def settings(self) -> dict[str, Any]:
        return {}

    def secrets(self) -> dict[str, str]:
        return {}

    def adapter(self, secrets: dict[str, str] | None = None, **settings: Any) -> Any:
        known = {"base_url": self.url, **self.settings(), **settings}
        return self.kind.open(opened_as(self.kind, self.secrets() | (secrets or {}), **known))
