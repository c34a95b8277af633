"""What the headers of a call to Mixpanel ask for: a name by which it is made once, and an answer before it is over."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any

import structlog
from flask import current_app, request, url_for

from blueprints.api.replies import Problem
from blueprints.json_types import encoder
from outbound import deliveries, idempotency, send
from outbound.deliveries import Delivery
from outbound.downloads.targets import Target
from outbound.idempotency import CallName
from outbound.send import PreparedCall
from outbound.transport.attempts import Outcome
from runtime import current_runtime
from security.tokens import token_name

log = structlog.get_logger()

NAME = re.compile(r"[!-~]{1,255}")
Reply = tuple[bytes, int, dict[str, str]]


def name_of(place: str) -> CallName | None:
    """The call's name (`Idempotency-Key`), None where it has none. Raises Problem (400)."""
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    if not NAME.fullmatch(given):
        raise Problem(400, "Idempotency-Key: 1 to 255 letters, digits and signs of ASCII, without blanks.")
    return idempotency.named(current_runtime().cipher.digests, token_name(), place, given, request.get_data())


def is_asked_for() -> bool:
    """Whether the call has a name, so that its body is looked at once more."""
    return "Idempotency-Key" in request.headers


def wants_no_wait() -> bool:
    """Whether `Prefer` says respond-async."""
    asked = ",".join(request.headers.getlist("Prefer")).lower().split(",")
    return any(preference.partition(";")[0].strip() == "respond-async" for preference in asked)


def opened(call: PreparedCall, name: CallName | None, give: Callable[[], None]) -> tuple[int, bool]:
    """The call's row, and whether the call is to be made; where it is not, its place is given back. Raises Problem
    (422)."""
    is_new = False
    try:
        delivery, is_new = send.prepare_once(current_runtime(), call, f"token {token_name()}", "api", name)
    except send.OtherContent:
        raise Problem(422, "This Idempotency-Key was sent with another content before.") from None
    finally:
        if not is_new:
            give()
    return delivery, is_new


@dataclass(frozen=True)
class Begun:
    """A call that is to be made: its row, its name, and how its place is given back."""

    call: PreparedCall
    delivery: int
    name: CallName | None
    give: Callable[[], None]

    def finish(self, to: Target | None = None) -> Outcome:
        """Make it."""
        runtime = current_runtime()
        try:
            outcome = send.finish(runtime, self.call, self.delivery, to=to)
            if (name := self.name) is not None and outcome.attempts == 0:
                runtime.database.write(
                    lambda db: idempotency.forget(db, name)
                )  # nothing was sent: it may be tried again
            return outcome
        finally:
            self.give()

    def finish_behind(self, to: Target | None, over: Callable[[Outcome | None], None]) -> None:
        """Make it in a thread of its own; `over` is told what came of it."""
        app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask documents it for threads
        Thread(target=self._finish_in, args=(app, to, over), daemon=True).start()

    def _finish_in(self, app: Any, to: Target | None, over: Callable[[Outcome | None], None]) -> None:
        outcome = None
        try:
            with app.app_context():
                outcome = self.finish(to)
        except Exception as error:  # the row says that nobody heard the answer, once it is given up
            cause = (type(error), None, error.__traceback__)  # without its text, which may hold what was sent
            log.warning("send.broken_off", error=type(error).__name__, delivery=self.delivery, exc_info=cause)
        finally:
            over(outcome)


def make(call: PreparedCall, name: CallName | None, give: Callable[[], None]) -> Reply:
    """Make the call, once where it has a name; `give` gives its place back when it is over. Raises Problem (422)."""
    delivery, is_new = opened(call, name, give)
    if not is_new:
        return told(delivery)
    begun = Begun(call, delivery, name, give)
    return later(begun) if wants_no_wait() else _over(begun.finish(), delivery, call)


def later(begun: Begun, to: Target | None = None) -> Reply:
    """Make it while nobody waits."""
    begun.finish_behind(to, lambda _outcome: None)
    return _under_way(begun.delivery)


def _over(outcome: Outcome, delivery: int, call: PreparedCall) -> Reply:
    return encoder.encode(send.as_json(delivery, outcome, call.mask)), 200, {}


def told(delivery: int) -> Reply:
    """What became of an earlier call of the same name."""
    call = current_runtime().database.read(lambda db: deliveries.by_id(db, delivery), one_statement=True)
    if call is None:
        raise Problem(410, "A call of this Idempotency-Key was made, and is past its retention.")
    if call.verdict is None:
        return _under_way(delivery)
    return encoder.encode(_as_json(call)), 200, {"Idempotent-Replayed": "true"}


def _as_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery": delivery.id,
        "verdict": delivery.verdict,
        "accepted": delivery.accepted or 0,
        "failed_records": delivery.failed_records,
        "words": delivery.words,
        "frees_at": None,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "answer": send.answer_json(delivery.answer),
    }


def _under_way(delivery: int) -> Reply:
    where = url_for("api.show_delivery", delivery_id=delivery)
    headers = {"Location": where, "Preference-Applied": "respond-async", "Retry-After": "1"}
    return encoder.encode({"delivery": delivery, "at": where}), 202, headers
